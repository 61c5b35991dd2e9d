/** What an execution hands to a worker for one node, and what comes back. */
import type { Correlation, Mode } from '../events/envelope';
import type { RetryTraits } from './kinds';

export interface NodeTask extends Correlation {
  readonly execution_id: string;
  readonly workflow_id: string;
  readonly mode: Mode;
  /** The emergency desk that judges it; absent for the default one. */
  readonly desk?: string;
  readonly node_id: string;
  readonly node_type: string;
  /** Empty at the top; `each[3]` and the like inside `map` and `repeat`. */
  readonly frame: string;
  readonly generation: number;
  readonly dispatch: number;
  /** Attempts that earlier dispatches of this generation made; those of this one are told as the ones after them. */
  readonly used_attempts: number;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Per attempt, enforced by the worker. */
  readonly timeout_ms: number;
  readonly retry: RetryTraits;
  /** The resource whose circuit breaker is asked before every attempt. */
  readonly circuit_breaker?: string;
  /** Counted per resource, or per node where none is named, within one worker process. */
  readonly rate_limit?: RateLimit;
}

/** At most so many calls within any span of so many milliseconds. */
export interface RateLimit {
  readonly calls: number;
  readonly per_ms: number;
}

/** Why an attempt was not made: the type of the failure it ends with, which is never retried by Temporal. */
export type DeferralType = 'CircuitOpen' | 'Throttled';

/** The details of that failure. The attempt was refused before it was made and is not counted. */
export interface Deferral {
  readonly attempt: number;
  /** When to dispatch again; ISO 8601, UTC. */
  readonly retry_at: string;
  /** The same by no clock but the worker's own, which may be wrong. */
  readonly retry_in_ms: number;
}

/**
 * The details of an `EmergencyHalted` failure: a gate or the desk refused the attempt before anything was sent, so it is not counted.
 * The node goes back to ready.
 */
export interface EmergencyRefusal {
  readonly attempt: number;
  readonly scope: string;
  readonly reason: string;
  /** Of the desk, as far as the refuser knows. */
  readonly epoch: number;
}

export interface NodeResult {
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Which control output a condition kind took. */
  readonly branch?: string;
  readonly attempt: number;
  readonly duration_ms: number;
  /** By the worker's clock, in milliseconds since 1970; absent in what earlier releases recorded. */
  readonly ended_at?: number;
}

/** The value of a `formula` field: the text and the values of the references in it. */
export interface FormulaValue {
  readonly formula: string;
  readonly values: Readonly<Record<string, unknown>>;
}
