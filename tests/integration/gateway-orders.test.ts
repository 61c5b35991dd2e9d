/** Orders, positions and metrics over REST, from the desk's word to the answer. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openJournal, type Journal } from '../../src/journal/journal';
import { orderRequest } from '../support/desk-at-work';
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

type Body = Record<string, unknown>;

let own: OwnNamespace;
let redis: OwnRedis;
let postgresql: OwnPostgresql;
let journal: Journal;
let gateway: GatewayUnderTest;

beforeAll(async () => {
  [redis, postgresql] = await Promise.all([startOwnRedis(), startOwnPglite()]);
  journal = openJournal(postgresql.url);
  own = await ownNamespace('orders', () => undefined, {}, { journal });
  gateway = await startGateway({ redisUrl: redis.url, client: own.client, journal });
  for (const bot_id of ['mine', 'other']) {
    const bot = { bot_id, name: bot_id, venues: ['paper'], starting_equity: '1000', time_zone: 'UTC' };
    const said = { command_id: randomUUID(), actor: 'ann', reason: 'it begins' };
    await own.client.commandDesk({ action: 'register_bot', bot, ...said });
  }
  await trade('a', { bot_id: 'mine', strategy_id: 's' }, ['1', '100']);
  await trade('b', { bot_id: 'mine', strategy_id: 's', side: 'sell' }, ['0.5', '60']);
  await trade('c', { bot_id: 'other', strategy_id: 't', symbol: 'ETH/USDT' }, ['2', '40']);
  await own.client.requestPermits({ requests: [request('resting', { bot_id: 'mine' })], settlements: [] });
  await settle('resting', 'acknowledged');
  await until('all four are in the journal', async () => (await orders('')).length === 4);
  await until('as they ended', async () => (await orders('?open=true')).length === 1);
});

afterAll(async () => {
  await gateway.close();
  await redis.stop();
  await own.dispose();
  await journal.close();
  await postgresql.stop();
});

const request = (permit_id: string, over: Body) =>
  orderRequest(permit_id, { client_order_id: `client-${permit_id}`, execution_id: `run-${permit_id}`, ...over });

async function settle(permit_id: string, outcome: 'acknowledged' | 'closed', filled_quantity?: string) {
  const settlement = { permit_id, outcome, ...(filled_quantity === undefined ? {} : { filled_quantity }) };
  await own.client.requestPermits({ requests: [], settlements: [settlement] });
}

/** An order as a worker tells it: permitted, taken by the venue, filled, ended. */
async function trade(permit_id: string, over: Body, [filled_quantity = '', filled_notional = '']: string[]) {
  const { quantity, price, client_order_id, execution_id, ...order } = request(permit_id, over);
  const [answer] = await own.client.requestPermits({ requests: [request(permit_id, over)], settlements: [] });
  expect(answer).toMatchObject({ granted: true });
  await settle(permit_id, 'acknowledged');
  const amounts = { filled_quantity, filled_notional, fees: '0.5', at: Date.now() };
  await own.client.recordAtDesk('fill', { ...order, order_id: client_order_id, ...amounts });
  await settle(permit_id, 'closed', filled_quantity);
}

