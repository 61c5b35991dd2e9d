import { describe, expect, it } from '@jest/globals';
import { retryOptions } from '../../src/temporal-client/connection';

type Refusal = Parameters<ReturnType<typeof retryOptions>['retryableDecider']>[1];

/** By its words alone: they are what is told apart. */
function refusal(details: string): Refusal {
  return { details } as Refusal;
}

describe('what a server refuses for a moment', () => {
  it.each([
    'Workflow task is not scheduled yet.',
    'workflow operation can not be applied because workflow is closing',
    'query buffer is full',
    'For a query this ran ahead of its history; it is run again from there. Nothing is lost.',
  ])('is asked again within milliseconds: %s', (details) => {
    const { retryableDecider, delayFunction } = retryOptions();
    expect(retryableDecider(1, refusal(details))).toBe(true);
    expect(delayFunction(1, refusal(details))).toBeLessThan(100);
  });

  it('is not what it refuses for good', () => {
    expect(retryOptions().retryableDecider(1, refusal('the workflow is of another type'))).toBe(false);
  });
});
