import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { Redis } from 'ioredis';
import { loadConfig } from '../../src/config/config';
import { openClosing } from '../../src/event-log/closings';
import { openJournal, type Journal } from '../../src/journal/journal';
import { temporalOf, bareNamespace } from '../support/bare-namespace';
import {
  askOf,
  listen,
  startGateway,
  token,
  type GatewayUnderTest,
  type Listener,
} from '../support/gateway-under-test';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { startOwnPglite, type OwnPostgresql } from '../support/own-postgresql';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { until } from '../support/until';

const KEY = 'a closing key of at least thirty-two characters';
const OPERATOR = { role: 'operator', subject: 'ann' } as const;
const ADMIN = { role: 'admin', subject: 'root' } as const;

let own: OwnNamespace;
let redis: OwnRedis;
let postgresql: OwnPostgresql;
let journal: Journal;
let gateway: GatewayUnderTest;

beforeAll(async () => {
  [own, redis, postgresql] = await Promise.all([ownNamespace('desk'), startOwnRedis(), startOwnPglite()]);
  journal = openJournal(postgresql.url);
  gateway = await startGateway({ redisUrl: redis.url, client: own.client, closing_key: KEY, journal });
  await put('/api/bots/mine', { body: { ...BOT, name: 'Mine' } });
  await until('halts can be sealed', async () => (await own.client.deskStatus()).blind_until === undefined);
});

afterAll(async () => {
  await redis.stop();
  await gateway.close();
  await journal.close();
  await postgresql.stop();
  await own.dispose();
});

/** Every test finds the desk as the first did. */
afterEach(async () => {
  for (const { scope, epoch, causes } of (await own.client.deskStatus()).scopes) {
    if (causes.length === 0) continue;
    const said = { reason: 'a test ended', causes: causes.map(({ id }) => id), expected_epoch: epoch };
    await post(`/api/emergency/${encodeURIComponent(scope)}/resume`, { body: said, as: OPERATOR });
    const by = { role: 'operator', subject: 'bob' } as const;
    await post(`/api/emergency/${encodeURIComponent(scope)}/approve`, { body: said, as: by });
  }
  expect(await statesOf()).toEqual({});
});

const BOT = {
  ...{ name: 'A bot', venues: ['paper_binance'], starting_equity: '1000', time_zone: 'UTC' },
  reason: 'it begins',
};

interface Ask {
  readonly body?: unknown;
  readonly as?: Parameters<typeof token>[0];
}

