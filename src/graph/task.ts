/** What an execution hands to a worker for one node, and what comes back. */
import type { Correlation, Mode } from '../events/envelope';
import type { RetryTraits } from './kinds';

export interface NodeTask extends Correlation {
  readonly execution_id: string;
  readonly workflow_id: string;
  readonly mode: Mode;
  readonly node_id: string;
  readonly node_type: string;
  /** Empty at the top; `each[3]` and the like inside `map` and `repeat`. */
  readonly frame: string;
  readonly generation: number;
  readonly dispatch: number;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Per attempt, enforced by the worker. */
  readonly timeout_ms: number;
  readonly retry: RetryTraits;
}

export interface NodeResult {
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Which control output a condition kind took. */
  readonly branch?: string;
  readonly attempt: number;
  readonly duration_ms: number;
}

/** The value of a `formula` field: the text and the values of the references in it. */
export interface FormulaValue {
  readonly formula: string;
  readonly values: Readonly<Record<string, unknown>>;
}
