/** Executions: start, find, read, halt, resume, cancel. */
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  type WorkflowExecutionDescription,
  type WorkflowHandle,
} from '@temporalio/client';
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import { HoldfastError, messageOf } from '../errors';
import { mayBeGiven } from '../events/execution-id';
import { present } from '../json';
import {
  RUN_GRAPH,
  emergencySignal,
  emergencyUpdate,
  haltSignal,
  lookAgainSignal,
  resumeSignal,
  statusQuery,
  type ExecutionState,
  type ExecutionStatus,
  type LookAgain,
  type RunGraphInput,
} from '../workflows/messages';
import type { EmergencyNotice } from '../workflows/desk-messages';
import { executionAttributes, startAttributes } from '../workflows/search-attributes';
import { call, type TemporalAccess } from './connection';
import {
  attributesSummary,
  closedStatus,
  startOf,
  type ClosedStatus,
  type ExecutionDescription,
  type ExecutionSummary,
} from './execution-summary';
import { differences } from './start-inputs';
import { listPage, type ExecutionFilter, type ExecutionPage } from './visibility';

const WORKFLOW_TASK_TIMEOUT = '3s';

export function executionWorkflowOptions(access: TemporalAccess, input: RunGraphInput) {
  return {
    taskQueue: access.task_queue,
    args: [input] as [RunGraphInput],
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT,
    typedSearchAttributes: startAttributes(input),
    staticSummary: input.graph.name ?? input.graph.id,
  } as const;
}

export interface StartedExecution {
  readonly execution_id: string;
  /** The same start was made before: nothing new runs, and the execution may have ended long ago. */
  readonly already_started?: true;
}

/**
 * Starts once and only once. The same start again is answered with what there is; another under the id: `ExecutionExists`.
 * `rerun` says what of which execution it runs again, and tells it from a start from the beginning.
 */
export async function startExecution(
  access: TemporalAccess,
  executionId: string,
  input: RunGraphInput,
  rerun?: string,
): Promise<StartedExecution> {
  assertMayBeGiven(executionId);
  const started = await call(access, { kind: 'service' }, async () => {
    try {
      await access.client.workflow.start(RUN_GRAPH, {
        ...executionWorkflowOptions(access, input),
        workflowId: executionId,
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        workflowIdConflictPolicy: 'FAIL',
        ...(rerun === undefined ? {} : { memo: { rerun } }),
      });
      return true;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      return false;
    }
  });
  return started ? { execution_id: executionId } : sameStart(access, executionId, input, rerun);
}

/** The execution an earlier start with this id and input made. Throws `ExecutionNotFound`, and `ExecutionExists` when it is another. */
export async function sameStart(
  access: TemporalAccess,
  executionId: string,
  input: RunGraphInput,
  rerun?: string,
): Promise<StartedExecution> {
  const { words, differs } = differences(
    { ...(await executionInput(access, executionId)), rerun: await rerunOf(access, executionId) },
    { ...input, rerun },
  );
  if (differs.length === 0) return { execution_id: executionId, already_started: true };
  const message = `An execution called ${executionId} was already started, ${words}.`;
  throw new HoldfastError('ExecutionExists', message, { execution_id: executionId, differs });
}

/** From the memo, which every run of an execution keeps: what it was carried on with is of its first run alone. */
async function rerunOf(access: TemporalAccess, id: string): Promise<string | undefined> {
  const { memo } = await call(access, { kind: 'execution', id }, () => access.client.workflow.getHandle(id).describe());
  return memo?.['rerun'] as string | undefined;
}

export async function listExecutions(access: TemporalAccess, filter: ExecutionFilter): Promise<ExecutionPage> {
  return call(access, { kind: 'service' }, () => listPage(access, filter));
}

