/** The workers of one process: one for executions and their nodes, one for the emergency desk on a task queue of its own. */
import type { VersioningBehavior } from '@temporalio/common';
import type { NativeConnection } from '@temporalio/worker';
import {
  GracefulShutdownPeriodExpiredError,
  IllegalStateError,
  Runtime,
  Worker,
  type ActivityInterceptorsFactory,
  type InjectedSinks,
  type WorkerOptions,
} from '@temporalio/worker';
import type { NodeKind, NodeLog } from '../activities/define-node';
import { createNodeActivities, type TradeAttempt } from '../activities/node-activities';
import type { BlobStore } from '../blobs/blob-store';
import type { Config } from '../config/config';
import { messageOf } from '../errors';
import type { Publication } from '../events/build';
import type { NodeTask } from '../graph/task';
import type { OrderPending } from '../activities/order-pending';
import type { Logger } from '../logging';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { Sinks } from '@temporalio/workflow';
import type { EventSinks } from '../workflows/event-sink';
import type { GateSinks } from '../workflows/gate-sink';
import type { Closing } from '../emergency/closing';
import type { Tracer } from '../tracing/tracer';
import type { Venues } from '../venues/venue';
import { NodeAdmission } from './admission';
import { createCancelActivities } from './cancel-activities';
import { createDeskActivities, createDeskReader, createEmergencyCheck, type DeskPorts } from './desk-activities';
import type { DeskGuard } from './desk-guard';
import { logEvent } from './event-lines';
import { createFlattenActivities } from './flatten-activities';
import { createSubgraphActivities } from './subgraph-activities';
import { NodeInterceptor } from './node-interceptor';
import { OrderWaker } from './order-waker';
import { nodeSpans } from './node-spans';
import { Resets } from './resets';

export interface WorkerDependencies {
  readonly config: Pick<Config, 'temporal' | 'worker'>;
  readonly connection: NativeConnection;
  readonly client: HoldfastClient;
  readonly kinds: ReadonlyMap<string, NodeKind>;
  /** With what this worker trades there; the same for all workers of the task queues. */
  readonly venues?: Venues;
  /** Where outputs go that an execution cannot carry; the same for all workers of the task queue. */
  readonly blobs: BlobStore;
  readonly log: Logger;
  /** By desk; without one nothing is gated, and nothing can trade. */
  readonly guardOf?: (deskId: string | undefined) => DeskGuard;
  /** Takes an event and returns at once. */
  readonly publish: (publication: Publication) => void;
  /** Tells all workers that the desk has halted something; returns at once. */
  readonly closeGates?: (closing: Closing) => void;
  /** What the desk tells outside Temporal; without it events are published as all others are, and there is no journal. */
  readonly desk?: Partial<DeskPorts>;
  /** The workflows' code: a prebuilt bundle, or what bundles them now. */
  readonly workflows: Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath' | 'bundlerOptions'>;
  /** Without it nothing is traced. */
  readonly tracer?: Tracer;
  /** Sinks the bundle calls beside the events', such as those of a coverage counter. */
  readonly extraSinks?: InjectedSinks<Sinks>;
}

export interface HoldfastWorker {
  /** Resolves when both workers have stopped; rejects when one fails. */
  readonly finished: Promise<void>;
  /** Takes no new tasks, lets what runs end for ten seconds. */
  shutdown(): Promise<void>;
}

const HEARTBEAT_THROTTLE = '200ms';
const LONGEST_ACTIVATION = '60s';
const SHUTDOWN_GRACE = '10s';
/** What has not ended by then is given up, as if the process had been killed: its heartbeats stop and another worker takes over. */
const SHUTDOWN_FORCE = '12s';

export async function createWorker(dependencies: WorkerDependencies): Promise<HoldfastWorker> {
  const { config, client, kinds, blobs, log } = dependencies;
  const tell = (publication: Publication): void => {
    try {
      logEvent(log, publication.event);
      dependencies.publish(publication);
    } catch (error) {
      // Telling never fails a node.
      log.error({ event_id: publication.event.event_id, error: messageOf(error) }, 'event_not_told');
    }
  };
  const common = commonOptions(dependencies, tell);
  const admission = new NodeAdmission({
    circuit_breakers: config.worker.circuit_breakers,
    publish: tell,
    meter: Runtime.instance().metricMeter,
  });
  // Few nodes write a line, so none is prepared for the others.
  const nodeLog = (task: NodeTask): NodeLog => ({
    info: (fields, message) => {
      log.info({ ...correlation(task), ...fields }, message);
    },
  });
  const graphs = await Worker.create({
    ...common,
    ...versioning(config, 'PINNED'),
    taskQueue: config.temporal.task_queue,
    activities: {
      ...createNodeActivities(kinds.values(), { blobs, log: nodeLog, ...tradeBy(dependencies) }),
      ...createEmergencyCheck(client),
      ...createDeskReader(client),
      ...createSubgraphActivities(client),
    },
    interceptors: { activity: [nodeInterceptor(dependencies, admission, tell)] },
    maxConcurrentActivityTaskExecutions: config.worker.max_concurrent_activities,
    maxConcurrentWorkflowTaskExecutions: config.worker.max_concurrent_workflow_tasks,
  });
  const desk = await Worker.create({
    ...common,
    ...versioning(config, 'AUTO_UPGRADE'),
    taskQueue: config.temporal.desk_task_queue,
    activities: deskActivities(dependencies),
  });
  return started(graphs, desk);
}

