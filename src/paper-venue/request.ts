/** What stands between a request and what it asks for: who asks, whether in time, and the faults. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestKind, Strike } from './faults';
import type { Profile } from './profile';
import { refusals } from './refusal';
import { accountOf, assertNotLate, assertTimely, readWindow, type RequestWindow } from './signature';

export interface Asked {
  readonly parameters: URLSearchParams;
  /** Name of who asks; empty where anybody may. */
  readonly account: string;
}

export interface Endpoint {
  readonly kind: RequestKind;
  /** Only with key, signature and timestamp. */
  readonly isSigned: boolean;
  /** Throws a `Refusal`. */
  readonly act: (asked: Asked) => unknown;
}

interface Checked extends Asked {
  readonly window: RequestWindow | undefined;
}

export function serve(profile: Profile, { kind, isSigned, act }: Endpoint) {
  const { faults } = profile;
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    if (faults.strike('rate_limited', kind)) throw refusals.tooManyRequests();
    const asked = isSigned ? authenticate(profile, request) : anybody(request);
    if (faults.strike('drop_before', kind)) return cutOff(request, reply);
    if (faults.strike('error_5xx_before', kind)) throw refusals.unavailable();
    await pause(faults.strike('delay_before_ms', kind));
    if (asked.window !== undefined) assertNotLate(asked.window, profile.now().wall_ms);
    const answer = act(asked);
    await pause(faults.strike('delay_after_ms', kind));
    if (faults.strike('drop_after', kind)) return cutOff(request, reply);
    if (faults.strike('error_5xx_after', kind)) return badGateway(reply);
    return answer;
  };
}

function anybody(request: FastifyRequest): Checked {
  return { parameters: parametersOf(request), account: '', window: undefined };
}

function authenticate(profile: Profile, request: FastifyRequest): Checked {
  const key = request.headers['x-mbx-apikey'];
  const sent = { key: typeof key === 'string' ? key : undefined, query: queryOf(request), body: bodyOf(request) };
  const account = accountOf(sent, profile.accounts);
  const parameters = parametersOf(request);
  const window = readWindow(parameters);
  assertTimely(window, profile.now().wall_ms);
  return { parameters, account: account.name, window };
}

function parametersOf(request: FastifyRequest): URLSearchParams {
  const query = queryOf(request);
  const body = bodyOf(request);
  return new URLSearchParams(query === '' || body === '' ? query + body : `${query}&${body}`);
}

function queryOf({ raw }: FastifyRequest): string {
  return /\?(.*)$/.exec(raw.url ?? '')?.[1] ?? '';
}

function bodyOf({ body }: FastifyRequest): string {
  return typeof body === 'string' ? body : '';
}

/** As what stands in front of a venue answers for it: no word of the venue's dialect in it. */
function badGateway(reply: FastifyReply): FastifyReply {
  return reply.status(502).type('text/html').send('<html><body><h1>502 Bad Gateway</h1></body></html>');
}

function cutOff(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.hijack();
  request.raw.socket.destroy();
  return reply;
}

async function pause(strike: Strike | undefined): Promise<void> {
  if (strike !== undefined && strike.ms > 0) await delay(strike.ms);
}
