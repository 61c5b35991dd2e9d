import { describe, expect, it } from '@jest/globals';
import { begun } from '../../src/activities/orders/ahead';

/** Decisions counted, on a clock that a test moves. */
function deciding(decide: (decision: number) => Promise<number> = (decision) => Promise.resolve(decision)) {
  const clock = { now: 0 };
  let decisions = 0;
  const given = begun(
    () => decide((decisions += 1)),
    () => clock.now,
  );
  return { clock, given, count: () => decisions };
}

describe('a decision that is begun ahead', () => {
  it('is made at once, and given when it is asked for', async () => {
    const { clock, given, count } = deciding();
    expect(count()).toBe(1);
    clock.now = 249;
    expect([await given(), count()]).toEqual([1, 1]);
  });

  it('is made anew where it is asked for later than what it was made from may be older', async () => {
    const { clock, given, count } = deciding();
    clock.now = 250;
    expect([await given(), count()]).toEqual([2, 2]);
  });

  it('that failed says so to whoever asks for it, and to nobody else', async () => {
    const { given } = deciding(() => Promise.reject(new Error('no prices')));
    await new Promise(setImmediate);
    await expect(given()).rejects.toThrow('no prices');
  });
});
