/** The workers of one process: one for executions and their nodes, one for the emergency desk on a task queue of its own, or either. */
import type { NativeConnection } from '@temporalio/worker';
import {
  GracefulShutdownPeriodExpiredError,
  IllegalStateError,
  type InjectedSinks,
  type Worker,
  type WorkerOptions,
} from '@temporalio/worker';
import type { NodeKind } from '../activities/define-node';
import type { BlobStore } from '../blobs/blob-store';
import type { Config } from '../config/config';
import { messageOf } from '../errors';
import type { Publication } from '../events/build';
import type { Logger } from '../logging';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { Sinks } from '@temporalio/workflow';
import type { Closing } from '../emergency/closing';
import type { Tracer } from '../tracing/tracer';
import type { Venues } from '../venues/venue';
import type { DeskPorts } from './desk-activities';
import type { DeskGuard } from './desk-guard';
import { logEvent } from './event-lines';
import type { Tell } from './worker-options';

export interface WorkerDependencies {
  readonly config: Pick<Config, 'temporal' | 'worker'>;
  readonly connection: NativeConnection;
  readonly client: HoldfastClient;
  /** Of executions; nothing runs them where the desk alone is served. */
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

export async function createWorker(dependencies: WorkerDependencies): Promise<HoldfastWorker> {
  const { config, log } = dependencies;
  const tell: Tell = (publication) => {
    try {
      logEvent(log, publication.event);
      dependencies.publish(publication);
    } catch (error) {
      // Telling never fails a node.
      log.error({ event_id: publication.event.event_id, error: messageOf(error) }, 'event_not_told');
    }
  };
  const workers: Worker[] = [];
  if (config.worker.serves.has('graphs')) {
    const { createGraphWorker } = await import('./graph-worker.js');
    workers.push(await createGraphWorker(dependencies, tell));
  }
  if (config.worker.serves.has('desk')) {
    const { createDeskWorker } = await import('./desk-worker.js');
    workers.push(await createDeskWorker(dependencies, tell));
  }
  return started(workers);
}

function started(workers: readonly Worker[]): HoldfastWorker {
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
