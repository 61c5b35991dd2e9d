/**
 * What the events and snapshots of one execution come to. Events are applied in the order of their stream, so the later one stands, with
 * two exceptions: what ended in a generation is not undone by what came before it and was told late, and `node_failed` stands over
 * `node_completed`, because only the workflow can refuse what a worker called done.
 */
import type { Snapshot } from '../event-log/event-reader';
import type { EventEnvelope } from '../events/envelope';
import { isNodeEnd, nodeStateAfter, type NodeState } from './node-states';
import { ToldNodes } from './told-nodes';

export interface NodeView {
  readonly node_id: string;
  /** The loop's iterations it stands in, such as `each[3]`; absent at the top. */
  readonly frame?: string;
  readonly state: NodeState;
  /** The event that says so, with attempt, outputs, error or reason. */
  readonly event: EventEnvelope;
}

export type ExecutionState = 'running' | 'halted' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed_out';

/** A value: what changes is a new one. */
export interface ExecutionView {
  readonly execution_id: string;
  readonly workflow_id?: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
  readonly mode: EventEnvelope['mode'];
  readonly state: ExecutionState;
  readonly has_ended: boolean;
  /** Of its graph, guards of `when` counted; absent before its start is known. */
  readonly node_count?: number;
  /** By `frame/node`, or the node alone at the top. */
  readonly nodes: Readonly<Record<string, NodeView>>;
  /** ISO 8601, of the newest event. */
  readonly last_event_at: string;
}

type Facts = Omit<ExecutionView, 'nodes'>;

/** What a view is made of. To read its `nodes` makes their record, so what comes after it is not made from them. */
interface Parts {
  readonly facts: Facts;
  readonly nodes: ToldNodes;
}

const PARTS = Symbol('parts');

/** Of an event that belongs to no execution, or to another than `view`: what was given. */
export function withEvent(view: ExecutionView | undefined, event: EventEnvelope): ExecutionView | undefined {
  const { execution_id } = event;
  if (execution_id === undefined || event.stream !== execution_id) return view;
  const { facts, nodes } = view === undefined ? blank(event, execution_id) : partsOf(view);
  const last_event_at = event.timestamp > facts.last_event_at ? event.timestamp : facts.last_event_at;
  const state = nodeStateAfter(event.type);
  if (state === undefined) return viewOf({ facts: { ...facts, ...stateAfter(facts, event), last_event_at }, nodes });
  return viewOf({ facts: { ...facts, last_event_at }, nodes: withNode(nodes, event, state) });
}

/** One of its nodes, without a record of all. */
export function nodeIn(view: ExecutionView, key: string): NodeView | undefined {
  return partsOf(view).nodes.get(key);
}

function viewOf(parts: Parts): ExecutionView {
  const view: ExecutionView = {
    ...parts.facts,
    get nodes() {
      return parts.nodes.record;
    },
  };
  return Object.defineProperty(view, PARTS, { value: parts });
}

/** A view may have been copied, and a copy has none. */
function partsOf(view: ExecutionView & { readonly [PARTS]?: Parts }): Parts {
  const known = view[PARTS];
  if (known !== undefined) return known;
  const { nodes, ...facts } = view;
  return { facts, nodes: ToldNodes.of(nodes) };
}

/** The snapshot stands for all events up to its position; of what it holds no event of, nothing is known. */
export function fromSnapshot({ stream, latest, nodes, node_count }: Snapshot): ExecutionView | undefined {
  let view: ExecutionView | undefined;
  for (const event of Object.values(nodes)) view = withEvent(view, event);
  if (latest !== undefined) view = withEvent(view, latest);
  if (view === undefined || view.execution_id !== stream || node_count === undefined) return view;
  const { facts, nodes: told } = partsOf(view);
  return viewOf({ facts: { ...facts, node_count }, nodes: told });
}

function blank(event: EventEnvelope, execution_id: string): Parts {
  const { workflow_id, bot_id, strategy_id, mode, timestamp } = event;
  const facts: Facts = {
    execution_id,
    ...(workflow_id === undefined ? {} : { workflow_id }),
    ...(bot_id === undefined ? {} : { bot_id }),
    ...(strategy_id === undefined ? {} : { strategy_id }),
    ...{ mode, state: 'running', has_ended: false, last_event_at: timestamp },
  };
  return { facts, nodes: ToldNodes.of({}) };
}

function stateAfter(
  { state, has_ended }: Facts,
  event: EventEnvelope,
): Partial<Pick<Facts, 'state' | 'has_ended' | 'node_count'>> {
  switch (event.type) {
    case 'execution_started':
      return { node_count: event.node_count };
    case 'execution_halted':
      return { state: has_ended ? state : 'halted' };
    case 'execution_resumed':
      return { state: has_ended ? state : 'running' };
    case 'execution_completed':
    case 'execution_failed':
    case 'execution_cancelled':
      return { state: event.status, has_ended: true };
    default:
      return {};
  }
}

function withNode(nodes: ToldNodes, event: EventEnvelope, state: NodeState): ToldNodes {
  const { node_id, frame, generation = 0 } = event;
  if (node_id === undefined) return nodes;
  const key = frame === undefined ? node_id : `${frame}/${node_id}`;
  const standing = nodes.get(key);
  if (standing !== undefined && !mayReplace(standing, generation, state)) return nodes;
  return nodes.with(key, { node_id, ...(frame === undefined ? {} : { frame }), state, event });
}

function mayReplace(standing: NodeView, generation: number, state: NodeState): boolean {
  const known = standing.event.generation ?? 0;
  if (generation !== known) return generation > known;
  return !isNodeEnd(standing.state) || (standing.state === 'completed' && state === 'failed');
}
