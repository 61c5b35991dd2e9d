/**
 * Builds events. Ids are pure functions of what happened, so the same fact told twice (by a retried task, by worker and
 * workflow both) collides, and a second real one does not.
 */
import {
  ENVELOPE_VERSION,
  type CircuitStateChanged,
  type MetricsTold,
  type OpenOrdersCancelled,
  type PositionsFlattened,
  type OrderChanged,
  type Correlation,
  type EmergencyStateChanged,
  type RiskLimit,
  type ExecutionFact,
  type Mode,
  type NodeFact,
  type NodeTurn,
  type UnnumberedEvent,
} from './envelope';
import { present } from '../json';
import { traceIdOf } from './traceparent';

/**
 * Where an event stands among those of its key; the higher one wins in a snapshot. For a node event: generation, dispatch,
 * attempt, rank. For an execution's or the desk's: its ordinal or epoch, and zeros.
 */
export type Precedence = readonly [generation: number, dispatch: number, attempt: number, rank: number];

/** An event with what the log needs beside it. `key`: frame and node of a node event, the scope of a desk's unless that is global. Without precedence it stands in no snapshot: hints, and changes of a worker's breakers. */
export interface Publication {
  readonly event: UnnumberedEvent;
  readonly key?: string;
  readonly precedence?: Precedence;
  /** Told in the place of who should have, and perhaps late: the log takes it only where it stands above what it has. */
  readonly repairs?: true;
}

/** What every event of one execution carries. */
export interface ExecutionContext extends Correlation {
  readonly execution_id: string;
  readonly mode: Mode;
  /** Of the start, where it was made in a trace. */
  readonly traceparent?: string;
}

/** In the order one attempt goes through them: what a node waits for follows its start, and a snapshot must show it. */
const rankOf: Readonly<Record<NodeFact['type'], number>> = {
  node_started: 1,
  node_retrying: 2,
  node_waiting: 3,
  approval_requested: 4,
  approval_given: 5,
  node_skipped: 6,
  node_completed: 6,
  // Of two ends of one attempt the failure holds: only the workflow can refuse what a worker called done.
  node_failed: 7,
};

export function nodeKey(frame: string, nodeId: string): string {
  return frame === '' ? nodeId : `${frame}/${nodeId}`;
}

export function nodeEvent(context: ExecutionContext, turn: NodeTurn, fact: NodeFact, at: number): Publication {
  const { node_id, node_type, frame, generation, dispatch, attempt } = turn;
  const key = nodeKey(frame, node_id);
  const id = [context.execution_id, key, generation, dispatch, attempt, fact.type].join('|');
  const place = {
    node_id,
    node_type,
    ...present({ frame: frame === '' ? undefined : frame, attempt: attempt === 0 ? undefined : attempt }),
    generation,
  };
  return {
    event: { ...envelope(context, context.execution_id, id, at), ...place, ...fact },
    key,
    precedence: [generation, dispatch, attempt, rankOf[fact.type]],
  };
}

/**
 * `ordinal` counts the execution's state changes: 0 is its start; each halt and each resume takes the next; `end` is its
 * one terminal fact and `ending` the hint before it.
 */
export function executionEvent(
  context: ExecutionContext,
  ordinal: number | 'end' | 'ending',
  fact: ExecutionFact,
  at: number,
): Publication {
  const id = `${context.execution_id}|${ordinal}`;
  const event = { ...envelope(context, context.execution_id, id, at), ...fact };
  if (ordinal === 'ending') return { event };
  return { event, precedence: [ordinal === 'end' ? Number.MAX_SAFE_INTEGER : ordinal, 0, 0, 0] };
}

/** What tells one change of a breaker from every other: the worker process and how often its breaker had changed. */
export interface CircuitOrigin {
  readonly worker_id: string;
  readonly ordinal: number;
}

