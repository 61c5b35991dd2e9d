/** What an execution hands to a worker for one node, and what comes back. */
import type { Correlation, Mode } from '../events/envelope';
import type { RetryTraits } from './kinds';

export interface NodeTask extends Correlation {
  readonly execution_id: string;
  readonly workflow_id: string;
  readonly mode: Mode;
  /** Of kinds that trade: the execution's first run, for its name may be given again; absent in executions of earlier releases. */
  readonly first_run?: string;
  /** W3C trace context of the start, where it was made in a trace. */
  readonly traceparent?: string;
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
  /** Of kinds that follow their orders. */
  readonly trail?: OrderTrail;
}

/** What a node that follows its orders knows of its earlier dispatches. */
export interface OrderTrail {
  /** As the last dispatch that ended left it; absent at first. */
  readonly memo?: unknown;
  /** A dispatch after that one was lost with its worker: what it may have sent is looked up first. */
  readonly lost?: true;
  /**
   * The number under which permits are asked for: that of the first dispatch that was lost, else this one's. The desk grants an id once, so
   * of two dispatches under one number one alone can have sent an order.
   */
  readonly permits_of: number;
}

/** At most so many calls within any span of so many milliseconds. */
export interface RateLimit {
  readonly calls: number;
  readonly per_ms: number;
}

/**
 * Why a node is handed out again later: the type of the failure the attempt ends with, which is never retried by Temporal. The last two:
 * its orders have not ended, or are not known to have been placed.
 */
export type DeferralType = 'CircuitOpen' | 'Throttled' | 'OrderOpen' | 'OrderUnknown';

/** The details of that failure. The attempt is not counted. */
export interface Deferral {
  readonly attempt: number;
  /** When to dispatch again; ISO 8601, UTC. */
  readonly retry_at: string;
  /** The same by no clock but the worker's own, which may be wrong. */
  readonly retry_in_ms: number;
  /** Of a node that follows its orders: what its next dispatch is to know. */
  readonly memo?: unknown;
}

/** The details of the failure of an attempt that the worker ended at the node's timeout. */
export interface TimedOut {
  readonly attempt: number;
  readonly timed_out: true;
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
