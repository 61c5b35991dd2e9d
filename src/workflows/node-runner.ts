/**
 * Runs one node by its effect and says how it ended.
 *
 * The SDK notes where every promise of a workflow was made, which takes some 20 µs of the 3 ms of a pure node even with few frames (see
 * `preload.ts`): so what starts a node returns the SDK's own promise, and what reads its end is plain functions.
 */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TemporalFailure,
  TimeoutFailure,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow';
import { holdsBlob } from '../graph/blob';
import type { RetryTraits } from '../graph/kinds';
import type { PlannedNode } from '../graph/plan';
import type { Outcome } from '../graph/scheduler';
import type { Deferral, DeferralType, EmergencyRefusal, NodeResult, NodeTask, TimedOut } from '../graph/task';
import { present } from '../json';
import { nodeSummary } from './node-summary';

/**
 * `interrupted`: it was taken back before it ended, by a halt or a cancel, and did no harm to its attempts.
 * `deferred`: the attempt must not be made within `retry_in_ms`, and was not.
 */
export type RunOutcome =
  | (Outcome & { readonly attempt?: number; readonly duration_ms?: number; readonly ended_at?: number })
  | { readonly kind: 'interrupted' }
  | {
      readonly kind: 'deferred';
      readonly attempt: number;
      readonly retry_in_ms: number;
      readonly why: string;
      readonly by_gate?: true;
      /** Of a node that follows its orders: what its next dispatch is to know. */
      readonly memo?: unknown;
      /** Of such a node: its worker was lost, and may have sent an order. */
      readonly lost?: true;
    };

/** The worker ends an attempt at the node's timeout itself; the server's own limit only catches workers that hang. */
const GRACE_MS = 2_000;
const HEARTBEAT_TIMEOUT_MS = 3_000;
const GATE_AGAIN_MS = 1_000;
const LOST_AGAIN_MS = 1;

export type TakenBack = Extract<RunOutcome, { kind: 'interrupted' | 'deferred' }>;

/** A pure node that may take longer, or be tried again, would hold the workflow task and keep halts from being heard. */
const LONGEST_LOCAL_MS = 1_000;
/** Reading a stored value can fail where the node itself cannot. */
const ATTEMPTS_TO_READ = 3;

type Fields = NodeTask['fields'];
type NodeActivities = Record<string, (task: NodeTask) => Promise<NodeResult>>;

/** Whether it runs inside the workflow task: pure, quick, and with nothing to fetch. */
export function isLocal({ traits, retry, timeout_ms, task_queue }: PlannedNode, fields: Fields): boolean {
  const quick = retry.max_attempts === 1 && timeout_ms <= LONGEST_LOCAL_MS && task_queue === undefined;
  return traits.effect === 'pure' && quick && !holdsBlob(fields);
}

/** How the worker goes about it. A venue is a resource of its own unless the node names another. */
export function policyOf(node: PlannedNode, fields: Fields) {
  const { timeout_ms, rate_limit, traits } = node;
  const venue = traits.resource_from === undefined ? undefined : fields[traits.resource_from];
  const circuit_breaker = node.circuit_breaker ?? (typeof venue === 'string' ? venue : undefined);
  return { timeout_ms, retry: retryOf(node, fields), ...present({ circuit_breaker, rate_limit }) };
}

/** As declared; a node that only computes is tried again when what it computes with is stored outside. */
function retryOf({ traits, retry }: PlannedNode, fields: Fields): RetryTraits {
  if (traits.effect !== 'pure' || retry.max_attempts >= ATTEMPTS_TO_READ || !holdsBlob(fields)) return retry;
  return { ...retry, max_attempts: ATTEMPTS_TO_READ };
}

/** Cancelled or not, it runs to its end: what a pure node gives may always be kept. */
export function startPure(task: NodeTask): Promise<NodeResult> {
  const activities = proxyLocalActivities<NodeActivities>({
    startToCloseTimeout: task.timeout_ms + GRACE_MS,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: retryPolicy(task),
    summary: nodeSummary(task.frame, task.node_id, task.generation),
  });
  return callNode(activities, task);
}

/**
 * When the scope it is started in is cancelled, one that waits for a retry or for a worker is taken back at once by the server, and
 * one that runs is left to its end.
 */
export function startActivity(task: NodeTask, taskQueue?: string, left_ms?: number): Promise<NodeResult> {
  const activities = proxyActivities<NodeActivities>({
    startToCloseTimeout: task.timeout_ms + GRACE_MS,
    ...present({ taskQueue, scheduleToCloseTimeout: left_ms }),
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: retryPolicy(task),
    summary: nodeSummary(task.frame, task.node_id, task.generation),
  });
  return callNode(activities, task);
}

function callNode(activities: NodeActivities, task: NodeTask): Promise<NodeResult> {
  const activity = activities[task.node_type];
  if (activity === undefined) throw new RangeError(`no activity ${task.node_type}`);
  return activity(task);
}

/** Goes on where earlier dispatches stopped: with the attempts that are left, and the delay that would have come next. */
function retryPolicy({ retry, used_attempts }: NodeTask) {
  const most = Math.max(retry.max_ms, retry.initial_ms);
  return {
    maximumAttempts: Math.max(1, retry.max_attempts - used_attempts),
    initialInterval: Math.round(Math.min(most, retry.initial_ms * retry.backoff ** used_attempts)),
    backoffCoefficient: retry.backoff,
    maximumInterval: most,
  };
}

export function outcomeOfResult({ outputs, branch, attempt, duration_ms, ended_at }: NodeResult): RunOutcome {
  return { kind: 'completed', outputs, ...present({ branch, ended_at }), attempt, duration_ms };
}

