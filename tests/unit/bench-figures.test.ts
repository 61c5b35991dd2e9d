import { describe, expect, it } from '@jest/globals';
import { percentile, upperBoundOfMedian } from '../../bench/support/figures';

const upTo = (last: number) => Array.from({ length: last }, (_, index) => last - index);

describe('the figures of benchmarks', () => {
  it('name the value that a share of all lies at or below', () => {
    expect([0.5, 0.99, 1].map((share) => percentile(upTo(200), share))).toEqual([100, 198, 200]);
  });

  it('bound a median by the tables of the sign test', () => {
    // One-sided, 95 %: the 5th of 5, the 10th of 12, the 12th of 16, the 15th of 20.
    expect([5, 12, 16, 20].map((count) => upperBoundOfMedian(upTo(count)))).toEqual([5, 10, 12, 15]);
    expect(upperBoundOfMedian(upTo(4))).toBe(Infinity);
  });
});
