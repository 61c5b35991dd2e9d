/** What the worker of executions and that of the desk have in common. */
import type { VersioningBehavior } from '@temporalio/common';
import type { InjectedSinks } from '@temporalio/worker';
import type { TradeAttempt } from '../activities/node-activities';
import type { Publication } from '../events/build';
import type { EventSinks } from '../workflows/event-sink';
import type { GateSinks } from '../workflows/gate-sink';
import type { WorkerDependencies } from './create-worker';
import { Resets } from './resets';

/** Takes an event, and never throws. */
export type Tell = (publication: Publication) => void;

const HEARTBEAT_THROTTLE = '200ms';
const LONGEST_ACTIVATION = '60s';
const SHUTDOWN_GRACE = '10s';
/** What has not ended by then is given up, as if the process had been killed: its heartbeats stop and another worker takes over. */
const SHUTDOWN_FORCE = '12s';

/** Of both workers of a process. */
export function commonOptions(
  { config, connection, workflows, extraSinks, closeGates }: WorkerDependencies,
  tell: Tell,
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
export function versioning({ worker }: WorkerDependencies['config'], defaultVersioningBehavior: VersioningBehavior) {
  const { deployment } = worker;
  if (deployment === undefined) return {};
  const version = { deploymentName: deployment.name, buildId: deployment.build_id };
  return { workerDeploymentOptions: { useWorkerVersioning: true as const, version, defaultVersioningBehavior } };
}

/** The permits of one attempt to trade, by the desk it belongs to; without guards nothing can trade. */
export function tradeBy({ guardOf, client, venues }: Pick<WorkerDependencies, 'guardOf' | 'client' | 'venues'>) {
  if (guardOf === undefined) return {};
  const resets = new Resets(client);
  const modeOf = (venue: string) => venues?.get(venue)?.mode;
  return { openTrade: (attempt: TradeAttempt) => guardOf(attempt.task.desk).openTrade(attempt, resets, modeOf) };
}
