/**
 * How far a venue's clock is from this machine's, and how sure that is.
 *
 * C1. A sample says: while a request was on its way, the venue's clock showed this instant. Taken to have been half way, it is wrong by at
 *     most half the round trip; of several samples the quickest counts.
 * C2. Between samples the process's monotonic clock carries it, so a step of the wall clock changes nothing; the bound grows with its age.
 * C3. Unknown, or known too loosely, means that no order goes out: its expiry at the venue would not be the end of its permit.
 */
import { performance } from 'node:perf_hooks';
import { HoldfastError, messageOf } from '../errors';

/** Milliseconds; an order goes out only below it, in every process and at any time, so it bounds what any of them may have told a venue. */
export const LARGEST_CLOCK_BOUND_MS = 500;

export interface VenueClockOptions {
  readonly profile: string;
  /** The venue's time, in whole milliseconds, by one request. */
  readonly ask: () => Promise<number>;
  /** Milliseconds of a clock that never goes back; default the process's own. */
  readonly steady?: () => number;
  /** Default `Date.now`. */
  readonly wall?: () => number;
}

const SAMPLES = 5;
const REFRESH_AFTER_MS = 30_000;
/** Milliseconds per millisecond; ten times what a poor quartz drifts by. */
const DRIFT = 0.0002;
/** The venue gives whole milliseconds. */
const RESOLUTION_MS = 1;

interface Sample {
  /** The venue's time less the steady clock. */
  readonly ahead: number;
  readonly bound: number;
  readonly taken_at: number;
}

export class VenueClock {
  readonly #profile: string;
  readonly #ask: () => Promise<number>;
  readonly #steady: () => number;
  readonly #wall: () => number;
  #sample: Sample | undefined;
  #refreshing: Promise<void> | undefined;

  constructor({ profile, ask, steady, wall }: VenueClockOptions) {
    this.#profile = profile;
    this.#ask = ask;
    this.#steady = steady ?? (() => performance.now());
    this.#wall = wall ?? Date.now;
  }

  /** The venue's time, milliseconds since 1970; this machine's while the difference is unknown. */
  now(): number {
    return this.#sample === undefined ? this.#wall() : Math.floor(this.#sample.ahead + this.#steady());
  }

  /** What to add to this machine's time; undefined while it is unknown. */
  offsetMs(): number | undefined {
    return this.#sample === undefined ? undefined : this.#sample.ahead + this.#steady() - this.#wall();
  }

  /** By how much the offset may be wrong, milliseconds; undefined while it is unknown. */
  boundMs(): number | undefined {
    return this.#sample === undefined ? undefined : this.#boundOf(this.#sample);
  }

  /** The venue says that it is wrong. */
  forget(): void {
    this.#sample = undefined;
  }

  /** Measures anew when that is due, beside whatever else happens. Called by whoever uses the venue. */
  keepFresh(): void {
    const age = this.#sample === undefined ? Infinity : this.#steady() - this.#sample.taken_at;
    if (age > REFRESH_AFTER_MS) this.refresh().catch(() => undefined);
  }

  /** Resolves when orders may rely on it, measuring where needed. Throws `ClockUncertain`. */
  async assertSure(): Promise<void> {
    if (this.#isSure()) return;
    let reason = 'it is known too loosely';
    try {
      await this.refresh();
    } catch (error) {
      reason = messageOf(error);
    }
    if (this.#isSure()) return;
    throw new HoldfastError('ClockUncertain', `The clock of ${this.#profile} is uncertain: ${reason}`, {
      venue: this.#profile,
      bound_ms: this.boundMs() ?? null,
    });
  }

  /** Throws what asking the venue threw. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#measure().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #measure(): Promise<void> {
    let best = await this.#takeSample();
    for (let taken = 1; taken < SAMPLES; taken += 1) {
      const next = await this.#takeSample();
      if (next.bound < best.bound) best = next;
    }
    this.#sample = this.#better(best);
  }

  async #takeSample(): Promise<Sample> {
    const sent = this.#steady();
    const shown = await this.#ask();
    const taken_at = this.#steady();
    const half = (taken_at - sent) / 2;
    return { ahead: shown - (sent + half), bound: half + RESOLUTION_MS, taken_at };
  }

  /** What is known may be sharper than what was just measured; two that contradict one another mean that the venue's clock has moved. */
  #better(next: Sample): Sample {
    const known = this.#sample;
    if (known === undefined) return next;
    const bound = this.#boundOf(known);
    const isContradicted = Math.abs(next.ahead - known.ahead) > next.bound + bound;
    if (isContradicted || next.bound <= bound) return next;
    return { ahead: known.ahead, bound, taken_at: next.taken_at };
  }

  #boundOf({ bound, taken_at }: Sample): number {
    return bound + (this.#steady() - taken_at) * DRIFT;
  }

  #isSure(): boolean {
    const bound = this.boundMs();
    return bound !== undefined && bound <= LARGEST_CLOCK_BOUND_MS;
  }
}
