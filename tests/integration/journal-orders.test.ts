/** Orders, fills and series in the journal, on the database as it is used. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { OrderFact, OrderStatus, PermittedOrder } from '../../src/emergency/model';
import { openJournal, type Journal } from '../../src/journal/journal';
import { startOwnPglite, startOwnPostgresql, whyNoPostgresql, type OwnPostgresql } from '../support/own-postgresql';

const AT = Date.UTC(2026, 0, 5, 12);

const permitted: PermittedOrder = {
  ...{ client_order_id: 'client-1', quantity: '2', price: '100', execution_id: 'run-1', workflow_id: 'graph' },
  ...{ mode: 'paper', epoch: 7, reduces: false, granted_at: AT },
};

function fact(status: OrderStatus, over: Partial<OrderFact> = {}): OrderFact {
  return {
    ...{
      order_id: 'client-1',
      permit_id: 'permit-1',
      account: 'main',
      venue: 'paper',
      symbol: 'BTC/USDT',
      side: 'buy',
    },
    ...{ currency: 'USDT', bot_id: 'b1', strategy_id: 's1', status, permitted, updated_at: AT },
    ...over,
  };
}

const filled = (quantity: string, notional: string, fees: string, more: object = {}) => ({
  fill: { quantity, notional, fees, at: AT + 5, ...more },
});

/** What the desk tells of one order, oldest first. */
const STORY: readonly OrderFact[] = [
  fact('intended'),
  fact('open', { updated_at: AT + 1 }),
  fact('open', { updated_at: AT + 2, ...filled('0.5', '50', '0.05') }),
  fact('open', { updated_at: AT + 3, ...filled('1.25', '125', '0.1', { realized: '3' }) }),
  fact('cancelled', { updated_at: AT + 4, ...filled('1.25', '125', '0.1', { realized: '3' }) }),
];

function late(quantity: string, notional: string, fees: string, updated_at: number): OrderFact {
  const { permitted: _, ...rest } = fact('unpermitted', { updated_at, ...filled(quantity, notional, fees) });
  return rest;
}

const missing = whyNoPostgresql();
const servers = [
  { name: 'PGlite', start: startOwnPglite },
  ...(missing === undefined ? [{ name: 'PostgreSQL', start: startOwnPostgresql }] : []),
];

