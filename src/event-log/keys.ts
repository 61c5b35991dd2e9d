/**
 * Every key and channel in Redis. One partition now; with more, each name of a stream would carry the partition's hash
 * tag, which is why nothing outside this file spells a key.
 */

export const EVENTS_CHANNEL = 'workflow_events';
/** The workflows' own word that they are ending: wakes the reconciler, is never numbered or shown. */
export const HINTS_CHANNEL = 'execution_hints';
/** Signed closings of one desk; see `emergency/closing.ts`. */
export const closingsChannel = (desk: string): string => `holdfast:closings:${desk}`;

/** Hash `{run_id, number}`: which server process the log was last written through, and the number of its epochs. */
export const EPOCH_KEY = 'holdfast:epoch';
/** Sorted set: executions without a terminal event, by the time of their last event. */
export const OPEN_KEY = 'holdfast:open';

/** Sorted set: streams by when the log last took an event of theirs, by the clock of Redis. */
export const MOVED_KEY = 'holdfast:moved';
/** Sorted set: what publishers had to drop, by when they said so, by the clock of Redis. */
export const GAPS_KEY = 'holdfast:gaps';

/** Stands where a script is given no key: users of Redis are allowed keys by their names, and an empty one matches none. */
export const NO_KEY = 'holdfast:none';

/** The numbered events, entry id `<seq>-0`. */
export const streamKey = (stream: string): string => `holdfast:stream:${stream}`;
/** Sorted set: the ids of the events the stream still holds, by seq. */
export const seenKey = (stream: string): string => `holdfast:seen:${stream}`;
/** Hash: node key → the event that stands for it now; the empty key for the execution itself. */
export const snapshotKey = (stream: string): string => `holdfast:snapshot:${stream}`;
/** Hash: `seq`, `log_epoch`, `born`, `started`, `ended`, `node_count`, `state`, and `reset_run` where a reset began the stream anew. */
export const metaKey = (stream: string): string => `holdfast:meta:${stream}`;
/** Hash: which gateway asks an execution how it stands; gone after some seconds. */
export const claimKey = (stream: string): string => `holdfast:claim:${stream}`;
/** Hash for people and monitors: the last execution of a workflow, its state and the time of its last event. */
export const workflowStatusKey = (workflowId: string): string => `workflow:${workflowId}:status`;

/** What a list of recent executions is about. */
export type Scope =
  | { readonly workflow_id: string }
  | { readonly bot_id: string }
  | { readonly strategy_id: string }
  | { readonly all: true };

/** Sorted set: executions by the time of their last event. */
export function recentKey(scope: Scope): string {
  if ('workflow_id' in scope) return `holdfast:recent:workflow:${scope.workflow_id}`;
  if ('bot_id' in scope) return `holdfast:recent:bot:${scope.bot_id}`;
  if ('strategy_id' in scope) return `holdfast:recent:strategy:${scope.strategy_id}`;
  return 'holdfast:recent:all';
}
