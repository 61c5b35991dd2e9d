import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EventPublisher } from '../../src/event-log';
import {
  askOf,
  listen,
  listenBriefly,
  refusalsOf,
  startGateway,
  token,
  type GatewayUnderTest,
  type Listener,
} from '../support/gateway-under-test';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { context, node, nodeCompleted, started } from '../support/sample-events';
import { until } from '../support/until';

const listeners: Listener[] = [];
let redis: OwnRedis;
let gateway: GatewayUnderTest;
let publisher: EventPublisher;
let runs = 0;

beforeAll(async () => {
  redis = await startOwnRedis();
  const limits = {
    ...{ clients: 3, messages: { points: 10, seconds: 600 }, raises: { points: 3, seconds: 600 } },
    ...{ requests: { points: 10, seconds: 600 }, request_raises: { points: 2, seconds: 600 } },
  };
  gateway = await startGateway({ redisUrl: redis.url, limits });
  publisher = new EventPublisher(redis.url);
  await until('the publisher is connected', () => publisher.stats().connected);
  await until('the gateway is ready', async () => (await fetch(`${gateway.url}/readyz`)).ok);
});

afterEach(async () => {
  for (const { socket } of listeners.splice(0)) socket.close();
  await until('all are gone', async () => (await metric('holdfast_gateway_clients')) === 0);
});

afterAll(async () => {
  // First, because it is there even when something else did not come up.
  await redis.stop();
  await publisher.close({ deadline_ms: 0 });
  await gateway.close();
});

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${gateway.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
}

async function client(request: Parameters<typeof token>[0] = {}): Promise<Listener> {
  const listener = await listen(gateway.url, request);
  listeners.push(listener);
  return listener;
}

const fresh = () => context(`exec_access_${++runs}`, { bot_id: `bot_access_${runs}` });
const refresh = async (to: Listener, request: Parameters<typeof token>[0]) =>
  askOf(to, 'refresh', { token: await token(request) });

/** In a room, with a newer token than its first, which ends at `first`: on a slow machine one that lasts longer. */
async function refreshedInTime(room: object, lasts_s = 3): Promise<{ readonly to: Listener; readonly first: number }> {
  const to = await listenBriefly(gateway.url, { subject: 'ann' }, lasts_s);
  listeners.push(to);
  const first = Date.now() + lasts_s * 1_000;
  const ended = new Promise<undefined>((resolve) =>
    to.socket.once('disconnect', () => {
      resolve(undefined);
    }),
  );
  const asking = askOf(to, 'subscribe_bot', room).then(() => refresh(to, { subject: 'ann', expires_in_s: 600 }));
  const answer = await Promise.race([asking, ended]);
  if (answer === undefined) return refreshedInTime(room, lasts_s * 2);
  expect(answer).toMatchObject({ ok: true });
  expect(Date.parse(String(answer['expires_at']))).toBeGreaterThan(first);
  return { to, first };
}