export async function describeExecution(access: TemporalAccess, executionId: string): Promise<ExecutionDescription> {
  assertExecutionId(executionId);
  const description = await call(access, { kind: 'execution', id: executionId }, () =>
    access.client.workflow.getHandle(executionId).describe(),
  );
  if (description.type !== RUN_GRAPH) {
    throw new HoldfastError('ExecutionNotFound', `${executionId} is not an execution of a graph.`);
  }
  const status = closedStatus(description.status.name);
  const summary = summarise(description, status);
  if (status === undefined) return summary;
  const duration_ms = (description.closeTime ?? new Date()).getTime() - Date.parse(summary.started_at);
  const failure = status === 'failed' ? await failureOf(access, executionId, description.runId) : {};
  return { ...summary, closing: { status, duration_ms, ...failure } };
}

function summarise(description: WorkflowExecutionDescription, closed: ClosedStatus | undefined): ExecutionSummary {
  const attributes = description.typedSearchAttributes.getAll();
  const read = ({ name }: { readonly name: string }) =>
    attributes.find(({ key }) => key.name === name)?.value as string | undefined;
  return {
    execution_id: description.workflowId,
    run_id: description.runId,
    ...attributesSummary(read),
    state: closed ?? ((read(executionAttributes.state) ?? 'running') as ExecutionState),
    started_at: startOf(description.memo?.['started_at'], description.startTime.toISOString()),
    ...present({ closed_at: description.closeTime?.toISOString() }),
  };
}

async function failureOf(access: TemporalAccess, executionId: string, runId: string) {
  try {
    await access.client.workflow.getHandle(executionId, runId, { followRuns: false }).result();
    return {};
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const cause = error.cause;
    const type = cause instanceof ApplicationFailure ? cause.type : undefined;
    return { error: messageOf(cause), error_type: type ?? 'Unexpected' };
  }
}

/** The full snapshot, asked of a worker. Throws `WorkerUnavailable` when none answers within five seconds. */
export async function executionStatus(access: TemporalAccess, executionId: string): Promise<ExecutionStatus> {
  assertExecutionId(executionId);
  return call(access, { kind: 'execution', id: executionId }, () =>
    access.client.workflow.getHandle(executionId).query(statusQuery),
  );
}

export async function signalExecution(
  access: TemporalAccess,
  executionId: string,
  action: 'halt' | 'resume',
  reason: string,
): Promise<void> {
  const signal = action === 'halt' ? haltSignal : resumeSignal;
  await steer(access, executionId, (handle) => handle.signal(signal, { reason }));
}

/** Has a node look at its order again. Throws `ExecutionClosed`. */
export async function lookAgain(access: TemporalAccess, executionId: string, look: LookAgain): Promise<void> {
  await steer(access, executionId, (handle) => handle.signal(lookAgainSignal, look));
}

/** What the execution was started with, from its history. */
export async function executionInput(access: TemporalAccess, executionId: string): Promise<RunGraphInput> {
  assertExecutionId(executionId);
  const { workflowType, input } = await startOfHistory(access, { workflowId: executionId });
  const payload = workflowType?.name === RUN_GRAPH ? input?.payloads?.[0] : undefined;
  if (payload === undefined) {
    throw new HoldfastError('ExecutionNotFound', `The history of ${executionId} holds no graph.`);
  }
  return defaultPayloadConverter.fromPayload<RunGraphInput>(payload);
}

/** What tells whether anything happened in an execution since it was looked at last. */
export async function executionMark(access: TemporalAccess, id: string): Promise<string> {
  assertExecutionId(id);
  const { runId, historyLength } = await call(access, { kind: 'execution', id }, () =>
    access.client.workflow.getHandle(id).describe(),
  );
  return `${runId} ${historyLength}`;
}

export interface RunOrigin {
  /** A reset made it: its history then begins as that of the run it was made of. */
  readonly was_reset: boolean;
  /** The run it goes on from. */
  readonly continued_from?: string;
}

