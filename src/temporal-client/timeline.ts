/**
 * What the history of one run says of its nodes: when they were handed out, when they began and how they ended. Pure.
 *
 * - H1. Temporal writes down when an activity was scheduled, when its last attempt began, and how it ended; of earlier attempts it keeps
 *   the failure of the one before the last.
 * - H2. A node inside a workflow task is one marker, with its key as summary.
 * - H3. What runs inside the workflow (conditions, waits, loops) leaves nothing there: `insideEntries` takes it from the execution's own account.
 */
import type { temporal } from '@temporalio/proto';
import { isObject, present } from '../json';
import { nodeOfSummary } from '../workflows/node-summary';
import { decoded, failureWords, instant, msOf, numberIn, textOf, textsIn, type FailureWords } from './history-reading';

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
export type PendingActivity = temporal.api.workflow.v1.IPendingActivityInfo;

/**
 * `deferred`: it must not be tried now, and is handed out again later; `abandoned`: its execution ended before it did; `retrying`: it waits
 * for its next attempt.
 */
export type TimelineState =
  | ('scheduled' | 'running' | 'retrying' | 'waiting' | 'deferred')
  | ('completed' | 'failed' | 'timed_out' | 'cancelled' | 'abandoned' | 'skipped');

/** One turn of a node: from the moment it was handed out until it ended or was taken back. Instants are ISO 8601. */
export interface TimelineEntry {
  /** `price`, or inside loops `each[3]/price`. */
  readonly node: string;
  readonly node_type: string;
  readonly generation: number;
  /** How often it was handed out in its generation, with this one; of nodes on workers. */
  readonly dispatch?: number;
  readonly where: 'worker' | 'workflow_task' | 'workflow' | 'child';
  readonly state: TimelineState;
  /** Which way a condition went. */
  readonly branch?: string;
  /** The last one, over all dispatches of the generation. */
  readonly attempt?: number;
  readonly scheduled_at?: string;
  /** Of the last attempt. */
  readonly started_at?: string;
  readonly ended_at?: string;
  /** Until the last attempt began: for a worker, for room, for retries; of what waits inside the workflow all of it. */
  readonly waited_ms?: number;
  /** Of the last attempt. */
  readonly ran_ms?: number;
  readonly error?: string;
  readonly error_type?: string;
  /** How the attempt before the last one failed. */
  readonly before?: FailureWords;
  /** Of a `subgraph`. */
  readonly child_id?: string;
}

/** In milliseconds, while it is put together. */
interface Draft {
  readonly about: Pick<TimelineEntry, 'node' | 'node_type' | 'generation' | 'where' | 'dispatch' | 'child_id'>;
  readonly used_attempts: number;
  readonly scheduled: number;
  readonly activity_id?: string;
  state: TimelineState;
  branch?: string | undefined;
  attempt?: number | undefined;
  started?: number;
  ended?: number;
  failure?: FailureWords;
  before?: FailureWords;
}

interface Drafts {
  readonly all: Draft[];
  readonly by_event: Map<string, Draft>;
}

const LOCAL_ACTIVITY = 'core_local_activity';
/** Temporal's number of the state of an activity that an attempt is made of. */
const STARTED = 2;

/** In the order they were handed out. `pending`: what Temporal says of activities that have not ended; `is_closed`: the execution has. */
export function nodeEntries(
  events: readonly HistoryEvent[],
  { pending = [], is_closed }: { readonly pending?: readonly PendingActivity[]; readonly is_closed: boolean },
): readonly TimelineEntry[] {
  const drafts: Drafts = { all: [], by_event: new Map() };
  for (const event of events) for (const take of STEPS) take(drafts, event);
  for (const draft of drafts.all) {
    if (draft.ended !== undefined) continue;
    if (is_closed) draft.state = 'abandoned';
    else stillOut(draft, pending);
  }
  return drafts.all.sort((a, b) => a.scheduled - b.scheduled).map(entryOf);
}

const STEPS: readonly ((drafts: Drafts, event: HistoryEvent) => void)[] = [
  activityScheduled,
  activityStarted,
  activityEnded,
  localActivity,
  childInitiated,
  childStarted,
  childReported,
  childEnded,
];

