/** Plain JSON values. */

/** An object of JSON, by its names. */
export type Members = Readonly<Record<string, unknown>>;

/** True for objects alone: neither null nor a list. */
export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Optional members as JSON has them: absent, never `undefined`. */
export type Present<T> = {
  -readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
} & {
  -readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K];
};

/** The same members without those that are undefined. */
export function present<T extends object>(members: T): Present<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Present<T>;
}
