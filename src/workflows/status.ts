/** An execution as the `status` query shows it. */
import type { ExecutionContext } from '../events/build';
import type { Plan } from '../graph/plan';
import type { RunNode, RunState } from '../graph/scheduler';
import { present } from '../json';
import type { ExecutionStatus, NodeState, NodeStatus } from './messages';

/** How often a node was handed out, and what its last attempt reported. */
export interface Turn {
  readonly dispatch: number;
  readonly attempt?: number;
  readonly duration_ms?: number;
}

/** What the account of an execution is made of. */
export interface Account extends Pick<ExecutionStatus, 'state' | 'halts' | 'started_at' | 'ordinal'> {
  readonly context: ExecutionContext;
  readonly plan: Plan;
  readonly run: RunState;
  readonly turnOf: (index: number) => Turn;
  readonly waits: (index: number) => boolean;
}

export function executionStatus({ context, plan, run, turnOf, waits, ...rest }: Account): ExecutionStatus {
  const { execution_id, workflow_id = '', graph_version = '', bot_id, strategy_id, mode } = context;
  const nodes = run.nodes.map((node, index) => {
    const { id = '', type = '' } = plan.nodes[index] ?? {};
    return [id, nodeStatus(type, node, turnOf(index), waits(index))];
  });
  const error = run.failure && `${run.failure.node_id}: ${run.failure.error}`;
  return {
    ...{ execution_id, workflow_id, graph_version, mode, ...present({ bot_id, strategy_id }) },
    ...rest,
    nodes: Object.fromEntries(nodes) as ExecutionStatus['nodes'],
    ...present({ error, error_type: run.failure?.error_type }),
  };
}

/** `waits`: it is out as a timer, not as an activity. */
function nodeStatus(type: string, node: RunNode, turn: Turn, waits: boolean): NodeStatus {
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

export function countStates({ nodes }: ExecutionStatus): Record<NodeState, number> {
  const counts = { pending: 0, running: 0, waiting: 0, completed: 0, failed: 0, skipped: 0 };
  for (const { state } of Object.values(nodes)) counts[state] += 1;
  return counts;
}
