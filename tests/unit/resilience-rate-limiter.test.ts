/** Invariants L1 and L2 of src/resilience/rate-limiter.ts. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RateLimiter, RateLimiters } from '../../src/resilience/rate-limiter';

const limitOf = fc.record({ calls: fc.integer({ min: 1, max: 8 }), per_ms: fc.integer({ min: 1, max: 100 }) });
/** Crowds, and the quiet in which those who wait may not come back. */
const gapOf = fc.oneof(fc.constant(0), fc.nat(150));

describe('a rate limiter', () => {
  it('admits so many calls at once, and names to each who is refused a free one of his own (L2)', () => {
    const limiter = new RateLimiter({ calls: 2, per_ms: 1_000 });
    expect([0, 100].map((now) => limiter.take(now))).toEqual([undefined, undefined]);
    expect([200, 200, 200, 200, 200].map((now) => limiter.take(now))).toEqual([1_000, 1_100, 2_000, 2_100, 3_000]);
    expect(limiter.take(999)).toBe(3_100);
    expect(limiter.take(1_000)).toBeUndefined();
  });

  it('names no earlier moment to who asks later, also when those before did not come back (L2)', () => {
    const limiter = new RateLimiter({ calls: 2, per_ms: 30 });
    const answers = [0, 0, 0, 0, 0, 25, 55, 55, 55, 75].map((now) => limiter.take(now));
    expect(answers).toEqual([undefined, undefined, 30, 30, 60, 60, undefined, undefined, 90, 90]);
  });

  it('never admits more than its calls within any span, and lets nobody wait less than those before, whoever asks when (L1, L2)', () => {
    fc.assert(
      fc.property(limitOf, fc.array(gapOf, { maxLength: 200 }), (limit, gaps) => {
        const limiter = new RateLimiter(limit);
        const admitted: number[] = [];
        let [now, named] = [0, 0];
        for (const gap of gaps) {
          now += gap;
          const retryAt = limiter.take(now);
          if (retryAt === undefined) admitted.push(now);
          else {
            expect(retryAt).toBeGreaterThan(now);
            expect(retryAt).toBeGreaterThanOrEqual(named);
            named = retryAt;
          }
        }
        admitted.forEach((at, index) => {
          const next = admitted[index + limit.calls];
          if (next !== undefined) expect(next - at).toBeGreaterThanOrEqual(limit.per_ms);
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses each of a crowd once, when all come back at the moment they were told (L2)', () => {
    fc.assert(
      fc.property(limitOf, fc.array(fc.nat(200), { minLength: 1, maxLength: 200 }), (limit, arrivals) => {
        const limiter = new RateLimiter(limit);
        const crowd = arrivals.map((at) => ({ at, asked: 0 }));
        while (crowd.length > 0) {
          // Whoever was promised a moment comes before those who arrive at it.
          crowd.sort((a, b) => a.at - b.at || b.asked - a.asked);
          const caller = crowd[0]!;
          const retryAt = limiter.take(caller.at);
          caller.asked += 1;
          if (retryAt === undefined) crowd.shift();
          else caller.at = retryAt;
          expect(caller.asked).toBeLessThanOrEqual(2);
        }
      }),
    );
  });

  it('is another for another name or limit', () => {
    const limiters = new RateLimiters();
    const one = { calls: 1, per_ms: 1_000 };
    expect(limiters.take('a', one, 0)).toBeUndefined();
    expect(limiters.take('a', one, 0)).toBe(1_000);
    expect(limiters.take('b', one, 0)).toBeUndefined();
    expect(limiters.take('a', { calls: 2, per_ms: 1_000 }, 0)).toBeUndefined();
  });

  it('keeps the limiters in use when there are many', () => {
    const limiters = new RateLimiters();
    const one = { calls: 1, per_ms: 1_000 };
    for (let each = 0; each < 999; each += 1) limiters.take(`idle ${each}`, one, 0);
    limiters.take('busy', one, 900);
    for (let each = 0; each < 5; each += 1) limiters.take(`new ${each}`, one, 1_000);
    expect(limiters.take('busy', one, 1_000)).toBe(1_900);
  });
});
