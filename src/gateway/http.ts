/** The HTTP side of the door: headers, who may come in, health, the page and its two libraries. */
import { dirname, join } from 'node:path';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { HoldfastError, messageOf } from '../errors';
import type { Logger } from '../logging';
import { refusalOf, type DoorRules } from './access';
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
  /** Folder of the page: index.html, style.css and its compiled scripts. */
  readonly page: string;
  /** What each service says of itself when it is asked whether it is ready. */
  readonly checks: Readonly<Record<string, () => Promise<boolean>>>;
}

const MOST_BYTES = 2 * 1024 * 1024;
/** Of one segment of an address: node keys such as `each[3]/price` come percent-encoded. */
const LONGEST_PARAMETER = 3_000;
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
} as const;

export async function createHttp(options: HttpOptions): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: MOST_BYTES,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: LONGEST_PARAMETER },
    // An address that is no address is told before any hook runs.
    frameworkErrors: (thrown, _request, reply) => {
      const { error, status } = toHoldfastError(thrown);
      void sendProblem(reply.headers(HEADERS), error, status);
    },
  });
  readAnyBody(app);
  app.decorateRequest('identity', undefined);
  app.addHook('onRequest', async (request, reply) => {
    await enter(options, request, reply);
  });
  app.setErrorHandler((thrown, request, reply) => {
    const { error, status } = toHoldfastError(thrown);
    if (error.code === 'Unexpected') {
      options.log.error({ url: request.url, error: messageOf(thrown) }, 'request_failed');
    }
    return sendProblem(reply, error, status);
  });
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new HoldfastError('BadRequest', `There is nothing at ${request.method} ${request.url}.`), 404),
  );
  addHealth(app, options.checks);
  await addPage(app, options.page);
  return app;
}

/**
 * Every body reaches its handler: JSON as what it says, all else as text, which a schema then refuses. Refused here already, a halt
 * with a careless body would not halt.
 */
function readAnyBody(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
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

async function enter({ rules, secret }: HttpOptions, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.headers(HEADERS);
  const { host, origin, authorization } = request.headers;
  const refusal = refusalOf(rules, host, origin);
  if (refusal !== undefined) throw new HoldfastError('Forbidden', refusal);
  if (origin !== undefined && rules.allowed_origins.includes(origin)) {
    reply.headers({ 'access-control-allow-origin': origin, vary: 'Origin' });
    if (request.method === 'OPTIONS') {
      allowPreflight(reply);
      return;
    }
  }
  // The raw address alone is no measure: it is decoded before it is matched, so `/%61pi/…` reaches the same handler.
  if (![request.url, request.routeOptions.url].some((url) => url?.startsWith('/api/'))) return;
  reply.header('cache-control', 'no-store');
  request.identity = await verifyToken(/^Bearer (.+)$/i.exec(authorization ?? '')?.[1], secret);
}

function allowPreflight(reply: FastifyReply): void {
  const headers = {
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-allow-methods': 'GET, PUT, POST, DELETE',
  };
  void reply.code(204).headers(headers).send();
}

function addHealth(app: FastifyInstance, checks: HttpOptions['checks']): void {
  app.get('/healthz', () => ({ ok: true }));
  app.get('/readyz', async (_request, reply) => {
    const names = Object.keys(checks);
    const answers = await Promise.all(Object.values(checks).map((check) => check().catch(() => false)));
    const ok = answers.every(Boolean);
    return reply.code(ok ? 200 : 503).send({ ok, ...Object.fromEntries(names.map((name, i) => [name, answers[i]])) });
  });
}

async function addPage(app: FastifyInstance, page: string): Promise<void> {
  await app.register(fastifyStatic, { root: page });
  const vendors = {
    '/vendor/socket.io/': join(dirname(require.resolve('socket.io-client/package.json')), 'dist'),
    '/vendor/dagre/': dirname(require.resolve('@dagrejs/dagre')),
  };
  for (const [prefix, root] of Object.entries(vendors)) {
    await app.register(fastifyStatic, { root, prefix, decorateReply: false, index: false });
  }
}

/** Who asks. Every address under /api/ has been checked at the door. */
export function identityOf(request: FastifyRequest): Identity {
  if (request.identity === undefined) throw new HoldfastError('Unauthenticated', 'A bearer token is needed.');
  return request.identity;
}
