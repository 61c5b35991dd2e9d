import { describe, expect, it } from '@jest/globals';
import { HoldfastError } from '../../src/errors';
import type { RunOrigin } from '../../src/temporal-client/executions';
import { Resets } from '../../src/worker/resets';

/** Runs and where they come from; others are forgotten. */
function resets(runs: Readonly<Record<string, RunOrigin>>) {
  const asked: string[] = [];
  const known = new Resets({
    runOrigin: (_execution, run) => {
      asked.push(run);
      const origin = runs[run];
      return origin === undefined
        ? Promise.reject(new HoldfastError('ExecutionNotFound', 'forgotten'))
        : Promise.resolve(origin);
    },
  });
  return { asked, of: (run: string) => known.of('x', run) };
}

const first = { was_reset: false };
const after = (continued_from: string) => ({ was_reset: false, continued_from });

describe('a run', () => {
  it('that was made by a reset, or goes on from one that was, may have ordered what its history does not know', async () => {
    const { asked, of } = resets({ a: { was_reset: true }, b: after('a'), c: after('b') });
    expect([await of('a'), await of('b'), await of('c')]).toEqual([true, true, true]);
    expect(asked).toEqual(['a', 'b', 'c']);
  });

  it('that goes on from none that was is known as such, and no run is asked about twice', async () => {
    const { asked, of } = resets({ a: first, b: after('a'), c: after('b') });
    expect([await of('c'), await of('b'), await of('c')]).toEqual([false, false, false]);
    expect(asked).toEqual(['c', 'b', 'a']);
  });

  it('counts as reset where the one before it is forgotten, or too many are', async () => {
    expect(await resets({ b: after('a') }).of('b')).toBe(true);
    const runs = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`r${n}`, after(`r${n - 1}`)]));
    const { asked, of } = resets({ ...runs, r0: first });
    expect(await of('r29')).toBe(true);
    expect(asked.length).toBeLessThan(30);
    expect(await of('r5')).toBe(false);
  });

  it('of which nobody tells is not guessed about', async () => {
    await expect(resets({}).of('a')).rejects.toMatchObject({ code: 'ExecutionNotFound' });
  });
});
