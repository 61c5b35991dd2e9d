/** Tells what happens to nodes, under ids a worker's own word for the same fact shares. */
import type { ExecutionContext } from '../events/build';
import { cutOutputs } from '../events/cut-outputs';
import type { ExecutionFact, NodeFact } from '../events/envelope';
import type { GraphRun } from '../graph/graph-run';
import { present } from '../json';
import { tellExecution, tellNode } from './event-sink';
import type { Wait } from './messages';
import type { Turn, Turns } from './turns';

export class Teller {
  readonly #context: ExecutionContext;
  readonly #graph: GraphRun;
  readonly #turns: Turns;

  constructor(context: ExecutionContext, graph: GraphRun, turns: Turns) {
    this.#context = context;
    this.#graph = graph;
    this.#turns = turns;
  }

  execution(ordinal: number | 'ending', fact: ExecutionFact): void {
    tellExecution(this.#context, ordinal, fact);
  }

  started(id: number): void {
    this.#node(id, { type: 'node_started' });
  }

  waits(id: number, reason: string): void {
    this.#node(id, { type: 'node_waiting', reason });
  }

  /** Held back before it was handed out: told for the dispatch to come. */
  deferred(id: number, reason: string): void {
    const turn = this.#turns.of(id);
    this.#node(id, { type: 'node_waiting', reason }, { ...turn, dispatch: turn.dispatch + 1, attempt: 0 });
  }

  approvalRequested(id: number, { until, approvers }: Extract<Wait, { kind: 'approval' }>): void {
    const deadline = until === undefined ? undefined : new Date(until).toISOString();
    this.#node(id, { type: 'approval_requested', ...present({ deadline, approvers }) });
  }

  approvalGiven(id: number, actor: string, decision: 'approved' | 'rejected'): void {
    this.#node(id, { type: 'approval_given', actor, decision });
  }

  skipped(id: number): void {
    const node = this.#graph.state(id);
    if (node.state !== 'skipped') return;
    const turn = { ...this.#turns.next(id), attempt: 0, ended_at: Date.now() };
    this.#turns.set(id, turn);
    this.#node(id, { type: 'node_skipped', reason: node.reason });
  }

  /**
   * Workers tell how activities end; what has none, and what no worker lived to tell, is told from here: every failure, and
   * completions no worker saw, of which `outputs` is what the node gave.
   */
  ended(id: number, outputs?: Readonly<Record<string, unknown>>): void {
    const node = this.#graph.state(id);
    const duration_ms = this.#turns.of(id).duration_ms ?? 0;
    if (node.state === 'failed') {
      this.#node(id, { type: 'node_failed', error: node.error, error_type: node.error_type, duration_ms });
    } else if (node.state === 'completed' && outputs !== undefined) {
      this.#node(id, { type: 'node_completed', status: 'success', duration_ms, ...cutOutputs(outputs) });
    }
  }

  #node(id: number, fact: NodeFact, turn: Turn = this.#turns.of(id)): void {
    const { id: node_id, type: node_type } = this.#graph.node(id);
    const { dispatch, attempt = 1 } = turn;
    const frame = this.#graph.frame(id).path;
    const generation = this.#graph.generation(id);
    tellNode(this.#context, { node_id, node_type, frame, generation, dispatch, attempt }, fact);
  }
}
