/** What the gateway answers against what its document says it answers. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventPublisher } from '../../src/event-log';
import { ROLES, type Role } from '../../src/gateway/tokens';
import { openJournal, type Journal } from '../../src/journal/journal';
import { orderRequest } from '../support/desk-at-work';
import { startGateway, token, type GatewayUnderTest } from '../support/gateway-under-test';
import { OpenApiJudge, type OpenApi } from '../support/openapi-judge';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { startOwnPglite, type OwnPostgresql } from '../support/own-postgresql';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { until } from '../support/until';

type Body = Record<string, unknown>;

let own: OwnNamespace;
let redis: OwnRedis;
let postgresql: OwnPostgresql;
let journal: Journal;
let publisher: EventPublisher;
let gateway: GatewayUnderTest;
let document: OpenApi;
let judge: OpenApiJudge;

beforeAll(async () => {
  [redis, postgresql] = await Promise.all([startOwnRedis(), startOwnPglite()]);
  publisher = new EventPublisher(redis.url);
  journal = openJournal(postgresql.url);
  const publish = (publication: Parameters<EventPublisher['publish']>[0]) => {
    publisher.publish(publication);
  };
  own = await ownNamespace('openapi', publish, {}, { journal });
  gateway = await startGateway({ redisUrl: redis.url, client: own.client, journal });
  await until('ready', async () => (await fetch(`${gateway.url}/readyz`)).ok);
  const headers = { authorization: `Bearer ${await token()}` };
  document = (await (await fetch(`${gateway.url}/api/openapi.json`, { headers })).json()) as OpenApi;
  judge = new OpenApiJudge(document);
});

afterAll(async () => {
  await gateway.close();
  await publisher.close();
  await redis.stop();
  await own.dispose();
  await journal.close();
  await postgresql.stop();
});

interface Ask {
  readonly body?: unknown;
  readonly as?: Parameters<typeof token>[0];
}

async function raw(method: string, path: string, { body, as }: Ask = {}) {
  const response = await fetch(gateway.url + path, {
    method,
    headers: {
      ...(as === undefined ? {} : { authorization: `Bearer ${await token(as)}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const type = response.headers.get('content-type');
  const text = await response.text();
  const read: unknown = text === '' ? undefined : type?.includes('json') === true ? JSON.parse(text) : text;
  return { method, path, status: response.status, type, body: read };
}

/** Asks as an admin called ann, and holds the answer against the document. */
async function ask(method: string, path: string, body?: unknown, as: Ask['as'] = { role: 'admin', subject: 'ann' }) {
  const answer = await raw(method, path, { body, as });
  expect(judge.mistakesOf(answer)).toEqual([]);
  return { status: answer.status, body: (answer.body ?? {}) as Body };
}

const constant = { type: 'constant', params: { value: '1' } };
const simple = { holdfast: 1, id: 'simple', bot_id: 'mine', nodes: { one: constant } };
const deployed = { ...simple, id: 'hourly', triggers: { often: { type: 'schedule', every: '1h' } } };
const divide = { type: 'math', params: { op: 'divide', a: '1', b: '0' } };
const steerable = {
  ...{ holdfast: 1, id: 'steerable', bot_id: 'mine', strategy_id: 's' },
  nodes: {
    ask: { type: 'approval', params: { message: 'Shall it?' } },
    news: { type: 'wait_for_signal', params: { name: 'news' } },
    nap: { type: 'wait', params: { for: '1h' } },
    bad: { ...divide, on_error: 'continue' },
    worse: { ...divide, on_error: 'continue' },
    each: { type: 'map', params: { items: [1, 2] }, body: { nodes: { sure: constant } } },
  },
};
const HOUR = 3_600_000;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
const ended = (id: string) => until(`${id} ended`, async () => (await own.client.describeExecution(id)).closing);

