/** What a worker process is connected to beside Temporal: the event log, its gates, and what the desk tells where it serves that. */
import { randomUUID } from 'node:crypto';
import { Runtime } from '@temporalio/worker';
import type { Config } from '../config/config';
import { messageOf } from '../errors';
import { EventPublisher } from '../event-log';
import type { Publication } from '../events/build';
import { present } from '../json';
import type { Logger } from '../logging';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { OrderLookup } from '../venues/order-lookup';
import type { WorkerDependencies } from './create-worker';
import type { Venues } from '../venues/venue';
import { DeskGuards, type DeskGuardsOptions } from './desk-guards';
import type { openDeskOutside } from './desk-outside';
import { EventMetrics } from './event-metrics';

type Ports = Pick<WorkerDependencies, 'publish' | 'desk' | 'guardOf' | 'closeGates'>;

export interface Outside extends Ports {
  close(): Promise<void>;
}

/** The gates hear it from the desk within seconds, so the desk waits no longer for the log either. */
const DELIVER_WITHIN_MS = 5_000;

export interface OutsideOptions {
  readonly client: HoldfastClient;
  readonly log: Logger;
  /** Of the venue accounts this worker can ask what became of an order. */
  readonly lookups?: readonly OrderLookup[];
  /** Whose accounts are compared with what the desks know. */
  readonly venues?: Venues;
}

export async function openOutside(config: Config, options: OutsideOptions): Promise<Outside> {
  const { client, log, lookups = [], venues = new Map() } = options;
  const saying = (what: string) => (error: unknown) => {
    log.warn({ error: messageOf(error) }, what);
  };
  const servesDesk = config.worker.serves.has('desk');
  const events = config.worker.events ? openEvents(config, saying('event_log_unavailable')) : undefined;
  const publisher = events?.publisher;
  const guards = guardsOf(config, servesDesk ? { client, log, lookups } : { client, log });
  const desk = servesDesk ? await openDesk(config, { client, log, venues, saying }) : undefined;
  const publishEvents = publisher && ((some: readonly Publication[]) => publisher.deliver(some, DELIVER_WITHIN_MS));
  return {
    publish: (publication) => publisher?.publish(publication),
    guardOf: guards.of,
    ...present({ closeGates: desk?.closeGates }),
    desk: present({ journal: desk?.journal, publishEvents }),
    close: async () => {
      const untold = await guards.close();
      if (untold > 0) log.warn({ untold }, 'permits_left_to_the_sweeper');
      await events?.close();
      await desk?.close();
    },
  };
}

/** The desk's workers sweep for all: a venue is asked no more often because there are many workers of executions. */
function guardsOf({ redis, emergency }: Config, options: Pick<DeskGuardsOptions, 'client' | 'log' | 'lookups'>) {
  // With a key nobody knows nobody can sign: then gates hear nothing, and read the desk as often as those that lost Redis.
  const { closing_key = randomUUID() } = emergency;
  return new DeskGuards({ ...options, redis_url: redis.url, closing_key });
}

async function openDesk(...args: Parameters<typeof openDeskOutside>) {
  const { openDeskOutside: open } = await import('./desk-outside.js');
  return open(...args);
}

function openEvents({ redis }: Config, onError: (error: Error) => void) {
  const metrics = new EventMetrics(Runtime.instance().metricMeter);
  const options = { partitions: redis.event_partitions, onError, onTaken: metrics.taken };
  const publisher = new EventPublisher(redis.url, options);
  metrics.watch(() => publisher.stats());
  const close = async () => {
    await publisher.close();
    metrics.close();
  };
  return { publisher, close };
}
