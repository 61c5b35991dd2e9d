/** One execution of a graph is one `runGraph` workflow, in as many runs as its history needs. */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  isCancellation,
  log,
  makeContinueAsNewFunc,
  patched,
  proxyActivities,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { haltReason } from '../emergency/reason';
import type { Scope } from '../emergency/model';
import { partScopesOf } from '../emergency/scopes';
import type { ExecutionContext } from '../events/build';
import { asTraceparent } from '../events/traceparent';
import { MAX_CARRIED_BYTES, MAX_INPUT_BYTES } from '../graph/limits';
import { weightOf } from '../graph/output-ledger';
import { present } from '../json';
import { isChildEnd, PARENT_SCOPE, reportToParent } from './children';
import { hearNotice } from './desk-notices';
import { Execution, type RunEnd } from './execution';
import { isEmergencyNotice, OWN_SCOPE } from './halts';
import { isLookAgain } from './looks';
import { readDelivery } from './mailbox';
import {
  approveUpdate,
  childEndedSignal,
  deliverSignal,
  emergencySignal,
  emergencyUpdate,
  haltSignal,
  lookAgainSignal,
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
const { assertCanOperate } = proxyActivities<{
  assertCanOperate(deskId: string, scopes: readonly Scope[]): Promise<void>;
}>({
  startToCloseTimeout: '6s',
  scheduleToCloseTimeout: '60s',
  retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '5s' },
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  summary: 'emergency check',
});

const LOOKS_AGAIN = 'looks-again';
/** The server takes 2 MiB. */
const MOST_CARRIED = 2_000_000;

export async function runGraph(input: RunGraphInput): Promise<RunGraphResult> {
  const execution = prepare(input);
  const isFirstRun = workflowInfo().continuedFromExecutionRunId === undefined;
  // First, because a signal that came with the start is handled as soon as its handler is set.
  if (isFirstRun) execution.announceStart();
  listen(execution);
  try {
    if (isFirstRun) await assertMayStart(input, execution);
    const end = await runToEnd(execution);
    if (end === 'continue') await continueInNewRun(input, execution);
    assertCanBeGiven(execution);
  } catch (error) {
    const conclusion = conclude(execution, error);
    await reportToParent(workflowInfo().workflowId, input.parent, conclusion.outcome);
    throw conclusion.thrown;
  }
  const { outputs, outputsUntil } = execution.books.graph;
  const given = { outputs, ...present({ good_until: outputsUntil }) };
  execution.conclude('completed');
  await reportToParent(workflowInfo().workflowId, input.parent, { kind: 'completed', ...given });
  return { outcome: 'completed', ...given, nodes: countStates(execution.status()) };
}

/** A result the server would not take ends the execution in words. */
function assertCanBeGiven({ books }: Execution): void {
  const size = weightOf(books.graph.outputs);
  if (size <= MAX_INPUT_BYTES) return;
  throw ApplicationFailure.nonRetryable(
    `the graph's outputs take ${size} bytes; ${MAX_INPUT_BYTES} can be given`,
    'OutputTooLarge',
  );
}

/** A refusal of the desk ends the execution under its own code. */
async function assertMayStart({ graph, parent }: RunGraphInput, execution: Execution): Promise<void> {
  try {
    await assertCanOperate(graph.desk ?? DEFAULT_DESK, partScopesOf(graph));
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    const refusal = error.cause instanceof ApplicationFailure ? error.cause : undefined;
    if (parent !== undefined && standsStill(execution, refusal)) return;
    execution.abandon('the execution was refused');
    throw refusedBy(refusal);
  }
}

/** The execution a child belongs to stands still by the same halt, and both go on with the same word of the desk. */
function standsStill(execution: Execution, refusal: ApplicationFailure | undefined): boolean {
  const halt = refusal?.details?.[0];
  if (!isEmergencyNotice(halt)) return false;
  hearNotice(execution, halt);
  return true;
}

function refusedBy(refusal: ApplicationFailure | undefined): ApplicationFailure {
  const message = refusal?.message ?? 'The emergency desk did not answer for a minute.';
  return ApplicationFailure.nonRetryable(message, refusal?.type ?? 'EmergencyUnreachable');
}

/** Input that is no graph ends the execution in words; a plain error would be retried for ever. */
function prepare(input: RunGraphInput): Execution {
  try {
    return new Execution(input, contextOf(input));
  } catch (error) {
    throw ApplicationFailure.nonRetryable(`The input is not a prepared graph: ${String(error)}`, 'BadRequest');
  }
}

function contextOf({ graph, version, mode, traceparent }: RunGraphInput): ExecutionContext {
  const { bot_id, strategy_id } = graph;
  return {
    execution_id: workflowInfo().workflowId,
    workflow_id: graph.id,
    graph_version: version,
    ...present({ bot_id, strategy_id, traceparent: asTraceparent(traceparent) }),
    mode,
  };
}

