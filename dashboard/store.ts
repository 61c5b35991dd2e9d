/** What the page knows, by execution, built from snapshots and events in the order they come. */
import type { ExecutionDetail, ExecutionSummary, NodeStatus, PageEvent, PageSnapshot } from './wire.js';

export interface NodeView {
  readonly state: string;
  readonly attempt?: number | undefined;
  readonly generation?: number | undefined;
  readonly outputs?: unknown;
  readonly error?: string | undefined;
  readonly reason?: string | undefined;
  readonly duration_ms?: number | undefined;
}

export interface ExecutionView {
  readonly execution_id: string;
  workflow_id: string;
  mode: string;
  state: string;
  /** ISO 8601, for the order of the list. */
  at: string;
  readonly nodes: Map<string, NodeView>;
}

const NODE_STATES: Readonly<Record<string, string>> = {
  node_started: 'running',
  node_retrying: 'retrying',
  node_waiting: 'waiting',
  node_completed: 'completed',
  node_failed: 'failed',
  node_skipped: 'skipped',
};
const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'terminated', 'timed_out']);
const TERMINAL_NODES: ReadonlySet<string> = new Set(['completed', 'failed', 'skipped']);
const MOST_EVENTS = 300;
/** A page left open for days sees tens of thousands of executions. */
const MOST_EXECUTIONS = 200;

export class Store {
  readonly executions = new Map<string, ExecutionView>();
  /** Newest first. */
  readonly events: PageEvent[] = [];
  readonly #seen = new Set<string>();

  apply(event: PageEvent): void {
    if (this.#seen.has(event.event_id)) return;
    this.#seen.add(event.event_id);
    this.events.unshift(event);
    const dropped = this.events.length > MOST_EVENTS ? this.events.pop() : undefined;
    if (dropped !== undefined) this.#seen.delete(dropped.event_id);
    this.#place(event);
  }

  restore(snapshot: PageSnapshot): void {
    for (const event of Object.values(snapshot.nodes)) this.#place(event);
    if (snapshot.latest !== undefined) this.#place(snapshot.latest);
  }

  list(summaries: readonly ExecutionSummary[]): void {
    for (const each of summaries) {
      const view = this.#view(each.execution_id, each.started_at);
      view.workflow_id = each.workflow_id;
      view.mode = each.mode;
      if (!ENDED.has(view.state)) view.state = each.state;
    }
  }

  /** What the execution says of itself; events newer than the question win. */
  detail(detail: ExecutionDetail): void {
    this.list([detail]);
    const view = this.#view(detail.execution_id, detail.started_at);
    for (const [id, status] of Object.entries(detail.status?.nodes ?? {})) {
      if (status.state !== 'pending' && !view.nodes.has(id)) view.nodes.set(id, fromStatus(status));
    }
  }

  #place(event: PageEvent): void {
    if (event.execution_id === undefined) return;
    const view = this.#view(event.execution_id, event.timestamp);
    view.workflow_id = event.workflow_id ?? view.workflow_id;
    view.mode = event.mode ?? view.mode;
    if (event.timestamp > view.at) view.at = event.timestamp;
    const nodeState = NODE_STATES[event.type];
    if (nodeState === undefined) view.state = stateAfter(event, view.state);
    else if (event.node_id !== undefined) this.#placeNode(view, event.node_id, { ...event, state: nodeState });
  }

  #placeNode(view: ExecutionView, id: string, node: NodeView): void {
    const standing = view.nodes.get(id);
    const absorbs = standing !== undefined && TERMINAL_NODES.has(standing.state);
    if (absorbs && (node.generation ?? 0) <= (standing.generation ?? 0)) return;
    view.nodes.set(id, node);
  }

  #view(id: string, at: string): ExecutionView {
    const known = this.executions.get(id);
    if (known !== undefined) return known;
    const view = {
      execution_id: id,
      workflow_id: '',
      mode: 'paper',
      state: 'running',
      at,
      nodes: new Map<string, NodeView>(),
    };
    this.executions.set(id, view);
    if (this.executions.size > MOST_EXECUTIONS) this.#forgetOldest(id);
    return view;
  }

  /** The oldest that has ended; what is open, halted above all, stays in sight. */
  #forgetOldest(kept: string): void {
    for (const [id, { state }] of this.executions) {
      if (id === kept || !ENDED.has(state)) continue;
      this.executions.delete(id);
      return;
    }
  }
}

function fromStatus({ state, attempt, outputs, error, reason, duration_ms }: NodeStatus): NodeView {
  return { state, attempt, outputs, error, reason, duration_ms };
}

function stateAfter(event: PageEvent, state: string): string {
  if (ENDED.has(state)) return state;
  if (event.type === 'execution_halted') return 'halted';
  if (event.type === 'execution_started' || event.type === 'execution_resumed') return 'running';
  return event.status ?? state;
}
