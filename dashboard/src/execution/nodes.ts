/** How each node of an execution stands, from the feed and, where it knows nothing of a node, from the execution's own word. Pure. */
import { stateOf } from './trace';
import type { NodeStatus, TraceEvent, WaitStatus } from '../wire';

export interface NodeShown {
  readonly key: string;
  readonly node_id: string;
  readonly frame?: string;
  readonly state: string;
  readonly attempt?: number;
  readonly generation?: number;
  readonly outputs?: unknown;
  readonly truncated?: true;
  readonly error?: string;
  readonly error_type?: string;
  readonly reason?: string;
  readonly duration_ms?: number;
  readonly next_attempt_ms?: number;
  /** Milliseconds since 1970, of what was last told. */
  readonly at?: number;
  readonly deadline?: string;
  readonly approvers?: readonly string[];
  readonly waits_for?: WaitStatus;
  /** What it was made from: the same again means that nothing has changed. */
  readonly source: object;
}

export type Nodes = Readonly<Record<string, NodeShown>>;

/** A node of the feed: the event says how it stands. */
export interface ToldNode {
  readonly event: TraceEvent;
}

/** Nodes that did not change keep their object, so that what is drawn of them is not drawn again. */
export function nodesShown(
  told: Readonly<Record<string, ToldNode>>,
  status: Readonly<Record<string, NodeStatus>>,
  known: Nodes,
): Nodes {
  // A node may be called `constructor`.
  const nodes = Object.create(null) as Record<string, NodeShown>;
  for (const [key, each] of Object.entries(status)) {
    if (each.state === 'pending' || Object.hasOwn(told, key)) continue;
    nodes[key] = known[key]?.source === each ? known[key] : fromStatus(key, each);
  }
  for (const [key, { event }] of Object.entries(told)) {
    nodes[key] = nodeShown({ key, event, status: status[key], known: known[key] });
  }
  return nodes;
}

interface Told {
  readonly key: string;
  readonly event: TraceEvent;
  readonly status: NodeStatus | undefined;
  readonly known: NodeShown | undefined;
}

/** One that the feed tells of. */
export function nodeShown({ key, event, status, known }: Told): NodeShown {
  return withWait(known?.source === event ? known : fromEvent(key, event), status?.waits_for);
}

/** As it stood when these events were the last. */
export function nodesOf(events: Readonly<Record<string, TraceEvent>>): Nodes {
  return Object.fromEntries(Object.entries(events).map(([key, event]) => [key, fromEvent(key, event)]));
}

function withWait(node: NodeShown, wait: WaitStatus | undefined): NodeShown {
  const waits = node.state === 'waiting' || node.state === 'awaiting approval';
  return waits && wait !== undefined && node.waits_for !== wait ? { ...node, waits_for: wait } : node;
}

function fromEvent(key: string, event: TraceEvent): NodeShown {
  const { node_id = key, frame, attempt, generation, outputs, truncated, error, error_type } = event;
  const { reason, duration_ms, next_attempt_ms, deadline, approvers } = event;
  return {
    ...{ key, node_id, state: stateOf(event), at: Date.parse(event.timestamp), source: event },
    ...present({ frame: frame === '' ? undefined : frame, attempt, generation, outputs, truncated, error, error_type }),
    ...present({ reason, duration_ms, next_attempt_ms, deadline, approvers }),
  };
}

function fromStatus(key: string, status: NodeStatus): NodeShown {
  const { frame, attempt, generation, outputs, error, error_type, reason, duration_ms, waits_for } = status;
  const node_id = frame === undefined ? key : key.slice(key.lastIndexOf('/') + 1);
  const state = waits_for?.kind === 'approval' ? 'awaiting approval' : status.state;
  return {
    ...{ key, node_id, state, source: status },
    ...present({ frame, attempt, generation, outputs, error, error_type, reason, duration_ms, waits_for }),
  };
}

/** Without those that are undefined. */
function present<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const found: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  // A loop: it is gone through for every event.
  for (const name in members) {
    const value = members[name];
    if (value !== undefined) found[name] = value as Exclude<T[typeof name], undefined>;
  }
  return found;
}

/** The nodes that wait for somebody's decision. */
export function awaiting(nodes: Nodes): readonly NodeShown[] {
  const found: NodeShown[] = [];
  for (const key in nodes) if (nodes[key]?.state === 'awaiting approval') found.push(nodes[key]);
  return found;
}
