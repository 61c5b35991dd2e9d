/** One execution of a graph is one `runGraph` workflow. */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  log,
  proxyActivities,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import { Execution } from './execution';
import { isEmergencyNotice, OWN_SCOPE } from './halts';
import {
  emergencySignal,
  haltSignal,
  resumeSignal,
  statusQuery,
  type RunGraphInput,
  type RunGraphResult,
} from './messages';
import { haltReason, resumeReason } from './reason';
import { DEFAULT_DESK } from './search-attributes';
import { countStates } from './status';

/** Asks the emergency desk. An unreachable one is asked for a minute, then the answer is no. */
const { assertCanOperate } = proxyActivities<{ assertCanOperate(deskId: string): Promise<void> }>({
  startToCloseTimeout: '6s',
  scheduleToCloseTimeout: '60s',
  retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '5s' },
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  summary: 'emergency check',
});

export async function runGraph(input: RunGraphInput): Promise<RunGraphResult> {
  const execution = prepare(input);
  // First, because a signal that came with the start is handled as soon as its handler is set.
  execution.announceStart();

  setHandler(statusQuery, () => execution.status());
  setHandler(haltSignal, (payload) => {
    execution.halt(OWN_SCOPE, haltReason(payload));
  });
  setHandler(resumeSignal, (payload) => {
    const reason = resumeReason(payload);
    if (reason === undefined) log.warn('resume_ignored', { why: 'its payload cannot be read' });
    else execution.resume(OWN_SCOPE, reason);
  });
  setHandler(emergencySignal, (payload) => {
    if (!isEmergencyNotice(payload)) log.warn('emergency_ignored', { why: 'its payload cannot be read' });
    else if (execution.halts.isNews(payload)) follow(execution, payload);
  });
  setDefaultSignalHandler((name) => {
    log.warn('signal_ignored', { signal: name });
  });

  try {
    await assertCanOperate(input.graph.desk ?? DEFAULT_DESK);
    await runToEnd(execution);
  } catch (error) {
    throw conclude(execution, error);
  }
  execution.conclude('completed');
  return { outcome: 'completed', nodes: countStates(execution.status()) };
}

/** Input that is no graph ends the execution in words; a plain error would be retried for ever. */
function prepare(input: RunGraphInput): Execution {
  try {
    return new Execution(input);
  } catch (error) {
    throw ApplicationFailure.nonRetryable(`The input is not a prepared graph: ${String(error)}`, 'BadRequest');
  }
}

function follow(
  execution: Execution,
  { state, scope, reason }: { state: string; scope: string; reason: string },
): void {
  if (state === 'halt') execution.halt(scope, reason);
  else execution.resume(scope, reason);
}

async function runToEnd(execution: Execution): Promise<void> {
  CancellationScope.current().cancelRequested.catch(() => {
    execution.cancel();
  });
  await CancellationScope.nonCancellable(() => execution.run());
  if (execution.wasCancelled) throw new CancelledFailure('the execution was cancelled');
  const { failure } = execution;
  if (failure === undefined) return;
  const { node_id, error, error_type } = failure;
  throw ApplicationFailure.create({
    message: `${node_id}: ${error}`,
    type: 'NodeFailed',
    nonRetryable: true,
    details: [{ node_id, error, error_type }],
  });
}

/** What the workflow ends with; a refusal of the desk keeps its own code. */
function conclude(execution: Execution, error: unknown): unknown {
  if (isCancellation(error)) {
    execution.cancel();
    execution.conclude('cancelled');
    return new CancelledFailure('the execution was cancelled');
  }
  if (error instanceof ApplicationFailure) {
    execution.conclude('failed');
    return error;
  }
  if (!(error instanceof ActivityFailure)) return error;
  execution.abandon('the execution was refused');
  execution.conclude('failed');
  const refusal = error.cause instanceof ApplicationFailure ? error.cause : undefined;
  const type = refusal?.type ?? 'EmergencyUnreachable';
  return ApplicationFailure.nonRetryable(refusal?.message ?? 'The emergency desk did not answer for a minute.', type);
}
