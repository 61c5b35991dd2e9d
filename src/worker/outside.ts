/** What a worker process is connected to beside Temporal: the event log, the gates' channel, the journal. */
import { randomUUID } from 'node:crypto';
import { Runtime } from '@temporalio/worker';
import type { Config } from '../config/config';
import { messageOf } from '../errors';
import { ClosingPublisher, EventPublisher } from '../event-log';
import { openJournal } from '../journal/journal';
import type { Logger } from '../logging';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { OrderLookup } from '../venues/order-lookup';
import type { WorkerDependencies } from './create-worker';
import type { Venues } from '../venues/venue';
import { DeskGuards } from './desk-guards';
import { EventMetrics } from './event-metrics';
import { Reconciler } from './reconciler';

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

export function openOutside(
  config: Config,
  { client, log, lookups = [], venues = new Map() }: OutsideOptions,
): Outside {
  const saying = (what: string) => (error: unknown) => {
    log.warn({ error: messageOf(error) }, what);
  };
  const redis_url = config.redis.url;
  const { closing_key } = config.emergency;
  const events = config.worker.events ? openEvents(config, saying('event_log_unavailable')) : undefined;
  const publisher = events?.publisher;
  const closings =
    closing_key === undefined
      ? undefined
      : new ClosingPublisher(redis_url, closing_key, saying('closings_channel_unavailable'));
  const journal = openJournal(config.journal.url, { onError: saying('journal_connection_broke') });
  // With a key nobody knows nobody can sign: then gates hear nothing, and read the desk as often as those that lost Redis.
  const guards = new DeskGuards({ client, log, lookups, redis_url, closing_key: closing_key ?? randomUUID() });
  const reconciler = reconcilerOf(client, log, venues);
  reconciler.start();
  return {
    publish: (publication) => publisher?.publish(publication),
    guardOf: guards.of,
    closeGates: (closing) => void closings?.publish(closing).catch(saying('closing_not_published')),
    desk: {
      journal,
      ...(publisher === undefined ? {} : { publishEvents: (events) => publisher.deliver(events, DELIVER_WITHIN_MS) }),
    },
    close: async () => {
      reconciler.close();
      const untold = await guards.close();
      if (untold > 0) log.warn({ untold }, 'permits_left_to_the_sweeper');
      closings?.close();
      await events?.close();
      await journal.close();
    },
  };
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

function reconcilerOf(client: HoldfastClient, log: Logger, venues: Venues): Reconciler {
  return new Reconciler({
    accounts: [...venues].flatMap(([venue, { trading }]) => (trading === undefined ? [] : [{ venue, trading }])),
    desks: {
      listDesks: () => client.listDesks(),
      openOrders: (question, deskId) => client.openOrders(question, deskId),
    },
    alert: (command) => client.commandDesk(command),
    log,
    meter: Runtime.instance().metricMeter,
  });
}
