/** The newest of a list, as many as fit in so many characters of JSON. */
export function newest<T>(items: readonly T[], room: number): readonly T[] {
  let left = room;
  const first = items.findLastIndex((item) => (left -= JSON.stringify(item).length) < 0);
  return items.slice(first + 1);
}
