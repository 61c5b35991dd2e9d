import { AsyncLocalStorage } from 'node:async_hooks';

/** Aborted when the node's timeout passes: set by the worker around a node's body, read by the body's context. */
export const nodeSignal = new AsyncLocalStorage<AbortSignal>();