describe('an open connection', () => {
  it('is told why when its token expires, closed, and may come back with another', async () => {
    const before = await refusalsOf(gateway.url, 'token_expired');
    const to = await listenBriefly(gateway.url);
    listeners.push(to);
    const gone = new Promise((resolve) => to.socket.once('disconnect', resolve));
    const back = new Promise<void>((resolve) => to.socket.once('connect', resolve));
    to.socket.auth = { token: await token() };
    expect(await gone).toBe('transport close');
    expect(to.closings).toEqual([{ code: 'TokenExpired', message: 'The token of this connection has expired.' }]);
    expect(await refusalsOf(gateway.url, 'token_expired')).toBe(before + 1);
    await back;
  });

  it('goes on with a newer token beyond the end of its first, and keeps its subscriptions', async () => {
    const of = fresh();
    const { to, first } = await refreshedInTime({ bot_id: of.bot_id });
    publisher.publish(started(of, Date.now()));
    await until('the first event', () => to.events.length === 1);
    await until('the first token has expired', () => Date.now() > first + 500);
    publisher.publish(node(of, 'a', nodeCompleted));
    await until('the next event', () => to.events.length === 2);
    expect([to.socket.connected, to.closings]).toEqual([true, []]);
  });

  it('ends with its newer token when that expires', async () => {
    const to = await client({ subject: 'ann' });
    const gone = new Promise((resolve) => to.socket.once('disconnect', resolve));
    // One that came too late is refused, and the connection goes on with what it had.
    const refreshed = async () => (await refresh(to, { subject: 'ann', expires_in_s: 2 }))['ok'];
    await until('it is taken', refreshed);
    expect(await gone).toBe('transport close');
    expect(to.closings).toMatchObject([{ code: 'TokenExpired' }]);
  });

  it.each([
    ['another subject’s', { subject: 'eve', role: 'operator', bots: ['b1', 'b2'] }, 'Forbidden'],
    ['one of a wider role', { subject: 'ann', role: 'admin', bots: ['b1', 'b2'] }, 'Forbidden'],
    ['one of more bots', { subject: 'ann', role: 'operator', bots: ['b1', 'b3'] }, 'Forbidden'],
    ['one of all bots', { subject: 'ann', role: 'operator' }, 'Forbidden'],
    ['an expired one', { subject: 'ann', role: 'operator', bots: ['b1'], expires_in_s: -1 }, 'Unauthenticated'],
  ] as const)('takes no token that is %s, and goes on as it was', async (_, request, code) => {
    const to = await client({ subject: 'ann', role: 'operator', bots: ['b1', 'b2'] });
    expect(await refresh(to, request)).toMatchObject({ ok: false, error: { code } });
    expect(await askOf(to, 'subscribe_bot', { bot_id: 'b2' })).toMatchObject({ ok: true });
  });

  it('is narrowed by a narrower token at once', async () => {
    const of = fresh();
    const to = await client({ subject: 'ann', role: 'operator' });
    await askOf(to, 'subscribe_bot', { bot_id: of.bot_id });
    publisher.publish(started(of, Date.now()));
    await until('the first event', () => to.events.length === 1);
    expect(await refresh(to, { subject: 'ann', bots: ['bot_mine'] })).toMatchObject({ ok: true });
    const [mine, theirs] = [{ ...fresh(), bot_id: 'bot_mine' }, node(of, 'a', nodeCompleted)];
    await askOf(to, 'subscribe_bot', { bot_id: 'bot_mine' });
    publisher.publish(theirs);
    publisher.publish(started(mine, Date.now()));
    await until('what it may see', () => to.events.some(({ bot_id }) => bot_id === 'bot_mine'));
    expect(to.events.map(({ bot_id }) => bot_id)).toEqual([of.bot_id, 'bot_mine']);
    const halt = { scope: 'global', action: 'halt', reason: 'odd' };
    expect(await askOf(to, 'emergency_command', halt)).toMatchObject({ error: { code: 'Forbidden' } });
  });

  it('that talks too much may still raise, until that is too much as well', async () => {
    const to = await client({ role: 'operator' });
    const answers = await Promise.all(Array.from({ length: 12 }, () => askOf(to, 'unsubscribe', {})));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(10);
    // The desk of this namespace has no worker: the halt is with Temporal, or the scope is unknown to a desk that answers.
    const command = { scope: 'nonsense', action: 'halt', reason: 'odd' };
    const codes: unknown[] = [];
    for (let time = 0; time < 4; time += 1) {
      codes.push(((await askOf(to, 'emergency_command', command)) as { error: { code: string } }).error.code);
    }
    expect(codes.slice(0, 3)).not.toContain('RateLimited');
    expect(codes[3]).toBe('RateLimited');
    const resume = { scope: 'global', action: 'resume', reason: 'fine', causes: [], expected_epoch: 0 };
    expect(await askOf(to, 'emergency_command', resume)).toMatchObject({ error: { code: 'RateLimited' } });
  });

  it('finds no room where all is taken', async () => {
    await Promise.all([client(), client(), client()]);
    await expect(client()).rejects.toThrow('websocket error');
    expect(await metric('holdfast_gateway_clients')).toBe(3);
    expect(await refusalsOf(gateway.url, 'clients')).toBeGreaterThan(0);
  });
});

describe('REST', () => {
  const ask = async (subject: string, path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${await token({ subject, role: 'operator' })}` };
    return fetch(gateway.url + path, { ...init, headers });
  };

  it('answers one subject so often, and halts beside that', async () => {
    const statuses: number[] = [];
    for (let time = 0; time < 12; time += 1) statuses.push((await ask('ann', '/api/node-kinds')).status);
    expect(statuses).toEqual([...Array<number>(10).fill(200), 429, 429]);
    const halt = () => ask('ann', '/api/executions/exec_none/halt', { method: 'POST' });
    expect([(await halt()).status, (await halt()).status, (await halt()).status]).toEqual([404, 404, 429]);
    expect((await ask('ann', '/api/executions/exec_none/cancel', { method: 'POST' })).status).toBe(429);
    expect((await ask('bob', '/api/node-kinds')).status).toBe(200);
  });

  it('counts every reason from the start, and tells it without a token', async () => {
    const response = await fetch(`${gateway.url}/metrics`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      expect.stringContaining('text/plain'),
    ]);
    const text = await response.text();
    for (const reason of ['host', 'origin', 'slow', 'event']) expect(text).toContain(`{reason="${reason}"} `);
  });

  it('sends strict headers with every answer', async () => {
    for (const path of ['/', '/api/emergency', '/nothing', '/metrics', '/%']) {
      const { headers } = await fetch(gateway.url + path);
      expect([path, headers.get('content-security-policy')]).toEqual([
        path,
        expect.stringContaining("default-src 'none'"),
      ]);
      expect(headers.get('content-security-policy')).not.toMatch(/unsafe|\*|https?:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});