async function get(path: string, as: Parameters<typeof token>[0] = {}): Promise<{ status: number; body: Body }> {
  const response = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${await token(as)}` } });
  return { status: response.status, body: (await response.json()) as Body };
}

async function orders(query: string, as: Parameters<typeof token>[0] = {}): Promise<Body[]> {
  const { status, body } = await get(`/api/orders${query}`, as);
  expect([status, body]).toEqual([200, expect.anything()]);
  return body['orders'] as Body[];
}

const ids = (rows: readonly Body[]) => rows.map(({ permit_id }) => permit_id);

describe('orders over REST', () => {
  it('are listed, newest first, with what was asked, filled and paid', async () => {
    const rows = await orders('');
    expect(ids(rows)).toEqual(['resting', 'c', 'b', 'a']);
    expect(rows[2]).toMatchObject({
      ...{ desk_id: 'default', order_id: 'client-b', bot_id: 'mine', strategy_id: 's', execution_id: 'run-b' },
      ...{ side: 'sell', quantity: '1', price: '100', status: 'cancelled', reduces: true },
      ...{ filled_quantity: '0.5', filled_notional: '60', fees: '0.5', realized: '10' },
    });
  });

  it('are found by whose they are, how they stand, what they trade and when', async () => {
    const [{ intended_at } = {}] = await orders('?execution_id=run-b');
    const at = encodeURIComponent(String(intended_at));
    expect({
      bot: ids(await orders('?bot_id=other')),
      strategy: ids(await orders('?strategy_id=s')),
      symbol: ids(await orders('?symbol=ETH%2FUSDT')),
      status: ids(await orders('?status=filled,cancelled')),
      open: ids(await orders('?open=true')),
      before: ids(await orders(`?to=${at}`)),
      since: ids(await orders(`?from=${at}`)),
    }).toEqual({
      ...{ bot: ['c'], strategy: ['b', 'a'], symbol: ['c'], status: ['c', 'b', 'a'] },
      ...{ open: ['resting'], before: ['a'], since: ['resting', 'c', 'b'] },
    });
  });

  it('come in pages', async () => {
    const first = await get('/api/orders?limit=3');
    const page = String(first.body['next_page']);
    const second = await get(`/api/orders?limit=3&page=${page}`);
    expect([...ids(first.body['orders'] as Body[]), ...ids(second.body['orders'] as Body[])]).toEqual([
      ...['resting', 'c', 'b', 'a'],
    ]);
    expect(second.body).not.toHaveProperty('next_page');
  });

  it.each(['?limit=0', '?status=lost', '?page=nonsense', '?from=yesterday', '?colour=red', '?status=open&open=true'])(
    'refuse %s',
    async (query) => {
      expect(await get(`/api/orders${query}`)).toMatchObject({ status: 400, body: { code: 'BadRequest' } });
    },
  );

  it('are shown one by one with their fills, and one that is not there is told so', async () => {
    expect(await get('/api/orders/client-b')).toMatchObject({
      status: 200,
      body: {
        permit_id: 'b',
        fills: [{ quantity: '0.5', notional: '60', fees: '0.5', realized: '10', filled_quantity: '0.5' }],
      },
    });
    expect(await get('/api/orders/client-nobody')).toMatchObject({ status: 404, body: { code: 'OrderNotFound' } });
  });

  it('are those of a restricted token alone', async () => {
    const mine = { bots: ['mine'] };
    expect(ids(await orders('', mine))).toEqual(['resting', 'b', 'a']);
    expect(await orders('?bot_id=other', mine)).toEqual([]);
    expect((await get('/api/orders/client-c', mine)).status).toBe(403);
    expect(ids(await orders('', { strategies: ['t'] }))).toEqual(['c']);
    expect(ids(await orders('', { bots: ['mine'], strategies: ['t'] }))).toEqual([]);
  });
});

describe('positions over REST', () => {
  it('are what fills have proven, with whose they are', async () => {
    const { body } = await get('/api/positions');
    expect(body).toMatchObject({ desk_id: 'default', currency: 'USDT' });
    expect(body['positions']).toMatchObject([
      {
        ...{ account: 'main', venue: 'paper', symbol: 'BTC/USDT', quantity: '0.5', cost: '50', price: '120' },
        ...{ notional: '60', unrealized: '10' },
        parts: [
          { scope: 'bot:mine', quantity: '0.5', unrealized: '10' },
          { scope: 'strategy:s', quantity: '0.5', unrealized: '10' },
        ],
      },
      { symbol: 'ETH/USDT', quantity: '2', unrealized: '0' },
    ]);
  });

  it('show a restricted token its own parts, and nothing of the account', async () => {
    const { body } = await get('/api/positions', { bots: ['mine'] });
    expect(body['positions']).toEqual([
      {
        ...{ account: 'main', venue: 'paper', symbol: 'BTC/USDT', price: '120', price_at: expect.any(Number) },
        parts: [{ scope: 'bot:mine', quantity: '0.5', notional: '60', unrealized: '10' }],
      },
    ]);
  });
});

describe('metrics', () => {
  const figures = {
    ...{ window: '24h', realized_pnl: '10', fees: '1', unrealized_pnl: '10', orders: 2, fills: 2, win_rate: '1' },
    ...{ executions: 0, failures: 0 },
  };

  it('of a bot stand beside it, of a strategy over the window that is asked for', async () => {
    expect((await get('/api/bots/mine')).body).toMatchObject({
      ...{ bot_id: 'mine', emergency: { scope: 'bot:mine' } },
      metrics: { ...figures, orders: 3, equity: '1019', drawdown_percent: '0', exposure: '160' },
    });
    const { body } = await get('/api/strategies/s/performance?window=7d');
    expect(body).toMatchObject({ strategy_id: 's', metrics: { ...figures, window: '7d', exposure: '60' } });
    expect(await get('/api/strategies/s/performance?window=fortnight')).toMatchObject({ status: 400 });
    expect(await get('/api/strategies/s/performance', { strategies: ['t'] })).toMatchObject({ status: 403 });
  });

  it('are published when figures change, and the series grows by them', async () => {
    const to: Listener = await listen(gateway.url);
    expect(await askOf(to, 'subscribe_bot', { bot_id: 'mine' })).toMatchObject({ ok: true });
    const price = { venue: 'paper', symbol: 'BTC/USDT', price: '140', at: Date.now() };
    await own.client.recordAtDesk('price', price);
    const told = await until('the bot’s metrics', () =>
      to.events.find((event) => event.type === 'bot_metrics' && event.unrealized_pnl === '20'),
    );
    expect(told).toMatchObject({
      ...figures,
      bot_id: 'mine',
      stream: 'metrics/default',
      unrealized_pnl: '20',
      orders: 3,
    });
    await until('the series', async () => {
      const { body } = await get('/api/strategies/s/performance');
      return (body['equity'] as Body[]).some(({ unrealized }) => unrealized === '20');
    });
    to.socket.close();
  });
});

/** Last, because the journal is gone afterwards. */
describe('while the journal is down', () => {
  it('orders and performance are refused with its code; bots and positions are shown', async () => {
    await postgresql.kill();
    for (const path of ['/api/orders', '/api/orders/client-a', '/api/strategies/s/performance']) {
      expect(await get(path)).toMatchObject({ status: 503, body: { code: 'JournalUnavailable', retryable: true } });
    }
    expect((await get('/api/bots/mine')).body).toMatchObject({
      ...{ bot_id: 'mine', metrics_error: { code: 'JournalUnavailable' } },
    });
    expect((await get('/api/positions')).status).toBe(200);
  });
});
