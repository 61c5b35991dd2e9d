/** An execution as the `status` query shows it. */
import { pathOf, type Frame } from '../graph/frame';
import type { RunNode } from '../graph/scheduler';
import { present } from '../json';
import type { Books } from './books';
import type { ExecutionState, ExecutionStatus, NodeState, NodeStatus, Wait, WaitStatus } from './messages';

export interface StatusOptions {
  readonly state: ExecutionState;
  /** Whether what the graph gave is known. */
  readonly outputs: boolean;
}

export function executionStatus(books: Books, { state, outputs }: StatusOptions): ExecutionStatus {
  const { context, graph, halts, started_at, ordinal } = books;
  const { execution_id, workflow_id = '', graph_version = '', bot_id, strategy_id, mode } = context;
  const { failure } = graph;
  return {
    ...{ execution_id, workflow_id, graph_version, mode, ...present({ bot_id, strategy_id }) },
    ...{ state, halts: halts.causes, started_at, ordinal },
    nodes: Object.fromEntries(graph.frames.flatMap((frame) => nodesOf(books, frame))),
    ...present({
      outputs: outputs ? graph.outputs : undefined,
      error: failure && `${failure.node_id}: ${failure.error}`,
      error_type: failure?.error_type,
    }),
  };
}

function nodesOf(books: Books, frame: Frame): [string, NodeStatus][] {
  return frame.plan.nodes.map(({ id }, index) => {
    const first_at = instant(books.first_at.get(frame.base + index));
    return [pathOf(frame, id), { ...nodeStatus(books, frame.base + index), ...present({ first_at }) }];
  });
}

/** What is known of nodes. */
export type NodeBooks = Pick<Books, 'graph' | 'turns' | 'waits'>;

export function nodeStatus(books: NodeBooks, id: number): NodeStatus {
  const { graph, turns, waits } = books;
  const { dispatch, attempt, duration_ms, ended_at } = turns.of(id);
  const wait = waits.get(id);
  const frame = graph.frame(id).path;
  return {
    type: graph.node(id).type,
    generation: graph.generation(id),
    dispatch,
    ...present({ frame: frame === '' ? undefined : frame, attempt, duration_ms, ended_at: instant(ended_at) }),
    ...stateOf(graph.state(id), wait !== undefined),
    ...(wait === undefined ? {} : { waits_for: waitStatus(books, id, wait) }),
  };
}

function waitStatus({ graph }: NodeBooks, id: number, wait: Wait): WaitStatus {
  const times = { since: instant('since' in wait ? wait.since : undefined), until: instant(untilOf(wait)) };
  switch (wait.kind) {
    case 'timer':
      return present({ kind: wait.kind, ...times });
    case 'signal':
      return present({ kind: wait.kind, ...times, name: wait.name });
    case 'approval': {
      const { message } = graph.fields(id);
      const asked = typeof message === 'string' ? message : undefined;
      return present({ kind: wait.kind, ...times, approvers: wait.approvers, message: asked });
    }
    case 'child':
      return present({ kind: wait.kind, ...times, child_id: wait.child_id });
    case 'deferral':
      return present({ kind: wait.kind, ...times, why: wait.why, by_gate: wait.by_gate });
  }
}

function untilOf(wait: Wait): number | undefined {
  return 'until' in wait ? wait.until : undefined;
}

function instant(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

function stateOf(
  node: RunNode,
  waits: boolean,
): Pick<NodeStatus, 'state' | 'branch' | 'outputs' | 'error' | 'error_type' | 'reason'> {
  switch (node.state) {
    case 'pending':
    case 'ready':
      return { state: waits ? 'waiting' : 'pending' };
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

export function countStates({ nodes }: Pick<ExecutionStatus, 'nodes'>): Record<NodeState, number> {
  const counts = { pending: 0, running: 0, waiting: 0, completed: 0, failed: 0, skipped: 0 };
  for (const { state } of Object.values(nodes)) counts[state] += 1;
  return counts;
}
