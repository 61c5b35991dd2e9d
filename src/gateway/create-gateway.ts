/** The gateway as a whole: given its parts, it listens, serves and closes. Reads no configuration and never exits. */
import type { FastifyInstance } from 'fastify';
import { kindCatalogue, type NodeKinds } from '../activities/kinds';
import type { Config } from '../config/config';
import { HoldfastError } from '../errors';
import { ClosingPublisher, EventPublisher, EventReader } from '../event-log';
import { present } from '../json';
import type { Logger } from '../logging';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import type { Tracer } from '../tracing/tracer';
import { Accounts } from './accounts';
import { restRoutes } from './api';
import { approve } from './api-steering';
import { Budgets } from './budgets';
import { Counters } from './counters';
import { obey } from './emergency';
import { EventFeed } from './feed';
import type { FeedMetrics } from './feed-metrics';
import { createHttp } from './http';
import type { GatewayJournal } from './journal-reads';
import { limiter } from './limiter';
import { DEFAULT_LIMITS, type GatewayLimits } from './limits';
import { MetricsTeller } from './metrics-teller';
import { Reconciler } from './reconciler';
import { Refusals } from './refusals';
import { addRoutes } from './route';
import { safeSecret } from './safety';
import { Sockets } from './sockets';
import { startAsked } from './starts';

export interface GatewayOptions {
  readonly config: Pick<Config['gateway'], 'host' | 'port' | 'jwt_secret' | 'allowed_origins'>;
  /** What is not given is as `DEFAULT_LIMITS` has it. */
  readonly limits?: Partial<GatewayLimits>;
  /** `reader_url` is by default the same; one partition. */
  readonly redis: Pick<Config['redis'], 'url'> & Partial<Config['redis']>;
  /** What closings are signed with; without it gates close by the desk's answer alone. */
  readonly closing_key?: string | undefined;
  /** Absent where none is configured. */
  readonly journal?: GatewayJournal | undefined;
  readonly client: HoldfastClient;
  /** What graphs may be made of; by default the shipped kinds. */
  readonly kinds?: NodeKinds;
  readonly log: Logger;
  /** Folder of the page. */
  readonly page: string;
  /** Address of the namespace in Temporal's Web UI; absent where none is configured. */
  readonly web_ui?: string | undefined;
  /** Milliseconds since 1970; by default the clock of this machine. */
  readonly now?: () => number;
  /** Without it nothing is traced. */
  readonly tracer?: Tracer | undefined;
}

export interface Gateway {
  /** Listens and returns the address. Throws `PortTaken`. */
  listen(): Promise<string>;
  /** Tells the clients, ends the connections, sends what is left to publish. */
  close(): Promise<void>;
}

const RECONNECT_IN_MS = 500;
/** For a gateway that has just started, before a subscription is refused. */
const HEARS_WITHIN_MS = 2_000;
/** Lines about what others put into Redis: more are in the counters alone. */
const STRANGE_EVENTS = { per_second: 0.2, burst: 5 };

/** Throws `ConfigurationInvalid` where the settings are not safe for where it listens. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, client, log, page, journal, kinds = kindCatalogue, now = Date.now, tracer, web_ui } = options;
  const secret = safeSecret(config);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const counters = new Counters();
  const eventLog = openEventLog(options, counters);
  const { reader, publisher, closings } = eventLog;
  const rules = { host: config.host, allowed_origins: config.allowed_origins };
  const checks = { redis: async () => reader.ping().then(() => true), temporal: async () => client.isHealthy() };
  const budgets = new Budgets(limits.requests, limits.request_raises);
  const app = await createHttp({ rules, secret, log, page, budgets, counters });
  const refusals = new Refusals(client, log);
  const accounts = new Accounts(client);
  const parts = { client, reader, accounts, kinds, log, now, refusals };
  const api = { ...parts, ...present({ closings, journal, tracer, web_ui }) };
  addRoutes(app, restRoutes({ ...api, counters, checks }));
  const sockets = new Sockets({
    ...{ http: app.server, rules, secret, reader, log, limits, counters },
    budgets: new Budgets(limits.messages, limits.raises),
    hears: () => feed.begun(HEARS_WITHIN_MS),
    account: (id) => accounts.of(id),
    start: (identity, message) => startAsked(api, identity, message),
    approve: (identity, message) => approve(api, identity, message),
    command: (identity, message) => obey(api, identity, present(message)),
  });
  const reconciler = new Reconciler({ client, reader, publisher, log });
  const metrics = journal === undefined ? undefined : new MetricsTeller({ client, journal, publisher, log });
  const feed = feedOf(options, { ...eventLog, sockets, reconciler, metrics: counters.feed });
  counters.feed.watch(feed, () => publisher.stats());
  counters.desk.watch(() => client.deskStatus());
  return {
    listen: async () => {
      const url = await listen(app, config);
      reconciler.start();
      metrics?.start();
      return url;
    },
    close: async () => {
      await sockets.drain(RECONNECT_IN_MS);
      await Promise.all([reconciler.stop(), metrics?.stop()]);
      feed.close();
      closings?.close();
      await app.close();
      await publisher.close();
      reader.close();
    },
  };
}

interface EventLog {
  readonly reader: EventReader;
  readonly publisher: EventPublisher;
  readonly closings: ClosingPublisher | undefined;
  /** Counts what others put into Redis. */
  readonly onRefused: (where: string) => void;
}

function openEventLog({ redis, closing_key, log }: GatewayOptions, counters: Counters): EventLog {
  const onError = (error: Error) => {
    log.warn({ error: error.message }, 'redis_failing');
  };
  const partitions = present({ partitions: redis.event_partitions });
  const mayLog = limiter(STRANGE_EVENTS);
  const onRefused = (where: string) => {
    counters.refused('event');
    if (mayLog()) log.warn({ where }, 'event_refused');
  };
  return {
    reader: new EventReader(readerUrl(redis), { onError, onRefused, ...partitions }),
    publisher: new EventPublisher(redis.url, { onError, ...partitions }),
    closings: closing_key === undefined ? undefined : new ClosingPublisher(redis.url, closing_key, onError),
    onRefused,
  };
}

function readerUrl({ url, reader_url = url }: GatewayOptions['redis']): string {
  return reader_url;
}

interface FeedParts extends Pick<EventLog, 'reader' | 'onRefused'> {
  readonly sockets: Sockets;
  readonly reconciler: Reconciler;
  readonly metrics: FeedMetrics;
}

function feedOf({ redis, log }: GatewayOptions, parts: FeedParts): EventFeed {
  const { reader, onRefused, sockets, reconciler, metrics } = parts;
  return new EventFeed(readerUrl(redis), reader, log, {
    onEvent: (event) => {
      metrics.came(event);
      sockets.publish(event);
    },
    onGap: (gap) => {
      metrics.gapTold(gap);
      sockets.tellGap(gap);
      if (gap.reason === 'dropped') reconciler.doubt(gap);
    },
    onHint: ({ execution_id }) => {
      if (execution_id !== undefined) reconciler.wake(execution_id);
    },
    onRefused,
  });
}

async function listen(app: FastifyInstance, { host, port }: GatewayOptions['config']): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new HoldfastError('PortTaken', `Port ${port} on ${host} is in use by another program.`, { port });
  }
}
