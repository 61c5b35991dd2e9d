/**
 * How often something may be called: never more than `calls` times within any `per_ms`. Time is an argument, in milliseconds of
 * a clock that never goes back.
 *
 * L1. Any span of `per_ms` holds at most `calls` admissions. (A token bucket that holds `calls` tokens lets twice as many
 *     through, a full bucket and its refill, which a venue that counts per minute calls a breach.)
 * L2. A refusal names a moment at which a call is free, another one to each of those who wait and none earlier than to
 *     those before, so that a crowd does not come back for one free call.
 * L3. Nothing is reserved: a free call goes to whoever asks first.
 */
import type { RateLimit } from '../graph/task';
import { Times } from './times';

export class RateLimiter {
  readonly #limit: RateLimit;
  /** Within the last `per_ms`. */
  readonly #admitted = new Times();
  /** Moments named to those who were refused, as far as they are to come. */
  readonly #named = new Times();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** Takes one call, or says when to ask again. */
  take(now: number): number | undefined {
    const { calls, per_ms } = this.#limit;
    this.#admitted.dropUntil(now - per_ms);
    this.#named.dropUntil(now);
    if (this.#admitted.length >= calls) return this.#nameMoment();
    this.#admitted.push(now);
    return undefined;
  }

  /** As if everyone who waits came at the moment named to him. */
  #nameMoment(): number {
    const { calls, per_ms } = this.#limit;
    const waiting = this.#named.length;
    const before = waiting < calls ? this.#admitted.at(waiting) : this.#named.at(waiting - calls);
    const last = waiting === 0 ? 0 : this.#named.at(waiting - 1);
    const moment = Math.max(before + per_ms, last);
    this.#named.push(moment);
    return moment;
  }

  /** Nothing of it is worth keeping. */
  isIdle(now: number): boolean {
    this.#admitted.dropUntil(now - this.#limit.per_ms);
    return this.#admitted.length === 0;
  }
}

/** Above so many, limiters nobody used for a while are forgotten. */
const MANY = 1_000;

/** One limiter per name and limit. */
export class RateLimiters {
  readonly #limiters = new Map<string, RateLimiter>();

  /** Takes one call, or says when to ask again. */
  take(name: string, limit: RateLimit, now: number): number | undefined {
    return this.#limiter(name, limit, now).take(now);
  }

  #limiter(name: string, limit: RateLimit, now: number): RateLimiter {
    const key = `${name} ${limit.calls}/${limit.per_ms}`;
    const known = this.#limiters.get(key);
    if (known !== undefined) return known;
    if (this.#limiters.size >= MANY) this.#forgetIdle(now);
    const limiter = new RateLimiter(limit);
    this.#limiters.set(key, limiter);
    return limiter;
  }

  #forgetIdle(now: number): void {
    for (const [key, limiter] of this.#limiters) if (limiter.isIdle(now)) this.#limiters.delete(key);
  }
}
