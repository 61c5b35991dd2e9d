/** The timeline of an execution, run by run, from Temporal's history: also of what ended long ago and is in no other place. */
import { HoldfastError } from '../errors';
import type { KindTraits } from '../graph/kinds';
import { isObject, present } from '../json';
import { RUN_GRAPH, type ExecutionStatus, type NodeStatus } from '../workflows/messages';
import { call, type TemporalAccess } from './connection';
import { assertExecutionId } from './executions';
import { decoded, instant } from './history-reading';
import { nodeEntries, type HistoryEvent, type PendingActivity, type TimelineEntry } from './timeline';
import { hasEnded, marksOf, type TimelineMark } from './timeline-marks';

/** One run of an execution, which goes on in the next when its history grows long. */
export interface RunTimeline {
  readonly execution_id: string;
  readonly run_id: string;
  readonly entries: readonly TimelineEntry[];
  readonly marks: readonly TimelineMark[];
  /** The run before this one. */
  readonly earlier_run?: string;
  /** The kinds its nodes are of. */
  readonly kinds: Readonly<Record<string, KindTraits>>;
}

/** The latest run, or the one named. Throws `ExecutionNotFound`. */
export async function runTimeline(access: TemporalAccess, executionId: string, runId?: string): Promise<RunTimeline> {
  assertExecutionId(executionId);
  const subject = { kind: 'execution', id: executionId } as const;
  const handle = access.client.workflow.getHandle(executionId, runId);
  const { runId: run_id, raw } = await call(access, subject, () => handle.describe());
  const execution = { workflowId: executionId, runId: run_id };
  const events: HistoryEvent[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await call(access, subject, () =>
      access.connection.workflowService.getWorkflowExecutionHistory({
        ...{ namespace: access.namespace, execution },
        ...present({ nextPageToken }),
      }),
    );
    events.push(...(page.history?.events ?? []));
    nextPageToken = page.nextPageToken.length === 0 ? undefined : page.nextPageToken;
  } while (nextPageToken !== undefined);
  return { execution_id: executionId, run_id, ...read(executionId, events, raw.pendingActivities ?? []) };
}

function read(executionId: string, events: readonly HistoryEvent[], pending: readonly PendingActivity[]) {
  const { workflowType, input, continuedExecutionRunId } = events[0]?.workflowExecutionStartedEventAttributes ?? {};
  const started = decoded(input?.payloads?.[0]);
  if (workflowType?.name !== RUN_GRAPH || !isObject(started)) {
    throw new HoldfastError('ExecutionNotFound', `The history of ${executionId} holds no graph.`);
  }
  return {
    entries: nodeEntries(events, { pending, is_closed: hasEnded(events) }),
    marks: marksOf(events),
    kinds: started['kinds'] as RunTimeline['kinds'],
    ...(continuedExecutionRunId ? { earlier_run: continuedExecutionRunId } : {}),
  };
}

/** Kinds whose whole time is waiting. */
const WAITS: ReadonlySet<string> = new Set(['wait', 'wait_for_signal', 'approval']);

/**
 * What the history does not hold, from the execution's own account: nodes that run inside the workflow, those that were refused there
 * because their inputs were too old, and those that were skipped. Of frames that ended long ago nothing is kept.
 */
export function insideEntries(
  { entries, kinds }: Pick<RunTimeline, 'entries' | 'kinds'>,
  { nodes }: Pick<ExecutionStatus, 'nodes'>,
): readonly TimelineEntry[] {
  const known = new Set(entries.map(turnOf));
  return Object.entries(nodes).flatMap(([node, status]): TimelineEntry[] => {
    const { type: node_type, generation, state, branch, error, error_type } = status;
    if (state === 'pending' || known.has(turnOf({ node, generation }))) return [];
    const isInside = kinds[node_type]?.effect === 'control' || error_type === 'StaleInput';
    if (!isInside && state !== 'skipped') return [];
    const about = { node, node_type, generation, where: 'workflow', state } as const;
    return [
      { ...about, ...timesOf(status), ...present({ branch, error, error_type, child_id: status.waits_for?.child_id }) },
    ];
  });
}

function turnOf({ node, generation }: Pick<TimelineEntry, 'node' | 'generation'>): string {
  return `${node}~${generation}`;
}

/** A loop, and what ends at once, runs; the rest waits. */
function timesOf({ type, first_at, state, duration_ms }: NodeStatus) {
  if (first_at === undefined || state === 'skipped') return {};
  const span = WAITS.has(type) ? { waited_ms: duration_ms } : { ran_ms: duration_ms };
  const ended_at = duration_ms === undefined ? undefined : instant(Date.parse(first_at) + duration_ms);
  return present({ scheduled_at: first_at, started_at: first_at, ended_at, ...span });
}
