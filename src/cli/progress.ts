/** Prints what happens in one execution, from events where they flow and from snapshots where they do not. */
import type { EventEnvelope, EventType } from '../events/envelope';
import { terminalExecutionTypes } from '../events/envelope';
import { present } from '../json';
import type { ExecutionStatus, NodeState, NodeStatus } from '../workflows/messages';
import type { Tone, Ui } from './io';
import { brief, span } from './table';

/** What of an event is shown; a snapshot is told in the same words. */
interface Happening {
  readonly type: EventType;
  readonly timestamp: string;
  readonly node_id?: string;
  readonly node_type?: string;
  readonly generation?: number;
  readonly frame?: string;
  readonly attempt?: number;
  readonly duration_ms?: number;
  readonly outputs?: unknown;
  readonly error?: string;
  readonly error_type?: string;
  readonly reason?: string;
  readonly next_attempt_ms?: number;
  readonly node_count?: number;
  readonly resource?: string;
  readonly previous_state?: string;
  readonly new_state?: string;
}

export interface Progress {
  readonly event: (event: EventEnvelope) => void;
  /** Prints what the events have not told. */
  readonly snapshot: (status: ExecutionStatus) => void;
  /** Whether the terminal event was seen. */
  readonly ended: () => boolean;
}

const typeOf: Readonly<Record<Exclude<NodeState, 'pending'>, EventType>> = {
  running: 'node_started',
  waiting: 'node_waiting',
  completed: 'node_completed',
  failed: 'node_failed',
  skipped: 'node_skipped',
};

export function progressOf(ui: Ui): Progress {
  const seen = new Set<string>();
  /** The last type told, by node; the execution's own under the empty key. */
  const told = new Map<string, string>();
  let ended = false;
  const remember = (happening: Happening) => {
    if (happening.type.startsWith('node_')) told.set(happening.node_id ?? '', mark(happening));
    if (happening.type === 'execution_halted' || happening.type === 'execution_resumed') told.set('', happening.type);
  };
  return {
    event: (event) => {
      ended ||= terminalExecutionTypes.has(event.type);
      if (seen.has(event.event_id) || event.type === 'execution_ending') return;
      seen.add(event.event_id);
      remember(event);
      if (ui.json) ui.data(event);
      else show(event, ui);
    },
    snapshot: (status) => {
      for (const happening of happeningsOf(status, told)) {
        if (told.get(happening.node_id ?? '') === mark(happening)) continue;
        remember(happening);
        if (ui.json) ui.data({ ...happening, execution_id: status.execution_id, source: 'status' });
        else show(happening, ui);
      }
    },
    ended: () => ended,
  };
}

function mark({ type, generation, node_id }: Happening): string {
  return node_id === undefined ? type : `${type} ${generation ?? 0}`;
}

function happeningsOf(status: ExecutionStatus, told: Map<string, string>): Happening[] {
  const timestamp = new Date().toISOString();
  const found: Happening[] = [];
  for (const [id, node] of Object.entries(status.nodes)) {
    // A node that a halt sent back will start again, and that is news.
    if (node.state === 'pending') told.delete(id);
    else found.push(nodeHappening(id, node, typeOf[node.state], timestamp));
  }
  const reason = status.halts.map((halt) => halt.reason).join('; ');
  if (status.state === 'halted') found.push({ type: 'execution_halted', timestamp, reason });
  else if (told.get('') === 'execution_halted') found.push({ type: 'execution_resumed', timestamp });
  return found;
}

function nodeHappening(id: string, node: NodeStatus, type: EventType, timestamp: string): Happening {
  const { type: node_type, generation, attempt, duration_ms, outputs, error, error_type, reason } = node;
  const what = present({ attempt, duration_ms, outputs, error, error_type, reason });
  return { type, timestamp, node_id: id, node_type, generation, ...what };
}

const WIDTH = { type: 18, node: 16 } as const;

function show(happening: Happening, ui: Ui): void {
  if (terminalExecutionTypes.has(happening.type)) return;
  const place = happening.frame === undefined ? happening.node_id : `${happening.frame}/${happening.node_id ?? ''}`;
  const columns = [
    ui.paint('quiet', happening.timestamp.slice(11, 23)),
    ui.paint(toneOf(happening), happening.type.padEnd(WIDTH.type)),
    (place ?? '').padEnd(WIDTH.node),
    detailOf(happening),
  ];
  ui.line(columns.join('  ').trimEnd());
}

function toneOf({ type, new_state }: Happening): Tone {
  if (type === 'circuit_state_changed') return new_state === 'closed' ? 'good' : 'busy';
  if (type === 'node_completed' || type === 'execution_resumed') return 'good';
  if (type === 'node_failed') return 'bad';
  return type === 'node_retrying' || type === 'execution_halted' ? 'busy' : 'quiet';
}

function detailOf(happening: Happening): string {
  switch (happening.type) {
    case 'node_completed':
      return `${milliseconds(happening)}  ${brief(happening.outputs)}`;
    case 'node_failed':
      return failureOf(happening);
    case 'node_retrying':
      return retryOf(happening);
    case 'node_started':
      return happening.node_type ?? '';
    case 'circuit_state_changed':
      return circuitOf(happening);
    case 'execution_started':
      return `${happening.node_count ?? 0} nodes`;
    default:
      return happening.reason ?? '';
  }
}

function milliseconds({ duration_ms = 0 }: Happening): string {
  return `${Math.round(duration_ms)} ms`;
}

function failureOf({ error_type = 'error', error = '' }: Happening): string {
  return `${error_type}: ${error}`;
}

function retryOf({ next_attempt_ms = 0, ...failure }: Happening): string {
  return `${failureOf(failure)}; again in ${span(next_attempt_ms)}`;
}

function circuitOf({ resource = '', previous_state = '', new_state = '' }: Happening): string {
  return `${resource}: ${previous_state} → ${new_state}`;
}
