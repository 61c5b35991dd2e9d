/** What happened to bots and strategies, read from the journal on the database as it is used. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { OrderFact } from '../../src/emergency/model';
import { openJournal, type AuditEntry, type Journal } from '../../src/journal/journal';
import { startOwnPglite, startOwnPostgresql, whyNoPostgresql, type OwnPostgresql } from '../support/own-postgresql';

const AT = Date.UTC(2026, 0, 5, 12);
const DAY = 86_400_000;

/** An order as it stood once it had filled so much. */
function fact(id: string, fill: NonNullable<OrderFact['fill']>, over: Partial<OrderFact> = {}): OrderFact {
  return {
    ...{ order_id: id, permit_id: id, account: 'main', venue: 'paper', symbol: 'BTC/USDT', side: 'buy' },
    ...{ currency: 'USDT', bot_id: 'b1', strategy_id: 's1', status: 'filled', updated_at: fill.at, fill },
    permitted: {
      ...{ client_order_id: id, quantity: '2', price: '100', execution_id: 'run-1', workflow_id: 'graph' },
      ...{ mode: 'paper', epoch: 7, reduces: false, granted_at: fill.at - 10 },
    },
    ...over,
  };
}

const entry = (ordinal: number, action: string, others: Partial<AuditEntry> = {}): AuditEntry => ({
  ...{ desk_id: 'd', ordinal, at: AT + ordinal, epoch: ordinal, action, actor: 'ann', scope: 'bot:b1' },
  ...{ reason: `reason ${ordinal}`, outcome: 'ok', body: '' },
  ...others,
});

const servers = [
  { name: 'PGlite', start: startOwnPglite },
  ...(whyNoPostgresql() === undefined ? [{ name: 'PostgreSQL', start: startOwnPostgresql }] : []),
];

describe.each(servers)('the journal on $name', ({ start }) => {
  let server: OwnPostgresql;
  let journal: Journal;

  beforeAll(async () => {
    server = await start();
    journal = openJournal(server.url);
  });
  afterAll(async () => {
    await journal.close();
    await server.stop();
  });

  it('tells fills by what came on top with each, and the profit since the window began', async () => {
    const slow = { quantity: '1', notional: '100', fees: '5', realized: '50', at: AT - 2 * DAY };
    await journal.recordOrders('d', [
      fact('slow', slow, { status: 'open' }),
      fact('in', { quantity: '1.50', notional: '150', fees: '0.5', at: AT }),
      fact('theirs', { quantity: '9', notional: '900', fees: '9', at: AT + 1 }, { bot_id: 'b2', strategy_id: 's2' }),
    ]);
    await journal.recordOrders('d', [
      fact('slow', { ...slow, quantity: '1.25', notional: '130', fees: '6', realized: '53', at: AT + 20 }),
      fact('out', { quantity: '2', notional: '240', fees: '1', realized: '40', at: AT + 30 }, { side: 'sell' }),
    ]);
    const asked = { desk_id: 'd', since: AT - DAY, limit: 10 };
    const told = async (query: object) =>
      (await journal.fillsSince({ ...asked, ...query })).map(
        ({ order_id, side, quantity, notional, profit }) => `${order_id} ${side} ${quantity} ${notional} ${profit}`,
      );
    const all = ['in buy 1.5 150 -0.5', 'slow buy 0.25 30 1.5', 'out sell 2 240 40.5'];
    expect(await told({ bot_id: 'b1' })).toEqual(all);
    expect(await told({ strategy_id: 's1' })).toEqual(all);
    // What is not listed any more still counts.
    expect(await told({ bot_id: 'b1', limit: 1 })).toEqual(all.slice(-1));
    expect(await told({ bot_id: 'nobody' })).toEqual([]);
    expect((await journal.fillsSince({ ...asked, bot_id: 'b2' }))[0]).toEqual({
      ...{ at: '2026-01-05T12:00:00.001Z', order_id: 'theirs', venue: 'paper', symbol: 'BTC/USDT', side: 'buy' },
      ...{ quantity: '9', notional: '900', profit: '-9' },
    });
  });

  it('tells what halted a scope, by commands, signals and limits alike, and nothing that was refused', async () => {
    await journal.appendAudit([
      entry(1, 'halt', { at: AT - 2 * DAY }),
      entry(2, 'alert'),
      entry(3, 'halt', { actor: 'desk', reason: 'daily_loss of bot:b1: 550 of 500' }),
      entry(4, 'resume'),
      entry(5, 'halt', { outcome: 'UnknownScope' }),
      entry(6, 'signal shutdown', { scope: 'global' }),
      entry(7, 'halt', { scope: 'bot:b2' }),
      entry(8, 'halt', { desk_id: 'other' }),
    ]);
    const asked = { desk_id: 'd', scopes: ['global', 'bot:b1'], since: AT - DAY, limit: 10 };
    const halts = await journal.haltsSince(asked);
    expect(halts).toEqual([
      {
        ...{ at: '2026-01-05T12:00:00.003Z', state: 'halt', scope: 'bot:b1', actor: 'desk' },
        reason: 'daily_loss of bot:b1: 550 of 500',
      },
      { at: '2026-01-05T12:00:00.006Z', state: 'shutdown', scope: 'global', actor: 'ann', reason: 'reason 6' },
    ]);
    expect(await journal.haltsSince({ ...asked, limit: 1 })).toEqual(halts.slice(-1));
    expect(await journal.haltsSince({ ...asked, desk_id: 'nobody' })).toEqual([]);
  });
});
