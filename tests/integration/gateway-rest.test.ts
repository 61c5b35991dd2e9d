import { createServer } from 'node:net';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventPublisher } from '../../src/event-log';
import { createGateway } from '../../src/gateway/create-gateway';
import type { Role } from '../../src/gateway/tokens';
import { createLogger } from '../../src/logging';
import { SECRET, startGateway, token, type GatewayUnderTest } from '../support/gateway-under-test';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { startUnworked } from '../support/raw-execution';
import { context, node, nodeCompleted, started } from '../support/sample-events';
import { until } from '../support/until';

const MARK = `${process.pid}_${Date.now()}`;
const ID = `exec_rest_${MARK}`;
const WORKFLOW = `rest_${MARK}`;
const graph = {
  holdfast: 1,
  id: WORKFLOW,
  bot_id: 'bot_rest',
  nodes: { a: { type: 'constant', params: { value: 1 } } },
};
let redis: OwnRedis;
let gateway: GatewayUnderTest;
let publisher: EventPublisher;
let execution: Awaited<ReturnType<typeof startUnworked>>;

beforeAll(async () => {
  redis = await startOwnRedis();
  gateway = await startGateway({ redisUrl: redis.url, allowed_origins: ['https://desk.example'] });
  publisher = new EventPublisher(redis.url);
  execution = await startUnworked(ID, graph);
  await until('ready', async () => (await fetch(`${gateway.url}/readyz`)).ok && publisher.stats().connected);
});

afterAll(async () => {
  // First, because it is there even when something else did not come up.
  await redis.stop();
  await execution.terminate().catch(() => undefined);
  await execution.close();
  await publisher.close();
  await gateway.close();
});

interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  readonly as?: Parameters<typeof token>[0];
}

