/** The paper venue as a whole: given its profiles, it listens and serves. Reads no configuration and never exits. */
import Fastify, { type FastifyInstance } from 'fastify';
import { ZodError } from 'zod';
import { HoldfastError, messageOf } from '../errors';
import type { Logger } from '../logging';
import { addAdmin, isLoopback } from './admin';
import { MarketEndpoints } from './market-endpoints';
import { OrderEndpoints } from './order-endpoints';
import { Profile, type ProfileClock, type ProfileOptions } from './profile';
import { Refusal } from './refusal';
import { serve, type Endpoint } from './request';
import { refuse, WebSocketApi } from './web-socket-api';

export interface PaperVenueOptions {
  readonly profiles: readonly ProfileOptions[];
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any that is free. */
  readonly port?: number;
  /** Allows a host that other machines reach. Default false: whoever reaches it knows the usual key. */
  readonly open_to_network?: boolean;
  /** Where the books are kept; without it they end with the venue. */
  readonly directory?: string;
  readonly clock?: ProfileClock;
  readonly log?: Logger;
}

export interface PaperVenue {
  /** Scheme, host and port; a profile's API is at `<url>/<profile>/api/v3`, that of WebSockets at `…/ws-api/v3`. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

type Method = 'GET' | 'POST' | 'DELETE';
const MOST_BYTES = 64 * 1024;

/** Throws `ConfigurationInvalid` for a host outside this machine, `PortTaken`, and `DataUnavailable` when kept books are damaged. */
export async function startPaperVenue(options: PaperVenueOptions): Promise<PaperVenue> {
  const { host = '127.0.0.1', port = 0, clock = { now: Date.now }, directory, log } = options;
  if (!isLoopback(host) && options.open_to_network !== true) throw openHost(host);
  const profiles = options.profiles.map((each) => new Profile(each, clock, directory));
  const app = createApp(log);
  for (const profile of profiles) {
    await app.register(
      (scope, _options, done) => {
        addProfile(scope, profile);
        done();
      },
      { prefix: `/${profile.name}` },
    );
  }
  const sockets = addSockets(app, profiles);
  app.get('/readyz', () => ({ profiles: profiles.map(({ name }) => name) }));
  const url = await listen(app, host, port);
  const timers = profiles.map((profile) => keepAdvancing(profile, log));
  const close = async () => {
    for (const timer of timers) clearInterval(timer);
    for (const api of sockets.values()) api.close();
    await app.close();
    for (const profile of profiles) profile.close();
  };
  return { url, close };
}

function openHost(host: string): HoldfastError {
  const message = `The paper venue does not listen on ${host}, which other machines may reach, unless it is told to.`;
  return new HoldfastError('ConfigurationInvalid', message, { host });
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    await app.close();
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new HoldfastError('PortTaken', `Port ${port} of ${host} is taken.`, { port });
  }
}

function createApp(log: Logger | undefined): FastifyInstance {
  const app = Fastify({ bodyLimit: MOST_BYTES, forceCloseConnections: true });
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body);
  });
  app.setErrorHandler((error, request, reply) => {
    const { status, code, message } = answerOf(error);
    if (status === 500)
      log?.error({ url: request.url.replace(/\?.*$/s, ''), error: messageOf(error) }, 'request_failed');
    if (status === 429) void reply.header('retry-after', '1');
    return reply.status(status).send({ code, msg: message });
  });
  app.setNotFoundHandler((_request, reply) => reply.status(404).send({ code: -1000, msg: 'There is no such path.' }));
  return app;
}

function answerOf(error: unknown): { status: number; code: number; message: string } {
  if (error instanceof Refusal) return error;
  if (error instanceof ZodError) return { status: 400, code: -1100, message: error.message };
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  if (status < 500) return { status, code: -1000, message: messageOf(error) };
  return { status: 500, code: -1000, message: 'An unknown error occurred while processing the request.' };
}

/** What clients ask of other markets and of the wallet when they load the markets: there is nothing there. */
const NOTHING: Readonly<Record<string, unknown>> = {
  '/fapi/v1/exchangeInfo': { symbols: [] },
  '/dapi/v1/exchangeInfo': { symbols: [] },
  '/sapi/v1/margin/allPairs': [],
  '/sapi/v1/margin/isolated/allPairs': [],
  '/sapi/v1/capital/config/getall': [],
};

function addProfile(app: FastifyInstance, profile: Profile): void {
  const markets = new MarketEndpoints(profile);
  const orders = new OrderEndpoints(profile);
  const open = (path: string, act: Endpoint['act']) => {
    add('GET', path, { kind: 'market_data', isSigned: false, act });
  };
  const signed = (method: Method, path: string, act: Endpoint['act']) => {
    add(method, path, { kind: KINDS[method], isSigned: true, act });
  };
  const add = (method: Method, path: string, endpoint: Endpoint) => {
    app.route({ method, url: `/api/v3/${path}`, handler: serve(profile, endpoint) });
  };
  open('ping', () => ({}));
  open('time', markets.time);
  open('exchangeInfo', markets.exchangeInfo);
  open('ticker/24hr', markets.ticker);
  open('ticker/price', markets.price);
  open('ticker/bookTicker', markets.bookTicker);
  open('depth', markets.depth);
  open('klines', markets.klines);
  signed('GET', 'account', orders.account);
  signed('POST', 'order', orders.place);
  signed('GET', 'order', orders.query);
  signed('DELETE', 'order', orders.cancel);
  signed('GET', 'openOrders', orders.open);
  signed('DELETE', 'openOrders', orders.cancelAll);
  signed('GET', 'allOrders', orders.all);
  signed('GET', 'myTrades', orders.trades);
  for (const [url, nothing] of Object.entries(NOTHING)) app.get(url, () => nothing);
  app.register(
    (scope, _options, done) => {
      addAdmin(scope, profile);
      done();
    },
    { prefix: '/admin' },
  );
}

/** By their paths. A connection that was upgraded is no concern of Fastify any more. */
function addSockets(app: FastifyInstance, profiles: readonly Profile[]): ReadonlyMap<string, WebSocketApi> {
  const apis = new Map(profiles.map((profile) => [`/${profile.name}/ws-api/v3`, new WebSocketApi(profile)]));
  app.server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined);
    const api = apis.get((request.url ?? '').replace(/\?.*$/s, ''));
    if (api === undefined) refuse(socket, '404 Not Found');
    else api.accept(request, socket, head);
  });
  return apis;
}

const KINDS = { GET: 'query', POST: 'submit', DELETE: 'cancel' } as const;

/** So that orders fill while nobody asks. */
function keepAdvancing(profile: Profile, log: Logger | undefined): NodeJS.Timeout {
  return setInterval(() => {
    try {
      profile.advance();
    } catch (error) {
      log?.error({ profile: profile.name, error: messageOf(error) }, 'advance_failed');
    }
  }, profile.turn_ms).unref();
}