function listen(execution: Execution): void {
  setHandler(statusQuery, () => execution.status());
  setHandler(snapshotQuery, () => execution.carry());
  listenToHalts(execution);
  setHandler(
    deliverSignal,
    heard(execution, (payload) => {
      const delivery = readDelivery(payload);
      const ignored = typeof delivery === 'string' ? delivery : execution.deliver(delivery);
      if (ignored !== undefined) log.warn('message_ignored', { why: ignored });
    }),
  );
  setHandler(
    childEndedSignal,
    heard(execution, (payload) => {
      if (isChildEnd(payload)) execution.children.ended(payload.child_id, payload.outcome);
      else log.warn('child_end_ignored', { why: 'its payload cannot be read' });
    }),
  );
  setHandler(
    lookAgainSignal,
    heard(execution, (payload) => {
      // Earlier releases ignored it, and their histories may hold one.
      if (isLookAgain(payload) && patched(LOOKS_AGAIN)) execution.looks.ask(payload);
    }),
  );
  listenToSteering(execution);
  setDefaultSignalHandler((name) => {
    log.warn('signal_ignored', { signal: name });
    execution.look();
    execution.pump();
  });
}

function listenToSteering(execution: Execution): void {
  setHandler(
    approveUpdate,
    (request) => {
      execution.look();
      return steering.approve(execution, request);
    },
    {
      validator: (request) => {
        steering.assertApprovable(execution, request);
      },
    },
  );
  setHandler(
    retryNodeUpdate,
    (request) => {
      execution.look();
      return steering.retryNode(execution, request);
    },
    {
      validator: (request) => {
        steering.assertChangeable(execution, request);
      },
    },
  );
  setHandler(
    skipNodeUpdate,
    (request) => {
      execution.look();
      return steering.skipNode(execution, request);
    },
    {
      validator: (request) => {
        steering.assertChangeable(execution, request);
      },
    },
  );
}

/** Handlers are total, and even one that changes nothing is looked at: it made the history longer. */
function heard(execution: Execution, handler: (payload: unknown) => void): (payload?: unknown) => void {
  return (payload) => {
    execution.guard(() => {
      execution.look();
      handler(payload);
      execution.pump();
    });
  };
}

function listenToHalts(execution: Execution): void {
  setHandler(
    haltSignal,
    heard(execution, (payload) => {
      execution.halt(OWN_SCOPE, haltReason(payload));
    }),
  );
  setHandler(
    resumeSignal,
    heard(execution, (payload) => {
      const reason = resumeReason(payload);
      if (reason === undefined) log.warn('resume_ignored', { why: 'its payload cannot be read' });
      else {
        execution.resume(OWN_SCOPE, reason);
        // The parent may be gone, and nobody else could lift what it said.
        execution.resume(PARENT_SCOPE, reason);
      }
    }),
  );
  const hear = heard(execution, (payload) => {
    if (!isEmergencyNotice(payload)) log.warn('emergency_ignored', { why: 'its payload cannot be read' });
    else hearNotice(execution, payload);
  });
  setHandler(emergencySignal, hear);
  setHandler(emergencyUpdate, hear);
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
  const whole = execution.carry();
  const fits = weightOf({ ...input, carried: whole }) <= MAX_CARRIED_BYTES;
  const carried = fits ? whole : execution.carry(true);
  const size = fits ? 0 : weightOf({ ...input, carried });
  if (size > MOST_CARRIED) {
    throw ApplicationFailure.nonRetryable(
      `what the execution holds takes ${size} bytes and cannot be carried on`,
      'OutputTooLarge',
    );
  }
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
  /** What the workflow ends with. */
  readonly thrown: ApplicationFailure | CancelledFailure;
}

/** Throws what is no end of an execution: going on in a new run, and defects, for which Temporal tries the task again. */
function conclude(execution: Execution, error: unknown): Conclusion {
  if (isCancellation(error)) {
    execution.cancel();
    return concluded(execution, 'cancelled', new CancelledFailure('the execution was cancelled'));
  }
  if (error instanceof ApplicationFailure) return concluded(execution, 'failed', error);
  // What no validated graph brings about; trying the task again would not end it.
  if (error instanceof RangeError) {
    const failure = ApplicationFailure.nonRetryable(`The graph cannot be run: ${error.message}`, 'BadRequest');
    return concluded(execution, 'failed', failure);
  }
  throw error;
}

function concluded(execution: Execution, state: ExecutionState, thrown: Conclusion['thrown']): Conclusion {
  execution.conclude(state);
  const error_type = thrown instanceof ApplicationFailure ? (thrown.type ?? 'Unexpected') : 'ExecutionCancelled';
  return { outcome: { kind: 'failed', error: thrown.message, error_type }, thrown };
}