describe('every answer is as the document says', () => {
  it('of machines that look', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics']) {
      expect(judge.mistakesOf(await raw('GET', path))).toEqual([]);
    }
    await ask('GET', '/api/openapi.json');
    await ask('GET', '/api/node-kinds');
  });

  it('of deployments', async () => {
    await ask('POST', '/api/graphs/check', { text: '{"holdfast": 1, "id": "x", "nodes": {"a": {"type": "tick"}}}' });
    const { body: checked } = await ask('POST', '/api/graphs/check', { text: JSON.stringify(deployed) });
    const { body: made } = await ask('PUT', '/api/workflows/hourly', checked['graph']);
    expect(made['graph_version']).toBe(checked['graph_version']);
    expect((await ask('POST', '/api/graphs/check', { text: JSON.stringify(deployed) })).body).toMatchObject({
      deployed_version: made['graph_version'],
    });
    await ask('PUT', '/api/workflows/simple?trigger_now=true', simple);
    await until('both are listed', async () => {
      const { body } = await ask('GET', '/api/workflows');
      return (body['workflows'] as unknown[]).length === 2;
    });
    await ask('POST', '/api/workflows/hourly/pause', { reason: 'lunch' });
    await ask('GET', '/api/workflows/hourly');
    await ask('POST', '/api/workflows/hourly/resume');
    await ask('POST', '/api/workflows/hourly/trigger');
    await ask('POST', '/api/workflows/hourly/backfill', { from: ago(3 * HOUR), to: ago(HOUR) });
    const { status } = await ask('POST', '/api/workflows/simple/executions', { execution_id: 'exec_simple_twice' });
    const again = await ask('POST', '/api/workflows/simple/executions', { execution_id: 'exec_simple_twice' });
    expect([status, again.status]).toEqual([201, 200]);
    expect((await ask('GET', '/api/workflows/none')).status).toBe(404);
    expect((await ask('GET', '/api/workflows/simple/figures')).body).toMatchObject({ workflow_id: 'simple' });
    await ask('DELETE', '/api/workflows/simple');
  });

  it('of an execution that is steered', async () => {
    const id = 'exec_steered';
    await ask('POST', '/api/executions', { graph: steerable, execution_id: id });
    await until('it waits', async () => (await own.client.executionStatus(id)).state === 'waiting');
    const path = `/api/executions/${id}`;
    expect((await ask('GET', path)).body).not.toHaveProperty('web_ui_url');
    await ask('POST', `${path}/halt`, { reason: 'look' });
    await ask('POST', `${path}/resume`);
    await ask('POST', `${path}/nodes/ask/approve`, { decision: 'reject', comment: 'too dear' });
    expect((await ask('POST', `${path}/nodes/ask/approve`, { decision: 'reject' })).status).toBe(409);
    await ask('POST', `${path}/nodes/bad/retry`);
    await ask('POST', `${path}/nodes/worse/skip`, { reason: 'never mind' });
    expect((await ask('POST', `${path}/messages`, { name: 'news', payload: { big: true } })).status).toBe(202);
    await ask('GET', `${path}/timeline`);
    await until('its events', async () => ((await ask('GET', `${path}/events`)).body['events'] as Body[]).length > 5);
    expect((await ask('GET', `${path}/events?limit=2`)).body).toMatchObject({ more: true });
    await ask('POST', `${path}/cancel`);
    await ended(id);
    expect((await ask('POST', `${path}/cancel`)).status).toBe(409);
    await ask('GET', path);
    await ask('GET', `${path}/timeline`);
  });

  it('of an execution that failed and is run again, and of lists', async () => {
    const failing = { ...simple, id: 'failing', nodes: { bad: divide } };
    await ask('POST', '/api/executions', { graph: failing, execution_id: 'exec_failing' });
    await ended('exec_failing');
    await ask('GET', '/api/executions/exec_failing');
    expect((await ask('POST', '/api/executions/exec_failing/rerun', { dry_run: true })).status).toBe(200);
    expect((await ask('POST', '/api/executions/exec_failing/rerun', { execution_id: 'exec_again' })).status).toBe(201);
    await ended('exec_again');
    const { body } = await ask('GET', `/api/executions?bot_id=mine&from=${ago(HOUR)}&limit=1`);
    expect(body).toHaveProperty('next_page');
    await ask('GET', `/api/executions?bot_id=mine&from=${ago(HOUR)}&limit=1&page=${String(body['next_page'])}`);
  });

  it('of the desk and its bots', async () => {
    const bot = { name: 'A bot', venues: ['paper'], starting_equity: '1000', time_zone: 'UTC', reason: 'it begins' };
    for (const id of ['mine', 'other']) await ask('PUT', `/api/bots/${id}`, bot);
    const scope = '/api/emergency/bot:other';
    await ask('PUT', `${scope}/limits`, { reason: 'careful', limits: { daily_loss: '100', order_rate: '60' } });
    for (const action of ['alert', 'halt', 'shutdown']) {
      await ask('POST', `${scope}/${action}`, { reason: 'odd', cancel_open: action === 'halt' || undefined });
      const { body } = await ask('GET', scope);
      const causes = (body['causes'] as { id: string }[]).map(({ id }) => id);
      const seen = { reason: 'well', causes, expected_epoch: body['desk_epoch'] };
      const resumed = await ask('POST', `${scope}/resume`, seen);
      if (action !== 'shutdown') continue;
      expect(resumed.body).toHaveProperty('awaits_approval_until');
      await ask('POST', `${scope}/approve`, seen, { role: 'operator', subject: 'bob' });
    }
    const once = { reason: 'odd', command_id: 'alert-once' };
    await ask('POST', `${scope}/alert`, once);
    expect((await ask('POST', `${scope}/alert`, { ...once, reason: 'even' })).status).toBe(409);
    await until('the cancels', async () => {
      const { body } = await ask('GET', '/api/emergency/cancels');
      return (body['cancels'] as Body[])[0]?.['report'] !== undefined;
    });
    await ask('GET', '/api/emergency');
    await ask('GET', '/api/bots');
    await ask('GET', '/api/bots/mine');
    await ask('GET', '/api/audit?limit=3');
    expect((await ask('POST', '/api/drill')).body).toMatchObject({ passed: true });
  });

  it('of orders, positions and what they came to', async () => {
    const { quantity, price, ...order } = orderRequest('p', { bot_id: 'mine', strategy_id: 's' });
    const settle = (outcome: 'acknowledged' | 'closed', more: object = {}) =>
      own.client.requestPermits({ requests: [], settlements: [{ permit_id: 'p', outcome, ...more }] });
    await own.client.requestPermits({
      requests: [{ ...order, quantity, price, client_order_id: 'client-p' }],
      settlements: [],
    });
    await ask('GET', '/api/emergency');
    await settle('acknowledged');
    const fill = { filled_quantity: '1', filled_notional: '100', fees: '0.5', at: Date.now() };
    await own.client.recordAtDesk('fill', { ...order, order_id: 'client-p', ...fill });
    await settle('closed', { filled_quantity: '1' });
    await until(
      'the journal has it',
      async () => (await raw('GET', '/api/orders/client-p', { as: {} })).status === 200,
    );
    await ask('GET', '/api/orders/client-p');
    await ask('GET', '/api/orders?strategy_id=s');
    expect((await ask('GET', '/api/orders/none')).status).toBe(404);
    await ask('GET', '/api/positions');
    await ask('GET', '/api/positions', undefined, { bots: ['mine'] });
    await until('the series of its equity', async () => {
      const { body } = await ask('GET', '/api/strategies/s/performance?window=1h');
      return (body['equity'] as unknown[]).length > 0;
    });
    await until('its fill', async () => {
      const { body } = await ask('GET', '/api/bots/mine/performance?window=1h');
      return (body['fills'] as Body[]).some(({ side, profit }) => side === 'buy' && profit === '-0.5');
    });
    await ask('POST', '/api/emergency/bot:mine/flatten', { reason: 'enough', confirm: 'bot:mine' });
    await until('the flatten', async () => {
      const { body } = await ask('GET', '/api/emergency/flattens');
      return (body['flattens'] as Body[])[0]?.['report'] !== undefined;
    });
  });

  it('and so was one of every operation', () => {
    expect(judge.operations.filter((operation) => !judge.judged.has(operation))).toEqual([]);
  });
});

