import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { missingBetween } from '../../src/feed-client/missing';
import { Mending, type MendOutcome } from '../../src/feed-client/mending';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

/** Answers as told, by turns; then `mended`. */
function asking(...outcomes: MendOutcome[]) {
  const asked: string[] = [];
  const mending = new Mending((id) => {
    asked.push(id);
    return Promise.resolve(outcomes.shift() ?? 'mended');
  });
  return { mending, asked };
}

describe('what may be wrong', () => {
  it('is asked for once each and spaced, what is added meanwhile too', async () => {
    const { mending, asked } = asking();
    mending.add(['a', 'b']);
    const done = mending.run();
    await jest.advanceTimersByTimeAsync(1);
    expect(asked).toEqual(['a']);
    mending.add(['c', 'a']);
    expect(mending.run()).toBe(done);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(asked).toEqual(['a', 'b', 'c', 'a']);
    await expect(done).resolves.toBe(true);
  });

  it('is asked for again after a while where the gateway says that this is too often', async () => {
    const { mending, asked } = asking('busy');
    mending.add(['a', 'b']);
    const done = mending.run();
    await jest.advanceTimersByTimeAsync(900);
    expect(asked).toEqual(['a']);
    await jest.advanceTimersByTimeAsync(5_000);
    expect(asked).toEqual(['a', 'b', 'a']);
    await expect(done).resolves.toBe(true);
  });

  it('stays so while nobody answers, and no more where there is nothing to be had', async () => {
    const { mending, asked } = asking('refused', 'failed');
    mending.add(['a', 'b']);
    const first = mending.run();
    await jest.advanceTimersByTimeAsync(5_000);
    await expect(first).resolves.toBe(false);
    const second = mending.run();
    await jest.advanceTimersByTimeAsync(5_000);
    await expect(second).resolves.toBe(true);
    expect(asked).toEqual(['a', 'b', 'b']);
  });
});

describe('what was not told', () => {
  const at = (log_epoch: string, seq: number) => ({ log_epoch, seq });

  it.each([
    ['nothing before the next event', at('1-a-1', 4), at('1-a-1', 5), undefined],
    ['what lies between two events', at('1-a-1', 4), at('1-a-1', 8), { reason: 'out_of_reach', count: 3 }],
    ['nothing before the first event', undefined, at('1-a-1', 1), undefined],
    ['what lies before the first that is heard', undefined, at('1-a-1', 3), { reason: 'out_of_reach', count: 2 }],
    ['what an older epoch still held', at('1-a-1', 4), at('2-b-1', 5), { reason: 'log_restarted', count: 0 }],
    ['nothing where an older epoch is told', at('2-b-1', 4), at('1-a-1', 5), undefined],
  ])('is %s', (_, known, place, missing) => {
    expect(missingBetween(known, place, place.seq - 1)).toEqual(missing);
  });
});