describe.each(servers)('orders in the journal on $name', ({ start }) => {
  let server: OwnPostgresql;
  let journal: Journal;

  beforeAll(async () => {
    server = await start();
  });
  afterAll(async () => {
    await server.stop();
  });
  beforeEach(async () => {
    await server.sql('DROP SCHEMA IF EXISTS holdfast CASCADE');
    journal = openJournal(server.url);
  });
  afterEach(async () => {
    await journal.close();
  });

  const all = async (desk_id = 'd', over = {}) => (await journal.orders({ desk_id, ...over })).orders;
  const parts = async (row = 0) => {
    const rows = await all();
    return (await journal.fillsOf(rows[row]!)).map(({ quantity, notional, fees, filled_quantity }) =>
      [quantity, notional, fees, filled_quantity].join(' '),
    );
  };

  it('are kept as they stand, with each told state of their fills', async () => {
    for (const each of STORY) await journal.recordOrders('d', [each]);
    expect(await all()).toEqual([
      {
        ...{ desk_id: 'd', order_id: 'client-1', permit_id: 'permit-1', client_order_id: 'client-1', account: 'main' },
        ...{ venue: 'paper', symbol: 'BTC/USDT', side: 'buy', currency: 'USDT', bot_id: 'b1', strategy_id: 's1' },
        ...{ execution_id: 'run-1', workflow_id: 'graph', mode: 'paper', reduces: false, status: 'cancelled' },
        ...{ quantity: '2', price: '100', filled_quantity: '1.25', filled_notional: '125', fees: '0.1', realized: '3' },
        ...{ filled_at: '2026-01-05T12:00:00.005Z', intended_at: '2026-01-05T12:00:00.000Z' },
        updated_at: '2026-01-05T12:00:00.004Z',
      },
    ]);
    expect(await parts()).toEqual(['0.5 50 0.05 0.5', '0.75 75 0.05 1.25']);
  });

  it('stand the same however often, in whatever batches and in whatever order their facts come', async () => {
    for (const each of STORY) await journal.recordOrders('d', [each]);
    const expected = { orders: await all(), parts: await parts() };
    const deliveries = fc.array(fc.shuffledSubarray([...STORY], { minLength: 1 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(deliveries, fc.shuffledSubarray([...STORY], { minLength: STORY.length }), async (some, last) => {
        await server.sql('TRUNCATE holdfast.orders, holdfast.fills');
        for (const batch of [...some, [...last, ...last]]) await journal.recordOrders('d', batch);
        expect({ orders: await all(), parts: await parts() }).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it('take a fill that comes after the end, and are filled when it fills them whole', async () => {
    await journal.recordOrders('d', STORY);
    await journal.recordOrders('d', [late('1.5', '150', '0.2', AT + 9)]);
    expect(await all()).toMatchObject([{ status: 'cancelled', filled_quantity: '1.5', quantity: '2' }]);
    await journal.recordOrders('d', [late('2', '200', '0.3', AT + 10)]);
    expect(await all()).toMatchObject([{ status: 'filled', filled_quantity: '2', fees: '0.3' }]);
    await journal.recordOrders('d', STORY);
    expect(await all()).toMatchObject([{ status: 'filled', filled_quantity: '2', fees: '0.3' }]);
  });

  it('take fills told under the client order id alone, in the same batch too, and never for a permit that was not used', async () => {
    const { permit_id: _, ...nameless } = late('0.5', '50', '0.05', AT + 9);
    const unused = fact('unused', { permit_id: 'permit-0', permitted: { ...permitted, granted_at: AT - 5 } });
    await journal.recordOrders('d', [nameless, unused, STORY[1]!]);
    const rows = await all();
    expect(rows.map(({ permit_id, status, filled_quantity }) => [permit_id, status, filled_quantity])).toEqual([
      ['permit-1', 'open', '0.5'],
      ['permit-0', 'unused', '0'],
    ]);
    const stranger = { ...nameless, order_id: 'nobody-knows' };
    await journal.recordOrders('d', [stranger]);
    expect(await all('d', { statuses: ['unpermitted'] })).toMatchObject([
      { order_id: 'nobody-knows', permit_id: null, quantity: null, filled_quantity: '0.5' },
    ]);
  });

  it('lose no digit of numbers that JavaScript cannot hold', async () => {
    const quantity = '12345678901234.123456789012345';
    const notional = '152415787532388367501905199875.019052100122';
    const long = fact('open', {
      permitted: { ...permitted, quantity, price: '98765432109876.987654321098765' },
      ...filled(quantity, notional, '-0.000000000000000000000000000001'),
    });
    await journal.recordOrders('d', [long]);
    expect(await all()).toMatchObject([
      {
        ...{ quantity, price: '98765432109876.987654321098765', filled_quantity: quantity },
        ...{ filled_notional: notional, fees: '-0.000000000000000000000000000001' },
      },
    ]);
    expect(await parts()).toEqual([`${quantity} ${notional} -0.000000000000000000000000000001 ${quantity}`]);
  });

  it('are found by whose they are, how they stand and when, and page by page each once', async () => {
    const many = Array.from({ length: 57 }, (_, n) =>
      fact(n % 3 === 0 ? 'open' : 'filled', {
        ...{ permit_id: `p${n}`, order_id: `p${n}`, bot_id: n % 2 === 0 ? 'even' : 'odd', symbol: n < 9 ? 'X' : 'Y' },
        // Ten at a time were granted within one millisecond.
        permitted: { ...permitted, granted_at: AT + Math.floor(n / 10), execution_id: `run-${n % 5}` },
      }),
    );
    await journal.recordOrders('d', many);
    await journal.recordOrders('other', many);
    const seen: (string | null)[] = [];
    let page: string | undefined;
    do {
      const got = await journal.orders({ desk_id: 'd', limit: 7, ...(page === undefined ? {} : { page }) });
      expect(got.orders.length).toBeLessThanOrEqual(7);
      seen.push(...got.orders.map(({ permit_id }) => permit_id));
      page = got.next_page;
    } while (page !== undefined);
    expect(seen).toHaveLength(57);
    expect(new Set(seen).size).toBe(57);
    const count = async (over: object) => (await all('d', { limit: 1_000, ...over })).length;
    expect({
      bot: await count({ bot_id: 'even' }),
      bots: await count({ bots: ['odd'], bot_id: 'even' }),
      open: await count({ statuses: ['open'] }),
      symbol: await count({ symbol: 'X' }),
      execution: await count({ execution_id: 'run-1' }),
      from: await count({ from: AT + 4, to: AT + 5 }),
      strategies: await count({ strategies: [] }),
    }).toEqual({ bot: 29, bots: 0, open: 19, symbol: 9, execution: 12, from: 10, strategies: 0 });
  });

  it('say what a window came to: fills by their increments, and the part that earned', async () => {
    const day = 86_400_000;
    const won = (n: number, realized: string, at: number) =>
      fact('filled', {
        ...{ permit_id: `w${n}`, order_id: `w${n}`, updated_at: at },
        fill: { quantity: '2', notional: '200', fees: '1', realized, at },
        permitted: { ...permitted, client_order_id: `w${n}`, granted_at: at - 10 },
      });
    const early = fact('open', {
      ...{ permit_id: 'slow', order_id: 'slow', updated_at: AT - 2 * day },
      fill: { quantity: '1', notional: '100', fees: '5', realized: '50', at: AT - 2 * day },
      permitted: { ...permitted, granted_at: AT - 2 * day },
    });
    await journal.recordOrders('d', [won(1, '3', AT), won(2, '0.5', AT), won(3, '9', AT - 3 * day), early]);
    await journal.recordOrders('d', [
      {
        ...early,
        status: 'filled',
        updated_at: AT,
        fill: { ...early.fill!, quantity: '2', fees: '6', realized: '70', at: AT },
      },
      fact('unused', { permit_id: 'never', permitted: { ...permitted, granted_at: AT } }),
    ]);
    expect(await journal.performance('d', { strategy_id: 's1' }, AT - day)).toEqual({
      ...{ orders: 2, fills: 3, realized: '23.5', fees: '3', closed: 3, won: 2 },
    });
    expect(await journal.performance('d', { bot_id: 'nobody' }, AT - day)).toEqual({
      ...{ orders: 0, fills: 0, realized: '0', fees: '0', closed: 0, won: 0 },
    });
  });

  it('keep of a second the latest point of each scope', async () => {
    const point = (realized: string) => ({ scope: 'bot:b1', realized, fees: '0', unrealized: '1', exposure: '2' });
    const write = (at: number, realized: string) =>
      journal.recordPoints('d', { at, equity: [point(realized)], positions: [] });
    await write(AT, '1');
    await write(AT + 999, '2');
    await write(AT + 1_000, '3');
    await write(AT + 1_000, '3');
    const series = await journal.equitySeries({ desk_id: 'd', scope: 'bot:b1', since: AT, limit: 10 });
    expect(series.map(({ at, realized }) => [at, realized])).toEqual([
      ['2026-01-05T12:00:00.000Z', '2'],
      ['2026-01-05T12:00:01.000Z', '3'],
    ]);
  });
});