describe('every refusal is as the document says', () => {
  it.each([
    ['GET', '/api/executions/none', undefined, 404],
    ['GET', '/api/executions/none/timeline', undefined, 404],
    ['GET', '/api/executions?limit=0', undefined, 400],
    ['GET', '/api/executions?from=yesterday', undefined, 400],
    ['POST', '/api/executions', { graph: { holdfast: 1, id: 'x', nodes: { a: { type: 'none' } } } }, 422],
    ['POST', '/api/emergency/bot:nobody/halt', { reason: 'odd' }, 404],
    ['POST', '/api/emergency/global/halt', {}, 400],
  ] as const)('%s %s', async (method, path, body, status) => {
    expect((await ask(method, path, body)).status).toBe(status);
  });

  it('needs the role each operation names, and a token', async () => {
    for (const [template, item] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(item)) {
        const role = operation['x-role'] as Role | undefined;
        if (role === undefined) continue;
        const path = template.replaceAll(/\{\w+\}/g, 'none');
        const body = method === 'get' || method === 'delete' ? undefined : {};
        const naked = await raw(method.toUpperCase(), path, { body });
        expect([method, path, naked.status, judge.mistakesOf(naked)]).toEqual([method, path, 401, []]);
        for (const lower of ROLES.slice(0, ROLES.indexOf(role))) {
          const refused = await raw(method.toUpperCase(), path, { body, as: { role: lower } });
          expect([method, path, lower, refused.status, judge.mistakesOf(refused)]).toEqual([
            ...[method, path, lower, 403, []],
          ]);
        }
      }
    }
  });
});