/** Throws `ExecutionNotFound` also for a run of an execution that is forgotten already. */
export async function runOrigin(access: TemporalAccess, executionId: string, runId: string): Promise<RunOrigin> {
  const execution = { workflowId: executionId, runId };
  const { originalExecutionRunId, continuedExecutionRunId } = await startOfHistory(access, execution);
  const continued =
    continuedExecutionRunId == null || continuedExecutionRunId === ''
      ? {}
      : { continued_from: continuedExecutionRunId };
  return { was_reset: originalExecutionRunId !== runId, ...continued };
}

async function startOfHistory(access: TemporalAccess, execution: { workflowId: string; runId?: string }) {
  const { history } = await call(access, { kind: 'execution', id: execution.workflowId }, () =>
    access.connection.workflowService.getWorkflowExecutionHistory({
      namespace: access.namespace,
      execution,
      maximumPageSize: 1,
    }),
  );
  return history?.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
}

/**
 * Tells an execution, and whether it heard within that time. Where it did not, or no time is given, it is left word: a signal is kept until a
 * worker is there to hear it. An update is not, and until it was heard the server writes nothing down, which makes it the cheaper of the two
 * by half. A closed execution has nothing to hear.
 */
export async function notifyExecution(
  access: TemporalAccess,
  executionId: string,
  notice: EmergencyNotice,
  withinMs = 0,
): Promise<boolean> {
  if (withinMs > 0 && (await hasHeard(access, executionId, notice, withinMs))) return true;
  try {
    await call(access, { kind: 'execution', id: executionId }, () =>
      access.client.workflow.getHandle(executionId).signal(emergencySignal, notice),
    );
    return false;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}

/** Executions of releases that know no such update refuse it. */
async function hasHeard(
  { client, connection }: TemporalAccess,
  executionId: string,
  notice: EmergencyNotice,
  withinMs: number,
): Promise<boolean> {
  const handle = client.workflow.getHandle(executionId);
  try {
    await connection.withDeadline(Date.now() + withinMs, () =>
      handle.executeUpdate(emergencyUpdate, { args: [notice] }),
    );
    return true;
  } catch {
    return false;
  }
}

/** Temporal takes a cancel of a closed execution for done, so it is asked first. */
export async function cancelExecution(access: TemporalAccess, executionId: string): Promise<void> {
  const { closing, state } = await describeExecution(access, executionId);
  if (closing !== undefined) throw closed(executionId, state);
  await steer(access, executionId, (handle) => handle.cancel());
}

/** Throws `BadRequest` for a name not everybody who may have to halt it could say. */
function assertMayBeGiven(id: string): void {
  if (mayBeGiven(id)) return;
  const allowed = 'letters and digits first, then also _ : . ~ and -, at most 300';
  throw new HoldfastError(
    'BadRequest',
    `Not an id for an execution: ${JSON.stringify(id.slice(0, 100))}; use ${allowed}.`,
  );
}

/**
 * Every other workflow has a slash in its id: `desk/…` must not be cancelled by who may cancel executions. What Temporal started under a
 * name of its own is let through, so that it can be halted. Throws `ExecutionNotFound`.
 */
export function assertExecutionId(id: string): void {
  if (id === '' || id.includes('/'))
    throw new HoldfastError('ExecutionNotFound', `No execution is called ${JSON.stringify(id)}.`);
}

/** Temporal says *not found* of closed executions as well; what is true is looked up before it is said. */
export async function steer<T>(
  access: TemporalAccess,
  executionId: string,
  action: (handle: WorkflowHandle) => Promise<T>,
): Promise<T> {
  assertExecutionId(executionId);
  try {
    return await call(access, { kind: 'execution', id: executionId }, () =>
      action(access.client.workflow.getHandle(executionId)),
    );
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const { state } = await describeExecution(access, executionId);
    throw closed(executionId, state);
  }
}

function closed(executionId: string, state: string): HoldfastError {
  return new HoldfastError('ExecutionClosed', `${executionId} has already ended: ${state}.`, { state });
}

/** Temporal knows no such execution, or no more. */
export function isNotFound(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'ExecutionNotFound';
}