async function ask(method: string, path: string, { body, as = {} }: Ask = {}) {
  const response = await fetch(gateway.url + path, {
    method,
    headers: { authorization: `Bearer ${await token(as)}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const get = (path: string, as: Ask['as'] = {}) => ask('GET', path, { as });
const post = (path: string, { as = OPERATOR, body }: Ask) => ask('POST', path, { as, body });
const put = (path: string, { as = ADMIN, body }: Ask) => ask('PUT', path, { as, body });

/** The scopes that are not normal. */
async function statesOf(): Promise<Record<string, string>> {
  const { scopes } = await own.client.deskStatus();
  return Object.fromEntries(scopes.flatMap(({ scope, state }) => (state === 'normal' ? [] : [[scope, state]])));
}

const epochNow = async () => (await own.client.deskStatus()).epoch;

async function refuses(
  answer: Promise<{ status: number; body: Record<string, unknown> }>,
  ...[status, code]: [number, string]
) {
  const [before, states] = [await epochNow(), await statesOf()];
  const { status: got, body } = await answer;
  expect([got, body['status'], body['code']]).toEqual([status, status, code]);
  expect(typeof body['next_step']).toBe('string');
  expect([await epochNow(), await statesOf()]).toEqual([before, states]);
}

describe('a halt over REST', () => {
  it('answers with state, epoch, seal and times, and shows in the scope', async () => {
    const { status, body } = await post('/api/emergency/bot:mine/halt', { body: { reason: 'odd fills' } });
    expect([status, body]).toMatchObject([
      200,
      { action: 'halt', scope: 'bot:mine', state: 'halt', sealed: true, sealed_ms: 0, unsettled: 0 },
    ]);
    expect(Number(body['in_force_ms'])).toBeGreaterThanOrEqual(Number(body['accepted_ms']));
    expect((await get('/api/emergency/bot:mine')).body).toMatchObject({
      ...{ scope: 'bot:mine', state: 'halt', can_trade: false, epoch: body['epoch'], desk_epoch: body['epoch'] },
      causes: [{ id: 'operator:ann', reason: 'odd fills', actor: 'ann' }],
    });
    expect((await get('/api/emergency')).body).toMatchObject({ desk_id: 'default', state: 'normal' });
  });

  it('shows in what Prometheus reads, which names no bot', async () => {
    await post('/api/emergency/bot:mine/halt', { body: { reason: 'odd fills' } });
    const figures = await until('it is told', async () => {
      const text = await (await fetch(`${gateway.url}/metrics`)).text();
      return text.includes('holdfast_desk_scopes{kind="bot",state="halt"} 1\n') && text;
    });
    expect(figures).toContain('\nholdfast_desk_answering 1\n');
    expect(figures).toContain('\nholdfast_desk_scopes{kind="global",state="halt"} 0\n');
    expect(figures).toMatch(/^holdfast_desk_epoch [1-9]\d*$/m);
    expect(figures).not.toContain('mine');
  });

  it('takes a scope whose name holds a slash', async () => {
    await post('/api/emergency/symbol:BTC%2FUSDT/alert', { body: { reason: 'odd' } });
    expect(await statesOf()).toEqual({ 'symbol:BTC/USDT': 'alert' });
    expect((await get('/api/emergency/symbol:BTC%2FUSDT')).body).toMatchObject({ state: 'alert', can_trade: true });
  });

  it('is announced to the workers over Redis, signed, under the id of the command', async () => {
    const subscriber = new Redis(redis.url);
    const heard: string[] = [];
    subscriber.on('message', (_channel, text) => heard.push(text));
    await subscriber.subscribe('holdfast:closings:default');
    const { body } = await post('/api/emergency/global/halt', { body: { reason: 'odd prices', cancel_open: true } });
    await until('the closing', () => heard.length > 0);
    expect(openClosing(heard[0]!, { desk: 'default', key: KEY, now: Date.now() })).toMatchObject({
      ...{ scope: 'global', state: 'halt', command_id: body['command_id'], reason: 'odd prices', actor: 'ann' },
      cancel_open: true,
    });
    subscriber.disconnect();
  });

  it('again under its id changes nothing and has the same answer', async () => {
    const order = { body: { command_id: randomUUID(), reason: 'odd prices' } };
    const first = await post('/api/emergency/global/halt', order);
    await post('/api/emergency/bot:mine/halt', { body: { reason: 'later' } });
    const { body } = await post('/api/emergency/global/halt', order);
    expect(body).toMatchObject({ state: 'halt', epoch: first.body['epoch'] });
    await refuses(
      post('/api/emergency/global/shutdown', { body: { ...order.body } }),
      ...([409, 'CommandConflict'] as [number, string]),
    );
    await refuses(
      post('/api/emergency/global/halt', { body: { ...order.body, reason: 'another' } }),
      ...([409, 'CommandConflict'] as [number, string]),
    );
  });
});

describe('what is refused over REST, with a code and without a change', () => {
  it.each<[string, string, Ask, number, string]>([
    ['a viewer', 'global/halt', { body: { reason: 'odd' }, as: { role: 'viewer' } }, 403, 'Forbidden'],
    ['no reason', 'global/halt', { body: {} }, 400, 'BadRequest'],
    ['a blank reason', 'global/shutdown', { body: { reason: '  ' } }, 400, 'BadRequest'],
    ['a bot nobody registered', 'bot:nobody/halt', { body: { reason: 'odd' } }, 404, 'UnknownScope'],
    ['a scope that is none', 'everything/halt', { body: { reason: 'odd' } }, 404, 'UnknownScope'],
    ['an unknown field', 'global/halt', { body: { reason: 'odd', actor: 'eve' } }, 400, 'BadRequest'],
    ['a resume that saw nothing', 'global/resume', { body: { reason: 'fine', causes: [] } }, 400, 'BadRequest'],
    [
      'a resume of a later epoch',
      'global/resume',
      { body: { reason: 'fine', causes: [], expected_epoch: 9e15 } },
      409,
      'StaleResume',
    ],
    [
      'an approval nobody waits for',
      'global/approve',
      { body: { reason: 'fine', expected_epoch: 0 } },
      409,
      'CommandExpired',
    ],
  ])('%s', async (...[, path, request, ...refusal]) => {
    await refuses(post(`/api/emergency/${path}`, request), ...refusal);
  });

  it('leaves what a viewer tried on the desk’s record', async () => {
    const reason = `odd ${randomUUID()}`;
    await refuses(
      post('/api/emergency/global/halt', { body: { reason }, as: { role: 'viewer', subject: 'vic' } }),
      403,
      'Forbidden',
    );
    const { temporal } = loadConfig({ ...process.env, ...own.environment });
    const connection = await Connection.connect({ address: temporal.address });
    const workflow = new Client({ connection, namespace: temporal.namespace }).workflow.getHandle('desk/default');
    const told = await until('the desk was told', async () => {
      const { events = [] } = await workflow.fetchHistory();
      const signals = (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: each }) =>
        each ? [each] : [],
      );
      return signals
        .map(({ input }) => Buffer.from(input?.payloads?.[0]?.data ?? []).toString())
        .find((text) => text.includes(reason));
    });
    expect(JSON.parse(told)).toMatchObject({
      code: 'Forbidden',
      command: { action: 'halt', scope: 'global', actor: 'vic' },
    });
    await connection.close();
  });

  it('a resume with a stale epoch, without a cause that holds, or issued too long ago', async () => {
    const { epoch: old } = await own.client.deskStatus();
    const { body } = await post('/api/emergency/global/halt', { body: { reason: 'odd prices' } });
    const resume = { reason: 'fine', causes: ['operator:ann'], expected_epoch: body['epoch'] };
    const path = '/api/emergency/global/resume';
    await refuses(post(path, { body: { ...resume, expected_epoch: old } }), 409, 'StaleResume');
    await refuses(post(path, { body: { ...resume, causes: [] } }), 409, 'StaleResume');
    await refuses(post(path, { body: { ...resume, issued_at: Date.now() - 60_000 } }), 409, 'CommandExpired');
    expect((await post(path, { body: resume })).body).toMatchObject({ state: 'normal', scope: 'global' });
  });

  it('limits and bots from an operator, and limits that are none', async () => {
    const limits = { limits: { daily_loss: '300' }, reason: 'smaller' };
    await refuses(put('/api/emergency/bot:mine/limits', { body: limits, as: OPERATOR }), 403, 'Forbidden');
    await refuses(put('/api/bots/other', { body: BOT, as: OPERATOR }), 403, 'Forbidden');
    await refuses(put('/api/emergency/bot:mine/limits', { body: { ...limits, reason: '' } }), 400, 'BadRequest');
    await refuses(
      put('/api/emergency/bot:mine/limits', { body: { ...limits, limits: { daily: '1' } } }),
      400,
      'BadRequest',
    );
    await refuses(
      put('/api/emergency/bot:mine/limits', { body: { ...limits, limits: { daily_loss: 1 } } }),
      400,
      'BadRequest',
    );
    await refuses(put('/api/emergency/bot:nobody/limits', { body: limits }), 404, 'UnknownScope');
    await refuses(put('/api/bots/other', { body: { ...BOT, time_zone: 'Mars' } }), 400, 'BadRequest');
  });
});

describe('a shutdown over REST', () => {
  it('is lifted by two people who saw the same', async () => {
    const { body } = await post('/api/emergency/bot:mine/shutdown', { body: { reason: 'keys leaked' } });
    expect(body).toMatchObject({ state: 'shutdown' });
    const saw = { causes: ['operator:ann'], expected_epoch: body['epoch'], reason: 'keys are new' };
    const resume = await post('/api/emergency/bot:mine/resume', { body: saw });
    expect(resume.body).toMatchObject({ state: 'shutdown', awaits_approval_until: expect.any(Number) });
    const approve = { reason: 'I looked too', expected_epoch: body['epoch'] };
    await refuses(post('/api/emergency/bot:mine/approve', { body: approve }), 409, 'NeedsSecondPerson');
    const second = { role: 'operator', subject: 'bob' } as const;
    expect((await post('/api/emergency/bot:mine/approve', { body: approve, as: second })).body).toMatchObject({
      state: 'normal',
    });
  });
});

describe('a flatten over REST', () => {
  const path = '/api/emergency/global/flatten';
  const said = { reason: 'it is over', confirm: 'global' };
  const flattens = async (as: Ask['as'] = {}) =>
    (await get('/api/emergency/flattens', as)).body['flattens'] as { name: string; report?: { is_done: boolean } }[];

  it.each<[string, Ask, number, string]>([
    ['a viewer', { body: said, as: { role: 'viewer' } }, 403, 'Forbidden'],
    ['an operator', { body: said, as: OPERATOR }, 403, 'Forbidden'],
    ['an admin of one bot', { body: said, as: { ...ADMIN, bots: ['mine'] } }, 403, 'Forbidden'],
    ['no reason', { body: { confirm: 'global' }, as: ADMIN }, 400, 'BadRequest'],
    ['no confirmation', { body: { reason: 'it is over' }, as: ADMIN }, 400, 'BadRequest'],
    ['another scope for confirmation', { body: { ...said, confirm: 'bot:mine' }, as: ADMIN }, 400, 'BadRequest'],
    ['a slippage that is no number', { body: { ...said, max_slippage_percent: 'all' }, as: ADMIN }, 400, 'BadRequest'],
  ])('is refused for %s, and nothing begins', async (_whose, request, ...refusal) => {
    const before = await flattens();
    await refuses(post(path, request), ...refusal);
    expect(await flattens()).toEqual(before);
  });

  it('begins once for each id, also in a halt, and is shown until somebody has seen its end', async () => {
    await post('/api/emergency/global/halt', { body: { reason: 'odd prices' } });
    const order = { as: ADMIN, body: { ...said, command_id: randomUUID() } };
    const { status, body } = await post(path, order);
    expect([status, body]).toMatchObject([200, { action: 'flatten', scope: 'global', state: 'halt' }]);
    expect((await post(path, order)).body).toEqual(body);
    await refuses(post(path, { ...order, body: { ...order.body, reason: 'another' } }), 409, 'CommandConflict');
    const named = await until('it has ended', async () =>
      (await flattens()).find(({ name, report }) => name === String(body['epoch']) && report?.is_done === true),
    );
    expect(named).toMatchObject({ report: { actor: 'root', reason: 'it is over', results: [] } });
    expect(await flattens({ bots: ['mine'] })).toEqual([]);
  });

  it('is a message as well', async () => {
    const to = await listen(gateway.url, ADMIN);
    const command = { action: 'flatten', scope: 'bot:mine', ...said } as const;
    expect(await askOf(to, 'emergency_command', command)).toMatchObject({
      ok: false,
      error: { code: 'BadRequest' },
    });
    const answer = await askOf(to, 'emergency_command', { ...command, confirm: 'bot:mine' });
    expect(answer).toMatchObject({ ok: true, action: 'flatten', scope: 'bot:mine', state: 'normal' });
    to.socket.close();
  });
});

describe('limits and bots over REST', () => {
  it('are set by an admin and read by everyone', async () => {
    const { body } = await put('/api/emergency/bot:mine/limits', {
      body: { limits: { daily_loss: '300', max_order_notional: '50' }, auto_halt: false, reason: 'smaller' },
    });
    expect(body).toMatchObject({ action: 'set_limits', scope: 'bot:mine', state: 'normal' });
    expect((await get('/api/bots')).body).toMatchObject({ bots: [{ bot_id: 'mine', name: 'Mine' }] });
    expect((await get('/api/bots/mine')).body).toMatchObject({
      ...{ bot_id: 'mine', starting_equity: '1000' },
      emergency: {
        auto_halt: false,
        limits: [
          { limit: 'daily_loss', allowed: '300', used: '0', utilization: '0' },
          { limit: 'max_order_notional', allowed: '50' },
        ],
      },
    });
    await put('/api/emergency/bot:mine/limits', {
      body: { limits: { daily_loss: null, max_order_notional: null }, reason: 'none' },
    });
    expect((await get('/api/emergency/bot:mine')).body).toMatchObject({ limits: [] });
    expect((await get('/api/bots/nobody')).body).toMatchObject({ status: 404, code: 'UnknownScope' });
  });
});

describe('a restricted token', () => {
  const mine = { ...OPERATOR, bots: ['mine'] };

  it('reaches its own scopes alone', async () => {
    await put('/api/bots/other', { body: BOT });
    const order = { body: { reason: 'odd' }, as: mine };
    for (const scope of ['global', 'bot:other', 'strategy:s', 'symbol:X', 'venue:v', 'nonsense']) {
      await refuses(post(`/api/emergency/${scope}/halt`, order), 403, 'Forbidden');
    }
    await refuses(
      put('/api/emergency/global/limits', { body: { limits: {}, reason: 'x' }, as: { ...ADMIN, bots: ['mine'] } }),
      403,
      'Forbidden',
    );
    await refuses(put('/api/bots/other', { body: BOT, as: { ...ADMIN, bots: ['mine'] } }), 403, 'Forbidden');
    // Of both kinds, a scope of one is wider than the token.
    await refuses(
      post('/api/emergency/bot:mine/halt', { ...order, as: { ...mine, strategies: ['s'] } }),
      403,
      'Forbidden',
    );
    expect((await post('/api/emergency/bot:mine/halt', order)).body).toMatchObject({ state: 'halt' });
  });

  it('sees its own scopes, and of all others whether everything is halted', async () => {
    await post('/api/emergency/bot:other/halt', { body: { reason: 'not yours' } });
    const { body } = await get('/api/emergency', mine);
    expect(JSON.stringify(body)).not.toContain('other');
    expect(body).toMatchObject({ state: 'normal', bots: [{ bot_id: 'mine' }] });
    expect((body['scopes'] as { scope: string; limits: unknown[] }[])[0]).toMatchObject({
      scope: 'global',
      limits: [],
    });
    expect((await get('/api/emergency/bot:other', mine)).status).toBe(403);
    expect((await get('/api/bots/other', mine)).status).toBe(403);
    expect((await get('/api/emergency/global', mine)).body).toMatchObject({ state: 'normal', limits: [] });
  });
});

describe('the audit over REST', () => {
  it('is paged, and shows a restricted token what is its own', async () => {
    const entry = { desk_id: 'default', at: 0, epoch: 1, action: 'halt', actor: 'ann', outcome: 'ok', body: '{}' };
    await journal.appendAudit([
      { ...entry, ordinal: 1, scope: 'global', reason: 'all' },
      { ...entry, ordinal: 2, scope: 'bot:mine', reason: 'mine' },
      { ...entry, ordinal: 3, scope: 'bot:other', reason: 'other' },
    ]);
    const reasons = ({ body }: { body: Record<string, unknown> }) =>
      (body['entries'] as { reason: string }[]).map(({ reason }) => reason);
    expect(reasons(await get('/api/audit'))).toEqual(['all', 'mine', 'other']);
    expect(reasons(await get('/api/audit?limit=2'))).toEqual(['mine', 'other']);
    const page = await get('/api/audit?after=0&limit=1');
    expect([reasons(page), page.body]).toMatchObject([['all'], { total: 3, next_after: 1 }]);
    const restricted = await get('/api/audit', { bots: ['mine'] });
    expect([reasons(restricted), restricted.body['next_after']]).toEqual([['mine'], 3]);
    expect((await get('/api/audit?limit=0')).status).toBe(400);
  });
});

describe('commands over Socket.IO', () => {
  const send = (to: Listener, message: unknown) => askOf(to, 'emergency_command', message);

  it('are answered with state and epoch, or with the code of the refusal', async () => {
    const to = await listen(gateway.url, OPERATOR);
    const halt = { command_id: randomUUID(), scope: 'global', action: 'halt', reason: 'odd prices' };
    const answer = await send(to, halt);
    expect(answer).toMatchObject({ ok: true, state: 'halt', epoch: expect.any(Number), sealed: true });
    expect(await send(to, halt)).toMatchObject({ ok: true, epoch: answer['epoch'] });
    const codes = [
      await send(to, { ...halt, reason: 'another' }),
      await send(to, { ...halt, command_id: randomUUID(), reason: undefined }),
      await send(to, { ...halt, command_id: randomUUID(), scope: 'bot:nobody' }),
      await send(to, { scope: 'global', action: 'resume', reason: 'fine', causes: ['operator:ann'] }),
      await send(to, {
        scope: 'global',
        action: 'resume',
        reason: 'fine',
        causes: ['operator:ann'],
        expected_epoch: 1,
      }),
    ].map(({ ok, error }) => [ok, (error as { code: string }).code]);
    expect(codes).toEqual([
      [false, 'CommandConflict'],
      [false, 'BadRequest'],
      [false, 'UnknownScope'],
      [false, 'BadRequest'],
      [false, 'StaleResume'],
    ]);
    const viewer = await listen(gateway.url, { role: 'viewer' });
    expect(await send(viewer, { ...halt, command_id: randomUUID() })).toMatchObject({ error: { code: 'Forbidden' } });
    const resume = { scope: 'global', action: 'resume', reason: 'fine', causes: ['operator:ann'] };
    expect(await send(to, { ...resume, expected_epoch: answer['epoch'] })).toMatchObject({ ok: true, state: 'normal' });
    to.socket.close();
    viewer.socket.close();
  });
});

describe('without a worker', () => {
  let unattended: GatewayUnderTest;
  beforeAll(async () => {
    unattended = await startGateway({ redisUrl: redis.url });
  });
  afterAll(() => unattended.close());

  it('a halt is with Temporal all the same, and the answer says that nobody has decided it', async () => {
    const response = await fetch(`${unattended.url}/api/emergency/global/halt`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await token(OPERATOR)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'nobody works' }),
    });
    const body = (await response.json()) as Record<string, unknown>;
    expect(response.status).toBe(202);
    expect(body).toEqual({
      ...{ command_id: expect.any(String), action: 'halt', scope: 'global', accepted_ms: expect.any(Number) },
    });
    const { address, namespace } = temporalOf(await bareNamespace());
    const connection = await Connection.connect({ address });
    const { history } = await connection.workflowService.getWorkflowExecutionHistory({
      namespace,
      execution: { workflowId: 'desk/default' },
    });
    const sent = history?.events?.flatMap((each) => each.workflowExecutionSignaledEventAttributes ?? []) ?? [];
    expect(sent.map(({ signalName }) => signalName)).toContain('halt');
    expect(sent.map(({ input }) => Buffer.from(input?.payloads?.[0]?.data ?? []).toString()).join()).toContain(
      String(body['command_id']),
    );
    await connection.close();
  });
});