/** When an outcome came about: never later than it was heard, for a worker that went down may leave it lying. Its clock may be behind. */
export function endOf(outcome: Extract<RunOutcome, { kind: 'completed' | 'failed' }>, heard_at: number): number {
  return Math.min(outcome.ended_at ?? heard_at, heard_at);
}

/** Throws what is no outcome of a node but a defect. */
export function outcomeOfError(task: NodeTask, error: unknown): RunOutcome {
  if (error instanceof CancelledFailure) return { kind: 'interrupted' };
  if (error instanceof ActivityFailure) return failureOf(task, error);
  if (error instanceof TemporalFailure) return failureOf(task, { cause: error, retryState: 'NON_RETRYABLE_FAILURE' });
  throw error;
}

/** The server wraps the failure of an activity; a local one can come bare. */
type Failure = Pick<ActivityFailure, 'cause' | 'retryState'>;

function failureOf(task: NodeTask, failure: Failure): RunOutcome {
  const { cause, retryState } = failure;
  if (cause instanceof CancelledFailure) return { kind: 'interrupted' };
  const deferral = cause instanceof ApplicationFailure ? deferralOf(cause) : undefined;
  if (deferral !== undefined) return deferral;
  if (task.trail !== undefined && mayHaveSent(cause)) return lost(task);
  const attempt = attemptOf(task, failure);
  const isLast = isFinal(cause) || (hasBegun(cause) && attempt >= task.retry.max_attempts);
  if (retryState === 'CANCEL_REQUESTED' && !isLast) return { kind: 'interrupted' };
  return { kind: 'failed', ...wordsOf(cause), attempt };
}

function isFinal(cause: Error | undefined): boolean {
  return cause instanceof ApplicationFailure && cause.nonRetryable === true;
}

/**
 * Whether its body was given to a worker. One whose worker was lost during a halt may have done what it does: it has used its attempt up
 * like any other, or an order would be sent again at the resume.
 */
function hasBegun(cause: Error | undefined): boolean {
  if (cause instanceof TimeoutFailure) return BEGUN.has(cause.timeoutType);
  return cause instanceof ApplicationFailure;
}

const BEGUN: ReadonlySet<unknown> = new Set(['HEARTBEAT', 'START_TO_CLOSE']);

/** Nobody reported what became of the attempt, or the worker ended it at its timeout. */
function mayHaveSent(cause: Error | undefined): boolean {
  if (cause instanceof TimeoutFailure) return BEGUN.has(cause.timeoutType);
  const [details] = (cause instanceof ApplicationFailure ? (cause.details ?? []) : []) as [Partial<TimedOut>?];
  return details?.timed_out === true;
}

function lost({ used_attempts }: NodeTask): RunOutcome {
  const why = 'nobody reported what became of its order, which is looked up';
  return { kind: 'deferred', attempt: used_attempts + 1, retry_in_ms: LOST_AGAIN_MS, why, lost: true };
}

const DEFERRALS: ReadonlySet<unknown> = new Set<DeferralType>([
  'CircuitOpen',
  'Throttled',
  'OrderOpen',
  'OrderUnknown',
]);

function deferralOf({ type, details, message }: ApplicationFailure): RunOutcome | undefined {
  if (type === 'EmergencyHalted') return haltedAtGate(details);
  const [deferral] = (details ?? []) as [Partial<Deferral>?];
  const { attempt = 1, retry_in_ms, memo } = deferral ?? {};
  if (!DEFERRALS.has(type) || typeof retry_in_ms !== 'number') return undefined;
  return { kind: 'deferred', attempt, retry_in_ms: Math.max(1, retry_in_ms), why: message, ...present({ memo }) };
}

/** A gate may be closed by a word that turns out to be none, so what it refused is tried again soon; the desk says whether it is halted. */
function haltedAtGate(details: ApplicationFailure['details']): RunOutcome {
  const [refusal] = (details ?? []) as [Partial<EmergencyRefusal>?];
  const { attempt = 1, scope = 'global', reason = 'halted' } = refusal ?? {};
  return { kind: 'deferred', attempt, retry_in_ms: GATE_AGAIN_MS, why: `${scope}: ${reason}`, by_gate: true };
}

/** The wrapper around every activity puts the attempt into a failure's details; a time-out found by the server carries none. */
function attemptOf(task: NodeTask, { cause, retryState }: Failure): number {
  const told = attemptIn(cause);
  if (told !== undefined) return told;
  // One that was timed out carries the failure of the attempt before it.
  const before = cause instanceof TimeoutFailure ? attemptIn(cause.cause) : undefined;
  if (before !== undefined) return Math.min(before + 1, task.retry.max_attempts);
  return retryState === 'MAXIMUM_ATTEMPTS_REACHED' ? task.retry.max_attempts : task.used_attempts + 1;
}

function attemptIn(failure: Error | undefined): number | undefined {
  const details = failure instanceof ApplicationFailure ? (failure.details?.[0] as { attempt?: unknown }) : undefined;
  return typeof details?.attempt === 'number' ? details.attempt : undefined;
}

function wordsOf(cause: Error | undefined): { error: string; error_type: string } {
  if (cause instanceof ApplicationFailure) return { error: cause.message, error_type: cause.type ?? 'Unexpected' };
  if (!(cause instanceof TimeoutFailure)) return { error: String(cause?.message), error_type: 'Unexpected' };
  if (cause.timeoutType === 'SCHEDULE_TO_CLOSE')
    return { error: 'no end within total_timeout', error_type: 'TimeoutError' };
  if (cause.timeoutType === 'HEARTBEAT') {
    return { error: 'the worker stopped answering, and no attempt is left', error_type: 'AttemptsExhausted' };
  }
  return { error: 'the worker did not end the attempt in time', error_type: 'TimeoutError' };
}