/** `place`: the node whose call brought the change. */
export function circuitEvent(
  place: ExecutionContext & Pick<NodeTurn, 'node_id' | 'node_type' | 'frame'>,
  fact: CircuitStateChanged,
  { worker_id, ordinal }: CircuitOrigin,
  at: number,
): Publication {
  const { execution_id, node_id, node_type, frame } = place;
  const id = [execution_id, 'circuit', worker_id, fact.resource, ordinal].join('|');
  const node = { node_id, node_type, ...present({ frame: frame === '' ? undefined : frame }) };
  return { event: { ...envelope(place, execution_id, id, at), ...node, ...fact } };
}

/** The seal follows the change it belongs to, under the same epoch. */
export function emergencyEvent(deskId: string, mode: Mode, fact: EmergencyStateChanged, at: number): Publication {
  const stream = `desk/${deskId}`;
  const id = [stream, fact.desk_epoch, ...(fact.sealed ? ['sealed'] : [])].join('|');
  const event = { ...envelope({ mode }, stream, id, at), ...fact };
  const key = fact.scope === 'global' ? {} : { key: fact.scope };
  return { event, ...key, precedence: [fact.desk_epoch, 0, 0, fact.sealed ? 1 : 0] };
}

/** `name`: of the workflow that cancelled them, unique at its desk. */
export function cancelsEvent(deskId: string, fact: OpenOrdersCancelled, name: string, at: number): Publication {
  const stream = `desk/${deskId}`;
  return { event: { ...envelope({ mode: 'paper' }, stream, `${stream}|cancels|${name}`, at), ...fact } };
}

/** Its epoch is its own at its desk. */
export function flattenEvent(deskId: string, fact: PositionsFlattened, at: number): Publication {
  const stream = `desk/${deskId}`;
  return { event: { ...envelope({ mode: 'paper' }, stream, `${stream}|flatten|${fact.desk_epoch}`, at), ...fact } };
}

export function riskEvent(deskId: string, mode: Mode, fact: RiskLimit, at: number): Publication {
  const stream = `desk/${deskId}`;
  const { type, scope, limit, used, desk_epoch } = fact;
  const event = {
    ...envelope({ mode }, stream, [stream, type, scope, limit, used, desk_epoch].join('|'), at),
    ...fact,
  };
  return { event };
}

/** `phase` tells the events of one order apart; with `order_id` or `permit_id` it is the whole identity. */
export function orderEvent(
  deskId: string,
  context: Partial<ExecutionContext>,
  { phase, ...fact }: OrderChanged & { readonly phase: string },
  at: number,
): Publication {
  const { mode = 'paper', execution_id } = context;
  const { permit_id, order_id } = fact.order;
  const desk = `desk/${deskId}`;
  const id = [desk, 'order', permit_id ?? order_id, phase].join('|');
  return { event: { ...envelope({ ...context, mode }, execution_id ?? desk, id, at), ...fact } };
}

/** Told when figures changed, at most once a second; in a stream of its own, so that it drives no halt out of the desk's. */
export function metricsEvent(deskId: string, owner: Correlation, fact: MetricsTold, at: number): Publication {
  const stream = `metrics/${deskId}`;
  const { bot_id, strategy_id } = owner;
  const id = [stream, fact.type, bot_id ?? strategy_id, Math.floor(at / 1_000)].join('|');
  return { event: { ...envelope({ ...owner, mode: 'paper' }, stream, id, at), ...fact } };
}

type Told = Correlation & Pick<ExecutionContext, 'mode' | 'traceparent'>;

function envelope(context: Told, stream: string, eventId: string, at: number) {
  const { execution_id, workflow_id, graph_version, bot_id, strategy_id, mode, traceparent } = context;
  return {
    v: ENVELOPE_VERSION,
    event_id: eventId,
    stream,
    timestamp: new Date(at).toISOString(),
    mode,
    ...present({ execution_id, workflow_id, graph_version, bot_id, strategy_id, trace_id: traceIdOf(traceparent) }),
  } as const;
}
