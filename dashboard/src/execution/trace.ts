/** What the events of one execution come to over time: the spans of its nodes, what waited for what, and how it stood at a moment. Pure. */
import { isNodeEnd, nodeStateAfter } from 'holdfast/client';
import type { Edge } from '../graph/edges';
import type { TraceEvent } from '../wire';

export interface Span {
  /** `price`, or inside loops `each[3]/price`. */
  readonly key: string;
  readonly node_id: string;
  readonly generation: number;
  readonly attempts: readonly Attempt[];
  /** Milliseconds since 1970. */
  readonly from: number;
  /** Absent while it runs. */
  readonly to?: number;
  readonly state: string;
}

export interface Attempt {
  readonly attempt: number;
  readonly from: number;
  readonly to?: number;
  /** Of one that failed. */
  readonly error?: string;
}

export function keyOf({ node_id = '', frame }: Pick<TraceEvent, 'node_id' | 'frame'>): string {
  return frame === undefined || frame === '' ? node_id : `${frame}/${node_id}`;
}

/** Both are in the order of their log, and so is what comes out, each event once. A log that began anew comes after the one before it. */
export function merged(known: readonly TraceEvent[], more: readonly TraceEvent[]): readonly TraceEvent[] {
  const last = known.at(-1);
  const next = more[0];
  if (next === undefined) return known;
  if (last === undefined || (next.log_epoch === last.log_epoch && next.seq > last.seq)) return [...known, ...more];
  const all = new Map([...known, ...more].map((event) => [`${event.log_epoch}:${event.seq}`, event]));
  const epochs = [...new Set([...all.values()].map(({ log_epoch }) => log_epoch))];
  return [...all.values()].toSorted(
    (a, b) => epochs.indexOf(a.log_epoch) - epochs.indexOf(b.log_epoch) || a.seq - b.seq,
  );
}

const MOST_SPANS = 20_000;

/**
 * Spans of events that come bit by bit, in the order of their log: what was taken is not looked at again. A node that was begun anew after a
 * halt or by hand has one span per generation. Of more than it keeps those that began first are let go, so that it does not grow without an end.
 */
export class SpanLog {
  readonly #spans = new Map<string, Span>();
  readonly #most: number;

  constructor(most = MOST_SPANS) {
    this.#most = most;
  }

  /** All spans with what these events make of them, in the order in which they began. */
  take(events: readonly TraceEvent[]): readonly Span[] {
    for (const event of events) this.#takeOne(event);
    for (const id of this.#spans.keys()) {
      if (this.#spans.size <= this.#most) break;
      this.#spans.delete(id);
    }
    return [...this.#spans.values()].toSorted((a, b) => a.from - b.from);
  }

  #takeOne(event: TraceEvent): void {
    const state = nodeStateAfter(event.type);
    if (state === undefined || event.node_id === undefined) return;
    const key = keyOf(event);
    const generation = event.generation ?? 0;
    const id = `${generation} ${key}`;
    const at = Date.parse(event.timestamp);
    const span = this.#spans.get(id) ?? { key, node_id: event.node_id, generation, attempts: [], from: at, state };
    this.#spans.set(id, { ...withAttempt(span, event, at), state, ...(isNodeEnd(state) ? { to: at } : {}) });
  }
}

function withAttempt(span: Span, event: TraceEvent, at: number): Span {
  const { attempts } = span;
  const running = attempts.at(-1);
  if (event.type === 'node_started') {
    return { ...span, attempts: [...attempts, { attempt: event.attempt ?? attempts.length + 1, from: at }] };
  }
  if (running === undefined || running.to !== undefined) return span;
  const ended = { ...running, to: at, ...(event.error === undefined ? {} : { error: event.error }) };
  return { ...span, attempts: [...attempts.slice(0, -1), ended] };
}

/** Milliseconds a span spent in attempts, and in all. */
export function timeOf(span: Span, now: number): { readonly running: number; readonly all: number } {
  const running = span.attempts.reduce((sum, { from, to = now }) => sum + Math.max(0, to - from), 0);
  return { running, all: Math.max(0, (span.to ?? now) - span.from) };
}

/**
 * The chain of nodes that made the execution as long as it was: from the one that ended last back to that of its predecessors that ended
 * last, and so on. Keys of the top alone, where the graph's edges are.
 */
export function criticalPath(spans: readonly Span[], edges: readonly Edge[]): ReadonlySet<string> {
  const ended = new Map<string, number>();
  for (const { key, to, state } of spans) if (to !== undefined && state !== 'skipped') ended.set(key, to);
  const before = new Map<string, string[]>();
  for (const { from, to } of edges) {
    const known = before.get(to);
    if (known === undefined) before.set(to, [from]);
    else known.push(from);
  }
  const path = new Set<string>();
  let here = latest(
    [...ended.keys()].filter((key) => !key.includes('/')),
    ended,
  );
  while (here !== undefined && !path.has(here)) {
    path.add(here);
    here = latest(before.get(here) ?? [], ended);
  }
  return path;
}

function latest(keys: readonly string[], ended: ReadonlyMap<string, number>): string | undefined {
  return keys.filter((key) => ended.has(key)).toSorted((a, b) => (ended.get(b) ?? 0) - (ended.get(a) ?? 0))[0];
}

/** By key, the event that said last how the node stands; `until` in milliseconds since 1970. */
export function statesAt(events: Iterable<TraceEvent>, until: number): Readonly<Record<string, TraceEvent>> {
  const found: Record<string, TraceEvent> = {};
  for (const event of events) {
    if (nodeStateAfter(event.type) === undefined || event.node_id === undefined) continue;
    if (Date.parse(event.timestamp) > until) continue;
    const known = found[keyOf(event)];
    const isOlder = (event.generation ?? 0) < (known?.generation ?? 0);
    if (!isOlder) found[keyOf(event)] = event;
  }
  return found;
}

export function stateOf(event: TraceEvent): string {
  return nodeStateAfter(event.type) ?? 'pending';
}

/** What an event says beside its type and node, in a few words. */
export function noteOf(event: TraceEvent): string {
  const { error, error_type, new_state, reason, duration_ms, attempt = 1, type } = event;
  if (error !== undefined) return error_type === undefined ? error : `${error_type}: ${error}`;
  if (new_state !== undefined) return `→ ${new_state}${reason === undefined ? '' : `: ${reason}`}`;
  if (reason !== undefined) return reason;
  if (duration_ms !== undefined) return `${duration_ms} ms`;
  return type === 'node_started' && attempt > 1 ? `attempt ${attempt}` : '';
}
