/** A node as the `status` query shows it. */
import type { RunNode } from '../graph/scheduler';
import { present } from '../json';
import type { NodeStatus } from './messages';

/** How often a node was handed out, and what its last attempt reported. */
export interface Turn {
  readonly dispatch: number;
  readonly attempt?: number;
  readonly duration_ms?: number;
}

/** `waits`: it is out as a timer, not as an activity. */
export function nodeStatus(type: string, node: RunNode, turn: Turn, waits: boolean): NodeStatus {
  const { dispatch, attempt, duration_ms } = turn;
  return { type, generation: 0, dispatch, ...present({ attempt, duration_ms }), ...stateOf(node, waits) };
}

function stateOf(
  node: RunNode,
  waits: boolean,
): Pick<NodeStatus, 'state' | 'branch' | 'outputs' | 'error' | 'error_type' | 'reason'> {
  switch (node.state) {
    case 'pending':
    case 'ready':
      return { state: 'pending' };
    case 'running':
      return { state: waits ? 'waiting' : 'running' };
    case 'completed':
      return { state: 'completed', ...present({ branch: node.branch, outputs: node.outputs }) };
    case 'failed':
      return { state: 'failed', error: node.error, error_type: node.error_type };
    case 'skipped':
      return { state: 'skipped', reason: node.reason };
  }
}
