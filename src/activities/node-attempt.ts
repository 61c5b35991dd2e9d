import { AsyncLocalStorage } from 'node:async_hooks';

export interface NodeAttempt {
  /** Aborted when the node's timeout passes. */
  readonly signal: AbortSignal;
  /** Temporal's, of the execution's run that handed the node out. */
  readonly run_id: string;
}

/** Set by the worker around a node's body, read by the body's context. */
export const nodeAttempt = new AsyncLocalStorage<NodeAttempt>();
