/** How executions are told of a change of their desk. */
import { describe, expect, it } from '@jest/globals';
import { AT_ONCE, ExecutionTeller, HEARD_WITHIN_MS, PATIENCE_MS, isTakenBack } from '../../src/worker/tell-executions';

const ids = (count: number) => Array.from({ length: count }, (_, n) => `run-${n}`);

/** Told on a clock that goes on by what each is waited for, as many at once as there are lanes. */
async function told(count: number, hears: (n: number) => boolean, fails: (n: number) => boolean = () => false) {
  let now = 0;
  let beats = 0;
  const waits: number[] = [];
  const teller = new ExecutionTeller({
    tell: async (id, withinMs) => {
      const n = Number(id.slice('run-'.length));
      waits[n] = withinMs;
      await Promise.resolve();
      if (fails(n)) throw new Error(`cannot tell ${id}`);
      if (!hears(n)) now += withinMs / AT_ONCE;
      return withinMs > 0 && hears(n);
    },
    onTold: () => void (beats += 1),
    now: () => now,
  });
  await teller.tell(ids(count));
  const failure = (() => {
    try {
      teller.assertAllTold();
      return undefined;
    } catch (error) {
      return error;
    }
  })();
  return { waits, failure, took: now, beats };
}

describe('executions that are told', () => {
  it('are waited for, each as it hears', async () => {
    const { waits, failure, beats } = await told(300, () => true);
    expect(waits).toEqual(ids(300).map(() => HEARD_WITHIN_MS));
    expect([failure, beats]).toEqual([undefined, 300]);
  });

  it('are waited for no more when so many in a row have not heard', async () => {
    const { waits } = await told(300, () => false);
    expect(waits).toHaveLength(300);
    expect(waits.slice(2 * AT_ONCE).every((wait) => wait === 0)).toBe(true);
  });

  it('are all told within the patience of an attempt, also where every second one does not hear', async () => {
    const { waits, took } = await told(5_000, (n) => n % 2 === 0);
    expect(waits).toHaveLength(5_000);
    expect(waits.every((wait) => wait === 0 || wait === HEARD_WITHIN_MS)).toBe(true);
    expect(waits.at(-1)).toBe(0);
    expect(took).toBeLessThanOrEqual(PATIENCE_MS + HEARD_WITHIN_MS);
  });

  it('are all told where some cannot be, and what the first of those failed with is said at the end', async () => {
    const { waits, failure, beats } = await told(
      100,
      () => true,
      (n) => n === 3 || n === 50,
    );
    expect(waits.filter((wait) => wait === HEARD_WITHIN_MS)).toHaveLength(100);
    expect([(failure as Error).message, beats]).toEqual(['cannot tell run-3', 100]);
  });
});

describe('a change that is told late', () => {
  it.each([
    ['halt', 'halt', false],
    ['halt', 'shutdown', false],
    ['halt', 'alert', true],
    ['halt', 'normal', true],
    ['normal', 'alert', false],
    ['normal', 'halt', true],
    ['shutdown', 'shutdown', false],
    // It was resumed and halted anew: whoever began in between is not to be cancelled.
    ['shutdown', 'halt', true],
    ['shutdown', 'normal', true],
  ] as const)('to %s is news no more while the scope is in %s: %s', (told, state, over) => {
    expect(isTakenBack(told, state)).toBe(over);
  });
});
