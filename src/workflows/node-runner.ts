/**
 * Runs one node by its effect and says how it ended.
 *
 * The SDK notes a stack trace for every promise a workflow makes, some 60 µs each, and a pure node takes 3 ms in all: so what
 * starts a node returns the SDK's own promise, and what reads its end is plain functions.
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
  sleep,
} from '@temporalio/workflow';
import { durationMs } from '../graph/duration';
import type { PlannedNode } from '../graph/plan';
import type { Outcome } from '../graph/scheduler';
import type { NodeResult, NodeTask } from '../graph/task';
import { present } from '../json';

/** `interrupted`: it was taken back before it ended, by a halt or a cancel, and did no harm to its attempts. */
export type RunOutcome =
  (Outcome & { readonly attempt?: number; readonly duration_ms?: number }) | { readonly kind: 'interrupted' };

/** The worker ends an attempt at the node's timeout itself; the server's own limit only catches workers that hang. */
const GRACE_MS = 2_000;
const HEARTBEAT_TIMEOUT_MS = 3_000;

type NodeActivities = Record<string, (task: NodeTask) => Promise<NodeResult>>;

/** Cancelled or not, it runs to its end: what a pure node gives may always be kept. */
export function startPure(task: NodeTask): Promise<NodeResult> {
  const activities = proxyLocalActivities<NodeActivities>({
    startToCloseTimeout: task.timeout_ms + GRACE_MS,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: retryPolicy(task),
    summary: task.node_id,
  });
  return callNode(activities, task);
}

/**
 * When the scope it is started in is cancelled, one that waits for a retry or for a worker is taken back at once by the server, and
 * one that runs is left to its end.
 */
export function startActivity(task: NodeTask): Promise<NodeResult> {
  const activities = proxyActivities<NodeActivities>({
    startToCloseTimeout: task.timeout_ms + GRACE_MS,
    heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: retryPolicy(task),
    summary: task.node_id,
  });
  return callNode(activities, task);
}

/** A durable timer. It goes on while the execution is halted; only a cancel ends it early. */
export async function runWait(fields: Readonly<Record<string, unknown>>): Promise<RunOutcome> {
  const ms = durationMs(fields['for']);
  if (ms === undefined) return { kind: 'failed', error: 'for: is not a duration', error_type: 'InvalidInput' };
  try {
    await sleep(ms);
    return { kind: 'completed', outputs: {}, duration_ms: ms };
  } catch (error) {
    if (error instanceof CancelledFailure) return { kind: 'interrupted' };
    throw error;
  }
}

function callNode(activities: NodeActivities, task: NodeTask): Promise<NodeResult> {
  const activity = activities[task.node_type];
  if (activity === undefined) throw new RangeError(`no activity ${task.node_type}`);
  return activity(task);
}

function retryPolicy({ retry }: NodeTask) {
  return {
    maximumAttempts: retry.max_attempts,
    initialInterval: retry.initial_ms,
    backoffCoefficient: retry.backoff,
    maximumInterval: Math.max(retry.max_ms, retry.initial_ms),
  };
}

export function outcomeOfResult({ outputs, branch, attempt, duration_ms }: NodeResult): RunOutcome {
  return { kind: 'completed', outputs, ...present({ branch }), attempt, duration_ms };
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
  const attempt = attemptOf(task, failure);
  const last =
    cause instanceof ApplicationFailure && (cause.nonRetryable === true || attempt >= task.retry.max_attempts);
  if (retryState === 'CANCEL_REQUESTED' && !last) return { kind: 'interrupted' };
  return { kind: 'failed', ...wordsOf(cause), attempt };
}

/** The wrapper around every activity puts the attempt into a failure's details; a time-out found by the server carries none. */
function attemptOf(task: NodeTask, { cause, retryState }: Failure): number {
  const details =
    cause instanceof ApplicationFailure ? (cause.details?.[0] as { attempt?: unknown } | undefined) : undefined;
  if (typeof details?.attempt === 'number') return details.attempt;
  return retryState === 'MAXIMUM_ATTEMPTS_REACHED' ? task.retry.max_attempts : 1;
}

function wordsOf(cause: Error | undefined): { error: string; error_type: string } {
  if (cause instanceof ApplicationFailure) return { error: cause.message, error_type: cause.type ?? 'Unexpected' };
  if (!(cause instanceof TimeoutFailure)) return { error: String(cause?.message), error_type: 'Unexpected' };
  if (cause.timeoutType === 'HEARTBEAT') {
    return { error: 'the worker stopped answering, and no attempt is left', error_type: 'AttemptsExhausted' };
  }
  return { error: 'the worker did not end the attempt in time', error_type: 'TimeoutError' };
}

/** Runs a control kind, which has no activity: today `wait` alone. */
export function runControl(node: PlannedNode, fields: Readonly<Record<string, unknown>>): Promise<RunOutcome> {
  if (node.type === 'wait') return runWait(fields);
  return Promise.resolve({ kind: 'failed', error: `no such control kind: ${node.type}`, error_type: 'UnknownKind' });
}
