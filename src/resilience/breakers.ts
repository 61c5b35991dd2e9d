/** The circuit breakers of one worker process, one per resource. They are not shared: that would cost every call a round trip. */
import type { ErrorCode } from '../errors';
import {
  admit,
  breakerDefaults,
  newBreaker,
  settle,
  type Breaker,
  type BreakerSettings,
  type BreakerState,
  type Call,
  type Verdict,
} from './breaker';

/** By resource; those of `default` are for all that have none of their own. */
export type BreakerSettingsGiven = Readonly<Record<string, Partial<BreakerSettings>>>;

export interface StateChange {
  readonly resource: string;
  readonly previous_state: BreakerState;
  readonly new_state: BreakerState;
  /** Counts the changes of this resource's breaker, from 1. */
  readonly ordinal: number;
}

export interface BreakersOptions<Cause> {
  readonly settings: BreakerSettingsGiven;
  /** Hears every change with the cause of the call that brought it. */
  readonly onChange: (change: StateChange, cause: Cause) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

export type Entry =
  | { readonly admitted: true; readonly leave: (verdict: Verdict) => void }
  | { readonly admitted: false; readonly retry_in_ms: number };

/**
 * What says that a resource does not answer as it should. All other errors are about the request or about ourselves
 * (`InvalidInput`, `DataUnavailable`, `Unexpected`, …) and count neither for nor against it.
 */
const AGAINST: ReadonlySet<string> = new Set<ErrorCode>([
  'ConnectionError',
  // Also the node's own timeout, which the worker enforces.
  'TimeoutError',
  // It asks for fewer requests, and an open breaker is how it gets them.
  'RateLimited',
  'ServiceError',
]);

/** What an error of this type says about the resource it came from. */
export function verdictOn(errorType: string): Verdict {
  return AGAINST.has(errorType) ? 'failure' : 'neutral';
}

export class CircuitBreakers<Cause> {
  readonly #breakers = new Map<string, Breaker>();
  readonly #settings: ReadonlyMap<string, Partial<BreakerSettings>>;
  readonly #options: BreakersOptions<Cause>;

  constructor(options: BreakersOptions<Cause>) {
    this.#options = options;
    this.#settings = new Map(Object.entries(options.settings));
  }

  /** Asks for one call of the resource. One that is admitted must leave, once. */
  enter(resource: string, cause: Cause): Entry {
    const now = this.#options.now();
    const moment = { now, jitter: Math.random() };
    const admission = admit(this.#breaker(resource), this.#settingsOf(resource), moment);
    this.#replace(resource, admission.breaker, cause);
    if ('retry_at' in admission) return { admitted: false, retry_in_ms: admission.retry_at - now };
    const { call } = admission;
    return {
      admitted: true,
      leave: (verdict) => {
        this.#leave({ resource, call, verdict }, cause);
      },
    };
  }

  #leave(report: { readonly resource: string; readonly call: Call; readonly verdict: Verdict }, cause: Cause): void {
    const { resource } = report;
    this.#replace(
      resource,
      settle(this.#breaker(resource), this.#settingsOf(resource), report, this.#options.now()),
      cause,
    );
  }

  #replace(resource: string, next: Breaker, cause: Cause): void {
    const previous = this.#breaker(resource);
    this.#breakers.set(resource, next);
    if (next.epoch === previous.epoch) return;
    const change = { resource, previous_state: previous.state, new_state: next.state, ordinal: next.epoch };
    this.#options.onChange(change, cause);
  }

  #breaker(resource: string): Breaker {
    return this.#breakers.get(resource) ?? newBreaker();
  }

  #settingsOf(resource: string): BreakerSettings {
    return { ...breakerDefaults, ...this.#settings.get('default'), ...this.#settings.get(resource) };
  }
}