function deskActivities(dependencies: WorkerDependencies) {
  const { client, log, venues = new Map() } = dependencies;
  const ports = deskPorts(dependencies);
  const { publishEvents } = ports;
  return {
    ...createDeskActivities(client, ports),
    ...createCancelActivities({ client, venues, publishEvents }),
    ...createFlattenActivities({ client, venues, publishEvents, log, ...tradeBy(dependencies) }),
  };
}

function deskPorts({ publish, desk }: WorkerDependencies): DeskPorts {
  const publishEvents = (events: readonly Publication[]): Promise<void> => {
    for (const event of events) publish(event);
    return Promise.resolve();
  };
  return { publishEvents, ...desk };
}

function commonOptions(
  { config, connection, workflows, extraSinks, closeGates }: WorkerDependencies,
  tell: (publication: Publication) => void,
) {
  const sinks: InjectedSinks<EventSinks & GateSinks> = {
    gates: {
      close: {
        fn: (_info, closing) => {
          closeGates?.(closing);
        },
        callDuringReplay: false,
      },
    },
    events: {
      publish: {
        fn: (_info, publication) => {
          tell(publication);
        },
        callDuringReplay: false,
      },
    },
  };
  return {
    connection,
    namespace: config.temporal.namespace,
    ...workflows,
    sinks: { ...extraSinks, ...sinks },
    dataConverter: { payloadConverterPath: require.resolve('../workflows/payload-converter') },
    // So that a killed worker's cached executions move on in seconds.
    stickyQueueScheduleToStartTimeout: config.worker.sticky_timeout_ms,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    // A flood of messages in one task must not end the process, as the SDK's own five seconds do.
    isolateExecutionTimeout: LONGEST_ACTIVATION,
    shutdownGraceTime: SHUTDOWN_GRACE,
    shutdownForceTime: SHUTDOWN_FORCE,
  };
}

/**
 * An execution stays with the build it began on; the desk lives for ever and moves on with each, or an old build could never be
 * stopped. Without a deployment nothing is versioned, and any worker takes any task.
 */
function versioning({ worker }: WorkerDependencies['config'], defaultVersioningBehavior: VersioningBehavior) {
  const { deployment } = worker;
  if (deployment === undefined) return {};
  const version = { deploymentName: deployment.name, buildId: deployment.build_id };
  return { workerDeploymentOptions: { useWorkerVersioning: true as const, version, defaultVersioningBehavior } };
}

function nodeInterceptor(
  { kinds, guardOf, tracer, client, log }: Pick<WorkerDependencies, 'kinds' | 'guardOf' | 'tracer' | 'client' | 'log'>,
  admission: NodeAdmission,
  publish: (publication: Publication) => void,
): ActivityInterceptorsFactory {
  const enter = (task: NodeTask) => admission.enter(task);
  const waker = new OrderWaker({
    wake: (execution_id, look) => client.lookAgain(execution_id, look),
    onError: (error) => {
      log.info({ error }, 'order_word_not_passed_on');
    },
  });
  const traced = tracer === undefined ? {} : { span: nodeSpans(tracer) };
  const options = {
    isNode: (type: string) => kinds.has(type),
    enter,
    publish,
    ...verdictBy(kinds, guardOf),
    ...traced,
    keepWatch: (task: NodeTask, pending: OrderPending) => {
      waker.keepWatch(task, pending);
    },
  };
  return (context) => ({ inbound: new NodeInterceptor(context, options) });
}

function verdictBy(kinds: ReadonlyMap<string, NodeKind>, guardOf: WorkerDependencies['guardOf']) {
  if (guardOf === undefined) return {};
  const verdict = (task: NodeTask) => guardOf(task.desk).verdict(task, kinds.get(task.node_type)?.effect ?? 'trade');
  return { verdict };
}

function tradeBy({ guardOf, client }: Pick<WorkerDependencies, 'guardOf' | 'client'>) {
  if (guardOf === undefined) return {};
  const resets = new Resets(client);
  return { openTrade: (attempt: TradeAttempt) => guardOf(attempt.task.desk).openTrade(attempt, resets) };
}

function correlation({ execution_id, workflow_id, bot_id, strategy_id, node_id, node_type }: NodeTask) {
  return { execution_id, workflow_id, bot_id, strategy_id, node_id, node_type };
}

function started(...workers: readonly Worker[]): HoldfastWorker {
  const stop = (): void => {
    for (const worker of workers) {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    }
  };
  const finished = Promise.all(workers.map((worker) => worker.run().catch(ignoreExpiredGrace).finally(stop))).then(
    () => undefined,
  );
  return {
    finished,
    shutdown: async () => {
      stop();
      await finished;
    },
  };
}

/**
 * Work given up at the end of the grace is no error; nor is the SDK finding its native worker still referred to by a poll that has
 * already returned, which happens on a loaded machine after everything was drained.
 */
function ignoreExpiredGrace(error: unknown): void {
  const isStillReferred = error instanceof IllegalStateError && error.message.includes('still in use');
  if (!(error instanceof GracefulShutdownPeriodExpiredError) && !isStillReferred) throw error;
}