function activityScheduled({ all, by_event }: Drafts, event: HistoryEvent): void {
  const attributes = event.activityTaskScheduledEventAttributes;
  const task = decoded(attributes?.input?.payloads?.[0]);
  if (attributes == null || !isTask(task)) return;
  const { node_id, node_type, frame, generation, dispatch, used_attempts = 0 } = task;
  const draft: Draft = {
    about: { node: frame === '' ? node_id : `${frame}/${node_id}`, node_type, generation, dispatch, where: 'worker' },
    used_attempts,
    scheduled: msOf(event.eventTime),
    activity_id: String(attributes.activityId),
    state: 'scheduled',
  };
  all.push(draft);
  by_event.set(String(event.eventId), draft);
}

interface Task {
  readonly node_id: string;
  readonly node_type: string;
  readonly frame: string;
  readonly generation: number;
  readonly dispatch: number;
  readonly used_attempts?: number;
}

/** What is no node (a question to the desk, a look at children) has no such input. */
function isTask(value: unknown): value is Task {
  return isObject(value) && typeof value['node_id'] === 'string' && typeof value['frame'] === 'string';
}

function activityStarted({ by_event }: Drafts, event: HistoryEvent): void {
  const attributes = event.activityTaskStartedEventAttributes;
  const draft = attributes == null ? undefined : by_event.get(String(attributes.scheduledEventId));
  if (attributes == null || draft === undefined) return;
  draft.started = msOf(event.eventTime);
  draft.state = 'running';
  draft.attempt = draft.used_attempts + (attributes.attempt ?? 1);
  if (attributes.lastFailure != null) draft.before = failureWords(attributes.lastFailure);
}

function activityEnded({ by_event }: Drafts, event: HistoryEvent): void {
  const end = endOfActivity(event);
  const draft = end && by_event.get(String(end.scheduledEventId));
  if (end === undefined || draft === undefined) return;
  draft.ended = msOf(event.eventTime);
  draft.state = end.state;
  const told = end.failure == null ? decoded(end.result?.payloads?.[0]) : detailOf(end.failure);
  draft.attempt = numberIn(told, 'attempt') ?? draft.attempt;
  if (end.failure == null) {
    draft.branch = branchIn(told);
    return;
  }
  draft.failure = failureWords(end.failure);
  if (isDeferral(draft.failure, told)) draft.state = 'deferred';
}

interface EndOfActivity {
  readonly state: TimelineState;
  readonly scheduledEventId?: unknown;
  readonly result?: temporal.api.common.v1.IPayloads | null;
  readonly failure?: temporal.api.failure.v1.IFailure | null;
}

function endOfActivity(event: HistoryEvent): EndOfActivity | undefined {
  const ends = [
    ['completed', event.activityTaskCompletedEventAttributes],
    ['failed', event.activityTaskFailedEventAttributes],
    ['timed_out', event.activityTaskTimedOutEventAttributes],
    ['cancelled', event.activityTaskCanceledEventAttributes],
  ] as const;
  for (const [state, attributes] of ends) if (attributes != null) return { state, ...attributes };
  return undefined;
}

/** A gate's refusal and a deferral are no failures: the attempt was not made. */
function isDeferral({ error_type }: FailureWords, detail: unknown): boolean {
  return error_type === 'EmergencyHalted' || numberIn(detail, 'retry_in_ms') !== undefined;
}

function localActivity({ all }: Drafts, event: HistoryEvent): void {
  const marker = event.markerRecordedEventAttributes;
  if (marker?.markerName !== LOCAL_ACTIVITY) return;
  const [data, result] = ['data', 'result'].map((name) => decoded(marker.details?.[name]?.payloads?.[0]));
  const summary = nodeOfSummary(decoded(event.userMetadata?.summary));
  if (!isObject(data) || summary === undefined) return;
  const scheduled = msOf(data['original_schedule_time']);
  const ended = Math.max(scheduled, numberIn(result, 'ended_at') ?? msOf(data['complete_time']));
  all.push({
    about: { ...summary, node_type: textOf(data['activity_type']) ?? '', where: 'workflow_task' },
    used_attempts: 0,
    scheduled,
    ended,
    started: Math.max(scheduled, ended - (numberIn(result, 'duration_ms') ?? ended - scheduled)),
    ...endOfMarker(marker.failure, result),
  });
}

function endOfMarker(
  failure: temporal.api.failure.v1.IFailure | null | undefined,
  result: unknown,
): Pick<Draft, 'state' | 'branch' | 'attempt' | 'failure'> {
  if (failure == null) return { state: 'completed', branch: branchIn(result), attempt: numberIn(result, 'attempt') };
  return { state: 'failed', attempt: numberIn(detailOf(failure), 'attempt'), failure: failureWords(failure) };
}

