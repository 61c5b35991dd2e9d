import { HoldfastError, messageOf, type ErrorCode } from '../errors';

/** One way to obtain something: `obtain` returns it or throws a sentence saying why this way does not work here. */
export interface Way<T> {
  readonly name: string;
  readonly obtain: () => Promise<T>;
}

/** Tries the ways in order. Throws `code` naming every way and why it failed. */
export async function firstOf<T>(code: ErrorCode, headline: string, ways: readonly Way<T>[]): Promise<T> {
  const tried: { name: string; reason: string }[] = [];
  for (const way of ways) {
    try {
      return await way.obtain();
    } catch (error) {
      tried.push({ name: way.name, reason: messageOf(error) });
    }
  }
  const width = Math.max(...tried.map(({ name }) => name.length));
  const lines = tried.map(({ name, reason }) => `  ${name.padEnd(width)}  ${reason.replaceAll('\n', ' · ')}`);
  throw new HoldfastError(code, [headline, ...lines].join('\n'), { tried });
}
