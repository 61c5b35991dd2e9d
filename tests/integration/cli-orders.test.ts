import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OrderFact } from '../../src/emergency/model';
import { openJournal } from '../../src/journal/journal';
import { freePort } from '../../src/local-stack/ports';
import { holdfast } from '../support/command-line';
import { startOwnPglite, type OwnPostgresql } from '../support/own-postgresql';

const AT = Date.UTC(2026, 0, 5, 12);

const order = (n: number, over: Partial<OrderFact> = {}): OrderFact => ({
  ...{ order_id: `c-${n}`, permit_id: `p-${n}`, account: 'main', venue: 'paper', symbol: 'BTC/USDT', side: 'buy' },
  ...{ currency: 'USDT', bot_id: `b${n % 2}`, status: 'open', updated_at: AT + n },
  permitted: {
    ...{ client_order_id: `c-${n}`, quantity: '2', price: '100', execution_id: 'run-1' },
    ...{ epoch: 7, reduces: false, granted_at: AT + n },
  },
  ...over,
});

describe('holdfast orders', () => {
  let server: OwnPostgresql;
  const orders = (...args: string[]) => holdfast(['orders', ...args], { environment: { DATABASE_URL: server.url } });

  beforeAll(async () => {
    server = await startOwnPglite();
    const journal = openJournal(server.url);
    const fill = { quantity: '1.5', notional: '150', fees: '0.1', at: AT + 9 };
    await journal.recordOrders('default', [order(1), order(2, { status: 'cancelled', fill }), order(3)]);
    await journal.close();
  });
  afterAll(async () => {
    await server.stop();
  });

  it('lists the newest first, as a table or as JSON', async () => {
    const { code, out, err } = await orders('--limit', '2');
    expect([code, err]).toEqual([0, 'There are more; --limit shows up to 1000.\n']);
    expect(out.trimEnd().split('\n')).toEqual([
      'ORDER  AT                        BOT  VENUE  SYMBOL    SIDE  QUANTITY  PRICE  FILLED  STATUS',
      'c-3    2026-01-05T12:00:00.003Z  b1   paper  BTC/USDT  buy   2         100    0       open',
      'c-2    2026-01-05T12:00:00.002Z  b0   paper  BTC/USDT  buy   2         100    1.5     cancelled',
    ]);
    const json = await orders('--bot', 'b1', '--open', '--json');
    expect(JSON.parse(json.out)).toMatchObject({
      desk_id: 'default',
      orders: [{ order_id: 'c-3' }, { order_id: 'c-1' }],
    });
    expect(await orders('--bot', 'b9')).toMatchObject({ code: 0, out: 'No orders.\n' });
  });

  it('shows one with its fills, and says of one that is not there that it is not', async () => {
    const { out } = await orders('c-2');
    expect(out.trimEnd().split('\n').slice(2)).toEqual([
      '',
      'AT                        QUANTITY  NOTIONAL  FEES  REALIZED',
      '2026-01-05T12:00:00.009Z  1.5       150       0.1   -',
    ]);
    expect(await orders('c-9')).toMatchObject({ code: 2, err: expect.stringContaining('[OrderNotFound]') });
  });

  it('ends with 3 when the journal cannot be reached', async () => {
    const nowhere = `postgresql://postgres@127.0.0.1:${await freePort()}/postgres`;
    const { code, err } = await holdfast(['orders'], { environment: { DATABASE_URL: nowhere } });
    expect([code, err]).toEqual([3, expect.stringContaining('[JournalUnavailable]')]);
  });
});
