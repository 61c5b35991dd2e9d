/** Groups of ids that fill up one after the other; the oldest group is forgotten whole, so a batch copies the newest alone. */

type Group<T> = Readonly<Record<string, T>>;

export interface Bounds {
  readonly groups: number;
  readonly size: number;
}

export function find<T>(groups: readonly Group<T>[], id: string): T | undefined {
  return groups.find((group) => Object.hasOwn(group, id))?.[id];
}

/** Takes many at once; an id that is there already is there anew. */
export function withAll<T>(
  groups: readonly Group<T>[],
  added: Group<T>,
  { groups: most, size }: Bounds,
): readonly Group<T>[] {
  const [newest = {}, ...older] = groups;
  const grown = { ...newest, ...added };
  return Object.keys(newest).length < size ? [grown, ...older] : [added, newest, ...older].slice(0, most);
}
