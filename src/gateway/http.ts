/** The HTTP side of the door: headers, who may come in, the page. */
import fastifyHelmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { HoldfastError, messageOf } from '../errors';
import type { Logger } from '../logging';
import { ROLES_THAT_COMMAND, refusalOf, type DoorRules } from './access';
import type { Budgets } from './budgets';
import type { Counters } from './counters';
import { sendProblem, toHoldfastError } from './problem';
import { verifyToken, type Identity } from './tokens';

declare module 'fastify' {
  interface FastifyRequest {
    identity: Identity | undefined;
  }
}

export interface HttpOptions {
  readonly rules: DoorRules;
  readonly secret: string;
  readonly log: Logger;
  readonly budgets: Budgets;
  readonly counters: Counters;
  /** Folder of the page as it was built: index.html and what it names. */
  readonly page: string;
}

const MOST_BYTES = 2 * 1024 * 1024;
/** Of one segment of an address: node keys such as `each[3]/price` come percent-encoded. */
const LONGEST_PARAMETER = 3_000;
/** For a request to arrive whole, milliseconds: one that dribbles in holds a connection no longer. */
const REQUEST_WITHIN_MS = 30_000;
/** The page has no script and no style in itself, so none may run there. */
const HELMET = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      ...{ defaultSrc: ["'none'"], scriptSrc: ["'self'"], styleSrc: ["'self'"], connectSrc: ["'self'"] },
      ...{ imgSrc: ["'self'", 'data:'], baseUri: ["'none'"], formAction: ["'none'"], frameAncestors: ["'none'"] },
    },
  },
  // The page may also come by plain HTTP from this machine; TLS and its promises are the proxy's.
  strictTransportSecurity: false,
  xFrameOptions: { action: 'deny' },
} as const;
/** Of what is answered before any hook runs. */
const BARE_HEADERS = { 'content-security-policy': "default-src 'none'", 'x-content-type-options': 'nosniff' } as const;

export async function createHttp(options: HttpOptions): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: MOST_BYTES,
    forceCloseConnections: true,
    requestTimeout: REQUEST_WITHIN_MS,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    // An address that is no address is told before any hook runs.
    frameworkErrors: (thrown, _request, reply) => {
      const { error, status } = toHoldfastError(thrown);
      options.counters.refusedWith(error.code, status);
      void sendProblem(reply.headers(BARE_HEADERS), error, status);
    },
  });
  await app.register(fastifyHelmet, HELMET);
  readAnyBody(app);
  app.decorateRequest('identity', undefined);
  app.addHook('onRequest', async (request, reply) => {
    await enter(options, request, reply);
  });
  app.setErrorHandler((thrown, request, reply) => {
    const { error, status } = toHoldfastError(thrown);
    options.counters.refusedWith(error.code, status);
    if (error.code === 'Unexpected') {
      options.log.error({ url: request.url, error: messageOf(thrown) }, 'request_failed');
    }
    return sendProblem(reply, error, status);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new HoldfastError('BadRequest', `There is nothing at ${request.method} ${request.url}.`), 404),
  );
  await addPage(app, options.page);
  return app;
}

/**
 * Every body reaches its handler, whatever type it is said to have: JSON as what it says, all else as text, which a schema then refuses.
 * Refused here already, a halt with a careless body would not halt.
 */
function readAnyBody(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  // What is no media type, such as `json`, is refused before a parser is looked for.
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request.raw;
    if (headers['content-type'] !== undefined) headers['content-type'] = 'text/plain';
    done();
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) => {
    const text = body.toString();
    if (text === '') done(null, undefined);
    else
      void parseJson(request, text, (error, value) => {
        done(null, error === null ? value : text);
      });
  });
}

async function enter(options: HttpOptions, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { rules, counters } = options;
  const { host, origin } = request.headers;
  const refusal = refusalOf(rules, host, origin);
  if (refusal !== undefined) {
    counters.refused(refusal.reason);
    sendProblem(reply, new HoldfastError('Forbidden', refusal.message));
    return;
  }
  if (origin !== undefined && rules.allowed_origins.includes(origin)) {
    reply.headers({ 'access-control-allow-origin': origin, vary: 'Origin' });
    if (request.method === 'OPTIONS') {
      allowPreflight(reply);
      return;
    }
  }
  // The raw address alone is no measure: it is decoded before it is matched, so `/%61pi/…` reaches the same handler.
  if ([request.url, request.routeOptions.url].some((url) => url?.startsWith('/api/'))) {
    reply.header('cache-control', 'no-store');
    await identify(options, request);
  }
}

/** Throws `Unauthenticated`, `RateLimited`. */
async function identify({ secret, budgets }: HttpOptions, request: FastifyRequest): Promise<void> {
  const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const identity = await verifyToken(token, secret);
  const mayCommand = ROLES_THAT_COMMAND.includes(identity.role);
  const verdict = await budgets.spend(identity.subject, mayCommand && RAISES.has(request.routeOptions.url ?? ''));
  if (verdict !== 'pass') throw new HoldfastError('RateLimited', 'Too many requests; ask less often.');
  request.identity = identity;
}

/** Where things are made safer. */
const RAISES: ReadonlySet<string> = new Set([
  ...['alert', 'halt', 'shutdown'].map((action) => `/api/emergency/:scope/${action}`),
  '/api/executions/:id/halt',
]);

function allowPreflight(reply: FastifyReply): void {
  const headers = {
    'access-control-allow-headers': 'authorization, content-type, traceparent, tracestate',
    'access-control-allow-methods': 'GET, PUT, POST, DELETE',
  };
  void reply.code(204).headers(headers).send();
}

/** Addresses inside the page: each is answered with the page, which reads its own address. */
const PAGE_ADDRESSES = [
  'emergency',
  'executions',
  'executions/:id',
  'strategies',
  'strategies/:id',
  'bots',
  'bots/:id',
];

async function addPage(app: FastifyInstance, page: string): Promise<void> {
  await app.register(fastifyStatic, { root: page });
  for (const address of PAGE_ADDRESSES) app.get(`/${address}`, (_request, reply) => reply.sendFile('index.html'));
}

/** Who asks. Every address under /api/ has been checked at the door. */
export function identityOf(request: FastifyRequest): Identity {
  if (request.identity === undefined) throw new HoldfastError('Unauthenticated', 'A bearer token is needed.');
  return request.identity;
}
