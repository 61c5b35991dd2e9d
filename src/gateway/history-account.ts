/**
 * How an execution stands as far as Temporal's history says, for when no worker answers. Pure. Of each node its last turn stands.
 *
 * - What runs inside the workflow (conditions, waits, loops) and what was skipped leaves nothing in a history, and is not told.
 * - Nor is what nobody knows yet: a node that was handed out and not begun, or was taken back to be handed out again.
 * - Outputs are told as cut: a timeline holds none.
 */
import { executionEvent, nodeEvent, type ExecutionContext, type Publication } from '../events/build';
import type { NodeFact } from '../events/envelope';
import type { ExecutionDescription } from '../temporal-client/holdfast-client';
import type { TimelineEntry } from '../temporal-client/timeline';
import type { TimelineMark } from '../temporal-client/timeline-marks';
import type { RunTimeline } from '../temporal-client/timelines';

/** `runs`: the latest first. */
export function historyEvents(
  context: ExecutionContext,
  { state, started_at }: Pick<ExecutionDescription, 'state' | 'started_at'>,
  runs: readonly Pick<RunTimeline, 'entries' | 'marks'>[],
): Publication[] {
  const oldestFirst = runs.toReversed();
  const last = new Map<string, TimelineEntry>();
  for (const entry of oldestFirst.flatMap(({ entries }) => entries)) {
    const standing = last.get(entry.node);
    if (standing === undefined || !isBefore(entry, standing)) last.set(entry.node, entry);
  }
  const halt =
    state === 'halted'
      ? [
          haltEvent(
            context,
            started_at,
            oldestFirst.flatMap(({ marks }) => marks),
          ),
        ]
      : [];
  return [...halt, ...[...last.values()].flatMap((entry) => turnEvent(context, entry))];
}

function isBefore(a: TimelineEntry, b: TimelineEntry): boolean {
  return a.generation === b.generation ? dispatchOf(a) < dispatchOf(b) : a.generation < b.generation;
}

function dispatchOf({ dispatch = 0 }: TimelineEntry): number {
  return dispatch;
}

/** The last halt it was told of. Of one from before the runs that are read, only that it holds is known. */
function haltEvent(context: ExecutionContext, startedAt: string, marks: readonly TimelineMark[]): Publication {
  const halts = marks.filter(({ type, state = '' }) => type === 'halt' || (type === 'emergency' && HALTS.has(state)));
  const { reason = 'unspecified', scope = 'execution', at = startedAt } = halts.at(-1) ?? {};
  const fact = { type: 'execution_halted', reason, scope } as const;
  return executionEvent(context, Math.max(1, halts.length), fact, Date.parse(at));
}

const HALTS: ReadonlySet<string> = new Set(['halt', 'shutdown']);

function turnEvent(context: ExecutionContext, entry: TimelineEntry): Publication[] {
  const { node, node_type, generation, attempt = 1 } = entry;
  const told = factOf(entry);
  if (told?.at === undefined) return [];
  const slash = node.lastIndexOf('/');
  const place = { node_id: node.slice(slash + 1), frame: node.slice(0, Math.max(0, slash)), node_type, generation };
  const turn = { ...place, dispatch: dispatchOf(entry), attempt };
  return [nodeEvent(context, turn, told.fact, Date.parse(told.at))];
}

interface ToldFact {
  readonly fact: NodeFact;
  readonly at: string | undefined;
}

function factOf(entry: TimelineEntry): ToldFact | undefined {
  const { state, scheduled_at, started_at, ended_at: at } = entry;
  switch (state) {
    case 'running':
    case 'retrying':
      return { fact: { type: 'node_started' }, at: started_at ?? scheduled_at };
    case 'abandoned':
      return { fact: { type: 'node_started' }, at: started_at };
    case 'completed':
      return { fact: { type: 'node_completed', status: 'success', duration_ms: durationOf(entry), ...NO_OUTPUTS }, at };
    case 'failed':
    case 'timed_out':
      return { fact: { type: 'node_failed', ...failureOf(entry), duration_ms: durationOf(entry) }, at };
    case 'deferred':
      return isKeptBack(entry) ? undefined : { fact: { type: 'node_waiting', reason: failureOf(entry).error }, at };
    default:
      return undefined;
  }
}

function durationOf({ ran_ms = 0 }: TimelineEntry): number {
  return ran_ms;
}

function failureOf({ error = '', error_type = 'Unexpected' }: TimelineEntry) {
  return { error, error_type };
}

/** What a gate keeps back is told by nobody. */
function isKeptBack({ error_type }: TimelineEntry): boolean {
  return error_type === 'EmergencyHalted';
}

const NO_OUTPUTS = { outputs: {}, truncated: true } as const;
