/** The gateway as a whole: given its parts, it listens, serves and closes. Reads no configuration and never exits. */
import type { FastifyInstance } from 'fastify';
import { kindCatalogue, type NodeKinds } from '../activities/kinds';
import type { Config } from '../config/config';
import { HoldfastError } from '../errors';
import { ClosingPublisher, EventPublisher, EventReader } from '../event-log';
import { present } from '../json';
import type { Logger } from '../logging';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import { isLoopback } from './access';
import { addEmergency, type EmergencyApiContext } from './api-emergency';
import { addExecutions, type ApiContext } from './api-executions';
import { addOrders } from './api-orders';
import { addSteering, approve } from './api-steering';
import { addNodeKinds, addWorkflows } from './api-workflows';
import { obey } from './emergency';
import { EventFeed } from './feed';
import { createHttp } from './http';
import type { GatewayJournal } from './journal-reads';
import { MetricsTeller } from './metrics-teller';
import { Reconciler } from './reconciler';
import { Refusals } from './refusals';
import { Sockets } from './sockets';

export interface GatewayOptions {
  readonly config: Config['gateway'];
  readonly redis: Config['redis'];
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
}

export interface Gateway {
  /** Listens and returns the address. Throws `PortTaken`. */
  listen(): Promise<string>;
  /** Tells the clients, ends the connections, sends what is left to publish. */
  close(): Promise<void>;
}

const RECONNECT_IN_MS = 500;

export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, redis, client, log, page, journal, kinds = kindCatalogue } = options;
  const secret = secretOf(config);
  const onError = (error: Error) => {
    log.warn({ error: error.message }, 'redis_failing');
  };
  const reader = new EventReader(redis.url, onError);
  const publisher = new EventPublisher(redis.url, { onError });
  const rules = { host: config.host, allowed_origins: config.allowed_origins };
  const checks = { redis: async () => reader.ping().then(() => true), temporal: async () => client.isHealthy() };
  const app = await createHttp({ rules, secret, log, page, checks });
  const closings = closingsOf(options, onError);
  const refusals = new Refusals(client, log);
  const api = { client, reader, kinds, log, refusals, ...present({ closings, journal }) };
  addApi(app, api);
  const sockets = new Sockets({
    ...{ http: app.server, rules, secret, reader, log },
    approve: (identity, message) => approve(api, identity, message),
    command: (identity, message) => obey(api, identity, present(message)),
  });
  const reconciler = new Reconciler({ client, reader, publisher, log });
  const metrics = journal === undefined ? undefined : new MetricsTeller({ client, journal, publisher, log });
  const feed = feedOf(options, { reader, sockets, reconciler });
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

function feedOf(
  { redis, log }: GatewayOptions,
  {
    reader,
    sockets,
    reconciler,
  }: { readonly reader: EventReader; readonly sockets: Sockets; readonly reconciler: Reconciler },
): EventFeed {
  return new EventFeed(redis.url, reader, log, {
    onEvent: (event) => {
      sockets.publish(event);
    },
    onGap: (gap) => {
      sockets.tellGap(gap);
    },
    onHint: ({ execution_id }) => {
      if (execution_id !== undefined) reconciler.wake(execution_id);
    },
  });
}

function closingsOf({ closing_key, redis }: GatewayOptions, onError: (error: Error) => void) {
  return closing_key === undefined ? undefined : new ClosingPublisher(redis.url, closing_key, onError);
}

function addApi(app: FastifyInstance, api: ApiContext & EmergencyApiContext): void {
  addWorkflows(app, api);
  addExecutions(app, api);
  addSteering(app, api);
  addEmergency(app, api);
  addOrders(app, api);
  addNodeKinds(app, api.kinds);
}

/** Without a secret no token is accepted, which is only safe to find out on one's own machine. Throws `ConfigurationInvalid`. */
function secretOf({ host, jwt_secret }: Config['gateway']): string {
  if (jwt_secret !== undefined) return jwt_secret;
  const where = isLoopback(host) ? '' : ` to listen on ${host}`;
  throw new HoldfastError('ConfigurationInvalid', `The gateway needs HOLDFAST_JWT_SECRET${where}.`);
}

async function listen(app: FastifyInstance, { host, port }: Config['gateway']): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new HoldfastError('PortTaken', `Port ${port} on ${host} is in use by another program.`, { port });
  }
}