function childInitiated({ all, by_event }: Drafts, event: HistoryEvent): void {
  const attributes = event.startChildWorkflowExecutionInitiatedEventAttributes;
  const input = decoded(attributes?.input?.payloads?.[0]);
  const parent = isObject(input) ? input['parent'] : undefined;
  if (attributes == null || !isObject(parent)) return;
  const [node, generation] = [textOf(parent['node']) ?? '', numberIn(parent, 'generation') ?? 0];
  const draft: Draft = {
    about: { node, node_type: 'subgraph', generation, where: 'child', child_id: String(attributes.workflowId) },
    used_attempts: 0,
    scheduled: msOf(event.eventTime),
    state: 'scheduled',
  };
  all.push(draft);
  by_event.set(String(event.eventId), draft);
}

function childStarted({ by_event }: Drafts, event: HistoryEvent): void {
  const attributes = event.childWorkflowExecutionStartedEventAttributes;
  const draft = attributes == null ? undefined : by_event.get(String(attributes.initiatedEventId));
  if (draft === undefined) return;
  draft.started = msOf(event.eventTime);
  draft.state = 'running';
}

/** Its own word, which comes before Temporal's and is all there is when the run of its parent ends first. */
function childReported({ all }: Drafts, event: HistoryEvent): void {
  const signal = event.workflowExecutionSignaledEventAttributes;
  const report = signal?.signalName === 'child_ended' ? decoded(signal.input?.payloads?.[0]) : undefined;
  if (!isObject(report)) return;
  const draft = all.find(({ about, ended }) => ended === undefined && about.child_id === report['child_id']);
  if (draft === undefined) return;
  draft.ended = msOf(event.eventTime);
  Object.assign(draft, endOfReport(report['outcome']));
}

function endOfReport(outcome: unknown): Pick<Draft, 'state' | 'failure'> {
  const { kind, error = '', error_type = 'Unexpected' } = textsIn(outcome, ['kind', 'error', 'error_type']);
  return kind === 'completed' ? { state: 'completed' } : { state: 'failed', failure: { error, error_type } };
}

function childEnded({ by_event }: Drafts, event: HistoryEvent): void {
  const ends = [
    ['completed', event.childWorkflowExecutionCompletedEventAttributes],
    ['failed', event.childWorkflowExecutionFailedEventAttributes],
    ['cancelled', event.childWorkflowExecutionCanceledEventAttributes],
    ['timed_out', event.childWorkflowExecutionTimedOutEventAttributes],
    ['failed', event.childWorkflowExecutionTerminatedEventAttributes],
    ['failed', event.startChildWorkflowExecutionFailedEventAttributes],
  ] as const;
  for (const [state, attributes] of ends) {
    const draft = attributes == null ? undefined : by_event.get(String(attributes.initiatedEventId));
    if (attributes == null || draft === undefined) continue;
    draft.ended = msOf(event.eventTime);
    draft.state = state;
    if ('failure' in attributes && attributes.failure != null) draft.failure = failureWords(attributes.failure);
  }
}

/** The history knows of attempts only once the activity has ended. */
function stillOut(draft: Draft, pending: readonly PendingActivity[]): void {
  const found = pending.find(({ activityId }) => activityId === draft.activity_id);
  if (found === undefined) return;
  const isRunning = (found.state as number | null | undefined) === STARTED;
  const attempt = found.attempt ?? 1;
  draft.state = isRunning ? 'running' : attempt > 1 ? 'retrying' : 'scheduled';
  draft.attempt = draft.used_attempts + (isRunning ? attempt : Math.max(0, attempt - 1));
  if (isRunning && found.lastStartedTime != null) draft.started = msOf(found.lastStartedTime);
  if (found.lastFailure != null) draft.before = failureWords(found.lastFailure);
}

function branchIn(result: unknown): string | undefined {
  return textsIn(result, ['branch']).branch;
}

function entryOf({ about, state, branch, attempt, scheduled, started, ended, failure, before }: Draft): TimelineEntry {
  const until = started ?? ended;
  return {
    ...about,
    state,
    ...present({
      branch,
      attempt,
      scheduled_at: instant(scheduled),
      started_at: instant(started),
      ended_at: instant(ended),
      waited_ms: until === undefined ? undefined : Math.max(0, until - scheduled),
      ran_ms: started === undefined || ended === undefined ? undefined : Math.max(0, ended - started),
      before,
    }),
    ...failure,
  };
}

function detailOf({ applicationFailureInfo }: temporal.api.failure.v1.IFailure): unknown {
  return decoded(applicationFailureInfo?.details?.payloads?.[0]);
}
