/** Plain JSON values. */

/** An object of JSON, by its names. */
export type Members = Readonly<Record<string, unknown>>;

/** True for objects alone: neither null nor a list. */
export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether lists and objects stand in each other more than so many deep. Looks no deeper than that, so that no value exhausts the stack. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(inner, levels - 1));
}

/** Optional members as JSON has them: absent, never `undefined`. */
export type Present<T> = {
  -readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
} & {
  -readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K];
};

/** The same members without those that are undefined. Called some ten times per node; by lists of pairs it took three times as long. */
export function present<T extends object>(members: T): Present<T> {
  const given = members as Members;
  const kept: Record<string, unknown> = {};
  for (const name of Object.keys(given)) if (given[name] !== undefined) kept[name] = given[name];
  return kept as Present<T>;
}
