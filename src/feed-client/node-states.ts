/** How a node stands after each of its events. In a module of its own: it needs no connection. */

export type NodeState =
  'running' | 'retrying' | 'waiting' | 'awaiting approval' | 'approved' | 'completed' | 'failed' | 'skipped';

const STATES: ReadonlyMap<string, NodeState> = new Map([
  ['node_started', 'running'],
  ['node_retrying', 'retrying'],
  ['node_waiting', 'waiting'],
  ['approval_requested', 'awaiting approval'],
  ['approval_given', 'approved'],
  ['node_completed', 'completed'],
  ['node_failed', 'failed'],
  ['node_skipped', 'skipped'],
]);
const ENDS: ReadonlySet<string> = new Set<NodeState>(['completed', 'failed', 'skipped']);

/** By the type of an event; undefined for one that says nothing of how a node stands. */
export function nodeStateAfter(type: string): NodeState | undefined {
  return STATES.get(type);
}

/** Whether a node that stands so has ended in its generation. */
export function isNodeEnd(state: string): boolean {
  return ENDS.has(state);
}
