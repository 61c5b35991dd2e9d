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