async function ask(path: string, { method = 'GET', body, as = {} }: Ask = {}) {
  const response = await fetch(gateway.url + path, {
    method,
    headers: {
      authorization: `Bearer ${await token(as)}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
  };
}

describe('who may do what', () => {
  const needs: readonly [method: string, path: string, role: Role][] = [
    ['GET', '/api/workflows', 'viewer'],
    ['GET', '/api/executions', 'viewer'],
    ['GET', `/api/executions/${ID}/events`, 'viewer'],
    ['GET', '/api/node-kinds', 'viewer'],
    ['POST', '/api/executions', 'operator'],
    ['POST', `/api/executions/${ID}/halt`, 'operator'],
    ['POST', `/api/executions/${ID}/resume`, 'operator'],
    ['POST', '/api/executions/none/cancel', 'operator'],
    ['POST', '/api/workflows/none/pause', 'operator'],
    ['POST', '/api/workflows/none/backfill', 'operator'],
    ['POST', '/api/emergency/global/halt', 'operator'],
    ['PUT', '/api/workflows/none', 'admin'],
    ['DELETE', '/api/workflows/none', 'admin'],
  ];
  const bodies: Record<string, unknown> = { '/api/executions': { graph }, '/api/workflows/none': graph };
  const ranks: readonly Role[] = ['viewer', 'operator', 'admin'];

  it.each(needs)('%s %s needs %s, and a token', async (method, path, role) => {
    const body = method === 'GET' || method === 'DELETE' ? undefined : (bodies[path] ?? {});
    const naked = await fetch(gateway.url + path, { method });
    expect(naked.status).toBe(401);
    for (const each of ranks.slice(0, ranks.indexOf(role))) {
      const { status, body: problem } = await ask(path, { method, body, as: { role: each } });
      expect([status, problem['code'] === 'Forbidden' || problem['code'] === 'WorkflowNotFound']).toEqual([
        problem['code'] === 'WorkflowNotFound' ? 404 : 403,
        true,
      ]);
    }
    const allowed = await ask(path, { method, body, as: { role } });
    expect(['Forbidden', 'Unauthenticated', 'Unexpected']).not.toContain(allowed.body['code']);
  });

  it.each([
    ['GET', '/%61pi/emergency'],
    ['POST', '/%61pi/emergency/global/halt'],
    ['GET', '/ap%69/node-kinds'],
  ])('%s %s, however it is spelt, needs a token', async (method, path) => {
    expect((await fetch(gateway.url + path, { method })).status).toBe(401);
  });

  it('keeps other bots’ executions and the desk from a restricted token', async () => {
    const as = { role: 'admin', bots: ['bot_other'] } as const;
    expect((await ask(`/api/executions/${ID}`, { as })).status).toBe(403);
    expect((await ask(`/api/executions/${ID}/events`, { as })).status).toBe(403);
    expect((await ask(`/api/executions/${ID}/halt`, { method: 'POST', body: {}, as })).status).toBe(403);
    expect((await ask('/api/executions', { method: 'POST', body: { graph }, as })).status).toBe(403);
    expect((await ask('/api/emergency/global/halt', { method: 'POST', body: {}, as })).status).toBe(403);
    expect((await ask('/api/executions', { as })).body['executions']).toEqual([]);
  });

  it('refuses foreign Hosts and Origins, and lets an allowed Origin read', async () => {
    const { port } = new URL(gateway.url);
    const status = (headers: Record<string, string>) =>
      new Promise<[number | undefined, string | undefined]>((resolve, reject) => {
        request({ host: '127.0.0.1', port, path: '/healthz', headers }, (response) => {
          response.resume();
          resolve([response.statusCode, response.headers['access-control-allow-origin']]);
        })
          .on('error', reject)
          .end();
      });
    expect((await status({ host: `evil.example:${port}` }))[0]).toBe(403);
    expect((await status({ origin: 'http://evil.example' }))[0]).toBe(403);
    expect((await status({ origin: 'null' }))[0]).toBe(403);
    expect((await status({ origin: gateway.url }))[0]).toBe(200);
    expect((await status({ host: `localhost:${port}` }))[0]).toBe(200);
    expect(await status({ origin: 'https://desk.example' })).toEqual([200, 'https://desk.example']);
  });
});

describe('executions over REST', () => {
  it('gives an execution with its graph, also while no worker can say its status', async () => {
    const { status, body } = await ask(`/api/executions/${ID}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      execution_id: ID,
      workflow_id: WORKFLOW,
      bot_id: 'bot_rest',
      graph: { nodes: { a: {} } },
    });
  });

  it('lists by filter', async () => {
    const found = await until('visibility', async () => {
      const { body } = await ask(`/api/executions?workflow_id=${WORKFLOW}`);
      return (body['executions'] as { execution_id: string }[]).length > 0 && body;
    });
    expect(found).toMatchObject({ executions: [{ execution_id: ID, state: 'running' }] });
  });

  it('gives events after a position, and says when it cannot', async () => {
    const of = context(ID, { workflow_id: WORKFLOW, bot_id: 'bot_rest' });
    publisher.publish(started(of));
    publisher.publish(node(of, 'a', nodeCompleted));
    await until('published', () => publisher.stats().queued === 0);
    const all = (await ask(`/api/executions/${ID}/events`)).body as {
      events: unknown[];
      cursor: { log_epoch: string };
    };
    expect(all).toMatchObject({ recovered: true, cursor: { seq: 2 }, events: [{ seq: 1 }, { seq: 2 }] });
    const after = await ask(`/api/executions/${ID}/events?after=${all.cursor.log_epoch}:1`);
    expect(after.body).toMatchObject({ recovered: true, events: [{ seq: 2 }] });
    expect((await ask(`/api/executions/${ID}/events?after=1-other-1:1`)).body).toMatchObject({
      recovered: false,
      events: [],
    });
  });

  it('halts: the signal is in the history, with its reason, whoever works', async () => {
    const { status, body } = await ask(`/api/executions/${ID}/halt`, {
      method: 'POST',
      body: { reason: 'over REST' },
      as: { role: 'operator' },
    });
    expect([status, body['accepted']]).toEqual([200, true]);
    const signals = (await execution.fetchHistory()).events?.flatMap(
      (e) => e.workflowExecutionSignaledEventAttributes ?? [],
    );
    const reasons = signals?.map((each) => Buffer.from(each.input?.payloads?.[0]?.data ?? []).toString());
    expect(reasons).toContain('{"reason":"over REST"}');
  });

  it.each([
    'json',
    'text;x',
    ';',
    'a b/c',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
    '',
  ])('halts whatever type its body is said to have: %j', async (type) => {
    const reason = `said to be ${type}, which it is not`;
    const response = await fetch(`${gateway.url}/api/executions/${ID}/halt`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await token({ role: 'operator' })}`, 'content-type': type },
      body: JSON.stringify({ reason }),
    });
    expect(response.status).toBe(200);
    const { events } = await execution.fetchHistory();
    const given = events?.flatMap((each) => each.workflowExecutionSignaledEventAttributes?.input?.payloads ?? []);
    expect(given?.map(({ data }) => Buffer.from(data ?? []).toString())).toContain(JSON.stringify({ reason }));
  });

  it.each([
    ['GET', '/api/executions/none', undefined, 404, 'ExecutionNotFound'],
    ['GET', '/api/executions?state=asleep', undefined, 400, 'BadRequest'],
    ['GET', '/api/executions?limit=0', undefined, 400, 'BadRequest'],
    ['GET', `/api/executions/${ID}/events?after=x`, undefined, 400, 'BadRequest'],
    ['GET', '/api/nothing', undefined, 404, 'BadRequest'],
    ['POST', '/api/executions', '{"graph":', 400, 'BadRequest'],
    ['POST', '/api/executions', { grap: 1 }, 400, 'BadRequest'],
    ['POST', `/api/executions/${ID}/resume`, { why: 1 }, 400, 'BadRequest'],
    [
      'POST',
      '/api/executions',
      { graph: { holdfast: 1, id: 'x', nodes: { a: { type: 'no_such' } } } },
      422,
      'GraphInvalid',
    ],
    ['PUT', '/api/workflows/other', graph, 400, 'BadRequest'],
    ['GET', '/api/workflows/none', undefined, 404, 'WorkflowNotFound'],
  ] as const)('%s %s answers a mistake with problem+json', async (...row) => {
    const [method, path, body, status, code] = row;
    const answer = await ask(path, { method, body, as: { role: 'admin' } });
    expect(answer.type).toMatch(/^application\/problem\+json/);
    expect([answer.status, answer.body['status'], answer.body['code']]).toEqual([status, status, code]);
    expect(typeof answer.body['detail']).toBe('string');
  });

  it('deploys, shows, pauses and deletes a graph', async () => {
    const as = { role: 'admin' } as const;
    const path = `/api/workflows/${WORKFLOW}`;
    expect(await ask(path, { method: 'PUT', body: graph, as })).toMatchObject({
      status: 200,
      body: { workflow_id: WORKFLOW },
    });
    expect((await ask(`${path}/pause`, { method: 'POST', body: { reason: 'lunch' }, as })).status).toBe(200);
    expect((await ask(path, { as })).body).toMatchObject({
      paused: true,
      note: 'lunch',
      overlap: 'skip',
      next_runs: [],
      running_executions: [{ execution_id: ID, graph_version: expect.any(String) }],
    });
    expect((await ask(`${path}/resume`, { method: 'POST', as })).status).toBe(200);
    expect((await ask(path, { method: 'DELETE', as })).status).toBe(204);
    expect((await ask(path, { as })).status).toBe(404);
  });
});

describe('a start over REST that is sent again', () => {
  const start = (body: object, as: Ask['as'] = { role: 'operator' }) =>
    ask('/api/executions', { method: 'POST', body: { execution_id: ID, graph, ...body }, as });

  it('is answered with the execution there is, also while nobody answers for the desk', async () => {
    expect(await start({})).toMatchObject({ status: 200, body: { execution_id: ID, already_started: true } });
  });

  it('is refused when it is another, with the difference for those who may see the execution', async () => {
    const renamed = { graph: { ...graph, name: 'Renamed' } };
    expect(await start(renamed)).toMatchObject({
      status: 409,
      body: { code: 'ExecutionExists', differs: ['graph_version'], detail: expect.stringContaining('of version') },
    });
    const foreign = { graph: { ...graph, bot_id: 'bot_other' } };
    const { status, body } = await start(foreign, { role: 'operator', bots: ['bot_other'] });
    expect([status, body['code'], body['detail']]).toEqual([
      409,
      'ExecutionExists',
      `An execution called ${ID} was already started.`,
    ]);
    expect(body).not.toHaveProperty('differs');
  });

  it('is refused with inputs the graph does not declare', async () => {
    expect(await start({ inputs: { size: '1' } })).toMatchObject({ status: 422, body: { code: 'InputsInvalid' } });
    expect(await start({ inputs: [] })).toMatchObject({ status: 400, body: { code: 'BadRequest' } });
  });
});

describe('a backfill over REST', () => {
  it.each([{}, { from: '2026-03-01T00:00:00Z' }, { from: 1, to: 2 }, { from: 'a', to: 'b', overlap: 'terminate' }])(
    'of %j is refused by its shape',
    async (body) => {
      const as = { role: 'admin' } as const;
      await ask(`/api/workflows/${WORKFLOW}`, { method: 'PUT', body: graph, as });
      expect(await ask(`/api/workflows/${WORKFLOW}/backfill`, { method: 'POST', body, as })).toMatchObject({
        status: 400,
        body: { code: 'BadRequest' },
      });
      await ask(`/api/workflows/${WORKFLOW}`, { method: 'DELETE', as });
    },
  );
});

describe('the gateway as a process', () => {
  it('answers every address of the page with the page, and with security headers', async () => {
    for (const path of ['/', '/emergency', '/executions', '/executions/exec_1', '/strategies/s', '/bots/b']) {
      const answer = await fetch(gateway.url + path);
      const { status, headers } = answer;
      expect(await answer.text()).toContain('<title>Holdfast</title>');
      expect([path, status]).toEqual([path, 200]);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect((await fetch(`${gateway.url}/elsewhere`)).status).toBe(404);
    expect((await fetch(`${gateway.url}/..%2f..%2fpackage.json`)).status).toBeGreaterThanOrEqual(400);
  });

  it('says that Redis is away, and keeps serving what does not need it', async () => {
    redis.freeze();
    const ready = await until('it is not ready', async () => {
      const answer = await fetch(`${gateway.url}/readyz`);
      return !answer.ok && answer;
    });
    expect([ready.status, await ready.json()]).toEqual([503, { ok: false, redis: false, temporal: true }]);
    expect((await ask(`/api/executions/${ID}/events`)).body['code']).toBe('RedisUnavailable');
    expect(
      (await ask(`/api/executions/${ID}/halt`, { method: 'POST', body: {}, as: { role: 'operator' } })).status,
    ).toBe(200);
    redis.thaw();
    await until('Redis is back', async () => (await fetch(`${gateway.url}/readyz`)).ok);
  });

  it('throws PortTaken where another program listens, and needs a secret', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const options = {
      config: { host: '127.0.0.1', port, jwt_secret: SECRET, allowed_origins: [] },
      redis: { url: redis.url },
      client: gateway.client,
      log: createLogger('test', { level: 'silent', pretty: false }),
      page: __dirname,
    };
    const second = await createGateway(options);
    await expect(second.listen()).rejects.toMatchObject({ code: 'PortTaken' });
    await second.close();
    const open = { ...options, config: { ...options.config, host: '0.0.0.0', jwt_secret: undefined } };
    await expect(createGateway(open)).rejects.toMatchObject({ code: 'ConfigurationInvalid' });
    await new Promise((resolve) => other.close(resolve));
  });
});
