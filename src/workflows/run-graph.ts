/** One execution of a graph is one `runGraph` workflow, in as many runs as its history needs. */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ContinueAsNew,
  isCancellation,
  log,
  makeContinueAsNewFunc,
  proxyActivities,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { haltReason } from '../emergency/reason';
import type { ExecutionContext } from '../events/build';
import { present } from '../json';
import { isChildEnd, reportToParent } from './children';
import { Execution, type RunEnd } from './execution';
import { isEmergencyNotice, OWN_SCOPE } from './halts';
import { readDelivery } from './mailbox';
import {
  approveUpdate,
  childEndedSignal,
  deliverSignal,
  emergencySignal,
  haltSignal,
  resumeSignal,
  retryNodeUpdate,
  skipNodeUpdate,
  snapshotQuery,
  statusQuery,
  type ChildOutcome,
  type ExecutionState,
  type RunGraphInput,
  type RunGraphResult,
} from './messages';
import { resumeReason } from './reason';
import { DEFAULT_DESK, startAttributes, stateAttribute } from './search-attributes';
import { countStates } from './status';
import * as steering from './steering';

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
  const isFirstRun = workflowInfo().continuedFromExecutionRunId === undefined;
  // First, because a signal that came with the start is handled as soon as its handler is set.
  if (isFirstRun) execution.announceStart();
  listen(execution);
  try {
    if (isFirstRun) await assertCanOperate(input.graph.desk ?? DEFAULT_DESK);
    const end = await runToEnd(execution);
    if (end === 'continue') await continueInNewRun(input, execution);
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    const { outcome, thrown } = conclude(execution, error);
    await reportToParent(workflowInfo().workflowId, input.parent, outcome);
    throw thrown;
  }
  execution.conclude('completed');
  const { outputs } = execution.books.graph;
  await reportToParent(workflowInfo().workflowId, input.parent, { kind: 'completed', outputs });
  return { outcome: 'completed', outputs, nodes: countStates(execution.status()) };
}

/** Input that is no graph ends the execution in words; a plain error would be retried for ever. */
function prepare(input: RunGraphInput): Execution {
  try {
    return new Execution(input, contextOf(input));
  } catch (error) {
    throw ApplicationFailure.nonRetryable(`The input is not a prepared graph: ${String(error)}`, 'BadRequest');
  }
}

function contextOf({ graph, version, mode }: RunGraphInput): ExecutionContext {
  const { bot_id, strategy_id } = graph;
  return {
    execution_id: workflowInfo().workflowId,
    workflow_id: graph.id,
    graph_version: version,
    ...present({ bot_id, strategy_id }),
    mode,
  };
}

function listen(execution: Execution): void {
  setHandler(statusQuery, () => execution.status());
  setHandler(snapshotQuery, () => execution.carry());
  listenToHalts(execution);
  setHandler(deliverSignal, (payload) => {
    const delivery = readDelivery(payload);
    const ignored = typeof delivery === 'string' ? delivery : execution.deliver(delivery);
    if (ignored !== undefined) log.warn('message_ignored', { why: ignored });
  });
  setHandler(childEndedSignal, (payload) => {
    if (isChildEnd(payload)) execution.children.ended(payload.child_id, payload.outcome);
    else log.warn('child_end_ignored', { why: 'its payload cannot be read' });
  });
  setHandler(approveUpdate, (request) => steering.approve(execution, request), {
    validator: (request) => {
      steering.assertApprovable(execution, request);
    },
  });
  setHandler(retryNodeUpdate, (request) => steering.retryNode(execution, request), {
    validator: (request) => {
      steering.assertChangeable(execution, request);
    },
  });
  setHandler(skipNodeUpdate, (request) => steering.skipNode(execution, request), {
    validator: (request) => {
      steering.assertChangeable(execution, request);
    },
  });
  setDefaultSignalHandler((name) => {
    log.warn('signal_ignored', { signal: name });
  });
}

function listenToHalts(execution: Execution): void {
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
    else if (execution.books.halts.isNews(payload)) follow(execution, payload);
  });
}

function follow(
  execution: Execution,
  { state, scope, reason }: { state: string; scope: string; reason: string },
): void {
  if (state === 'halt') execution.halt(scope, reason);
  else execution.resume(scope, reason);
}

async function runToEnd(execution: Execution): Promise<RunEnd> {
  CancellationScope.current().cancelRequested.catch(() => {
    execution.cancel();
  });
  const end = await CancellationScope.nonCancellable(() => execution.run());
  if (end === 'continue') return end;
  if (execution.wasCancelled) throw new CancelledFailure('the execution was cancelled');
  const { failure } = execution.books.graph;
  if (failure === undefined) return end;
  const { node_id, error, error_type } = failure;
  throw ApplicationFailure.create({
    message: `${node_id}: ${error}`,
    type: 'NodeFailed',
    nonRetryable: true,
    details: [{ node_id, error, error_type }],
  });
}

/** The memo keeps what the list needs and a new run would hide: when the execution itself began. */
async function continueInNewRun(input: RunGraphInput, execution: Execution): Promise<never> {
  const carried = execution.carry();
  const info = workflowInfo();
  const attributes = startAttributes(input).updateCopy([stateAttribute(execution.state)]);
  const continueAsNew = makeContinueAsNewFunc<typeof runGraph>({
    workflowTaskTimeout: info.taskTimeoutMs,
    typedSearchAttributes: attributes,
    memo: { ...info.memo, started_at: carried.started_at },
    // A new run is where a pinned execution may take up a new release.
    ...(info.targetWorkerDeploymentVersionChanged ? { initialVersioningBehavior: 'AUTO_UPGRADE' as const } : {}),
  });
  return continueAsNew({ ...input, carried });
}

interface Conclusion {
  readonly outcome: ChildOutcome;
  /** What the workflow ends with; a refusal of the desk keeps its own code. */
  readonly thrown: unknown;
}

function conclude(execution: Execution, error: unknown): Conclusion {
  if (isCancellation(error)) {
    execution.cancel();
    return concluded(execution, 'cancelled', new CancelledFailure('the execution was cancelled'));
  }
  if (error instanceof ApplicationFailure) return concluded(execution, 'failed', error);
  // What no validated graph brings about; retrying the task would not end it.
  if (error instanceof RangeError) {
    const failure = ApplicationFailure.nonRetryable(`The graph cannot be run: ${error.message}`, 'BadRequest');
    return concluded(execution, 'failed', failure);
  }
  if (!(error instanceof ActivityFailure)) return { outcome: failed(String(error), 'Unexpected'), thrown: error };
  execution.abandon('the execution was refused');
  const refusal = error.cause instanceof ApplicationFailure ? error.cause : undefined;
  const message = refusal?.message ?? 'The emergency desk did not answer for a minute.';
  const failure = ApplicationFailure.nonRetryable(message, refusal?.type ?? 'EmergencyUnreachable');
  return concluded(execution, 'failed', failure);
}

function concluded(
  execution: Execution,
  state: ExecutionState,
  thrown: ApplicationFailure | CancelledFailure,
): Conclusion {
  execution.conclude(state);
  const type = thrown instanceof ApplicationFailure ? (thrown.type ?? 'Unexpected') : 'ExecutionCancelled';
  return { outcome: failed(thrown.message, type), thrown };
}

function failed(error: string, error_type: string): ChildOutcome {
  return { kind: 'failed', error, error_type };
}
