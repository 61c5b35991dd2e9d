import { describe, expect, it } from '@jest/globals';
import type { Settlement } from '../../src/emergency/model';
import type { PermitStatus } from '../../src/emergency/status';
import type { FoundOrder, OrderLookup } from '../../src/venues/order-lookup';
import { PermitSweeper } from '../../src/worker/permit-sweeper';
import { ScriptedDesk } from '../support/scripted-desk';

const open: PermitStatus = {
  ...{ permit_id: 'p', instrument: 'paper main BTC/USDT', venue: 'paper', symbol: 'BTC/USDT', side: 'buy' },
  ...{ quantity: '2', price: '100', filled: '0', reduces: false, status: 'granted', epoch: 7, at: 0 },
  ...{ execution_id: 'x', client_order_id: 'c-p', bot_id: 'b' },
};
const filled: FoundOrder = { status: 'ended', filled_quantity: '2', filled_notional: '199', fees: '0.1', at: 5 };

/** A sweeper with a clock of its own, of a venue that has what it is given. */
function sweeping(over: Partial<OrderLookup> = {}) {
  const desk = new ScriptedDesk();
  const asked: string[] = [];
  const settled: Settlement[] = [];
  const errors: unknown[] = [];
  const venue: { has: FoundOrder | undefined; answers: boolean } = { has: undefined, answers: true };
  const clock = { now: 5_000 };
  const lookup: OrderLookup = {
    ...{ venue: 'paper', account: 'main', fence_ms: 500, query_lag_ms: 1_000 },
    find: ({ client_order_id }) => {
      asked.push(client_order_id);
      return venue.answers ? Promise.resolve(venue.has) : Promise.reject(new Error('no answer'));
    },
    ...over,
  };
  const sweeper = new PermitSweeper({
    ...{ port: desk, lookups: [lookup], now: () => clock.now },
    settle: (settlement) => void settled.push(settlement),
    onError: (error) => void errors.push(error),
  });
  const sweepAt = async (now: number): Promise<void> => {
    clock.now = now;
    await sweeper.sweep();
  };
  desk.unsettled = [open];
  return { desk, asked, settled, errors, venue, sweepAt };
}

describe('the sweeper of an account', () => {
  it('leaves a permit to its owner for two lifetimes from when it was first seen', async () => {
    const { asked, settled, sweepAt } = sweeping();
    await sweepAt(5_000);
    await sweepAt(7_000);
    expect([asked, settled]).toEqual([[], []]);
    await sweepAt(7_001);
    expect(asked).toEqual(['c-p']);
  });

  it('records what the venue filled before it closes the permit', async () => {
    const { desk, settled, venue, sweepAt } = sweeping();
    venue.has = filled;
    await sweepAt(5_000);
    await sweepAt(7_001);
    expect(desk.fills).toEqual([
      {
        ...{ order_id: 'c-p', permit_id: 'p', account: 'main', venue: 'paper', symbol: 'BTC/USDT', side: 'buy' },
        ...{ filled_quantity: '2', filled_notional: '199', fees: '0.1', currency: 'USDT', at: 5, bot_id: 'b' },
      },
    ]);
    expect(settled.at(-1)).toEqual({ permit_id: 'p', outcome: 'closed', filled_quantity: '2' });
  });

  it.each<[string, FoundOrder, Settlement]>([
    ['rests', { ...filled, status: 'open', filled_quantity: '0' }, { permit_id: 'p', outcome: 'acknowledged' }],
    ['was refused', { ...filled, status: 'rejected', filled_quantity: '0' }, { permit_id: 'p', outcome: 'rejected' }],
  ])('settles an order that %s as the venue has it', async (_, has, settlement) => {
    const { desk, settled, venue, sweepAt } = sweeping();
    venue.has = has;
    await sweepAt(5_000);
    await sweepAt(7_001);
    expect(settled.at(-1)).toEqual(settlement);
    expect(desk.fills).toEqual([]);
  });

  it('looks again at an order that ended before it was filled whole, so that a fill that shows late is told', async () => {
    const { desk, settled, venue, sweepAt } = sweeping();
    desk.unsettled = [];
    desk.resting = [{ ...open, status: 'acknowledged' }];
    venue.has = { ...filled, filled_quantity: '0', filled_notional: '0', fees: '0' };
    await sweepAt(5_000);
    expect(settled).toEqual([]);
    // The list of the next sweep may begin elsewhere.
    desk.resting = [];
    venue.has = { ...filled, filled_quantity: '1', filled_notional: '99', fees: '0.1' };
    await sweepAt(5_999);
    expect(settled).toEqual([]);
    expect(desk.fills).toMatchObject([{ filled_quantity: '1', permit_id: 'p' }]);
    await sweepAt(6_000);
    expect(settled).toEqual([{ permit_id: 'p', outcome: 'closed', filled_quantity: '1' }]);
    await sweepAt(6_001);
    expect(settled).toHaveLength(1);
  });

  it('closes the permit of a cancelled order also where the venue shows fills a minute late and more', async () => {
    const { desk, settled, venue, sweepAt } = sweeping({ query_lag_ms: 90_000 });
    desk.unsettled = [];
    desk.resting = [{ ...open, status: 'acknowledged' }];
    venue.has = { ...filled, filled_quantity: '1', filled_notional: '99', fees: '0.1' };
    await sweepAt(5_000);
    for (let now = 10_000; now < 95_000; now += 5_000) await sweepAt(now);
    expect(settled).toEqual([]);
    await sweepAt(95_000);
    expect(settled).toEqual([{ permit_id: 'p', outcome: 'closed', filled_quantity: '1' }]);
  });

  it('says of an order the venue has not that it is unknown, then fenced, and closed once it could have been found', async () => {
    const { settled, sweepAt } = sweeping({ fence_ms: 1_500, query_lag_ms: 1_000 });
    await sweepAt(5_000);
    await sweepAt(7_500);
    expect(settled.splice(0)).toEqual([{ permit_id: 'p', outcome: 'unknown' }]);
    await sweepAt(7_501);
    expect(settled.splice(0).map(({ outcome }) => outcome)).toEqual(['unknown', 'fenced']);
    await sweepAt(8_500);
    expect(settled.splice(0).map(({ outcome }) => outcome)).toEqual(['unknown', 'fenced']);
    await sweepAt(8_501);
    expect(settled.map(({ outcome }) => outcome)).toEqual(['unknown', 'fenced', 'closed']);
  });

  it('fences, and never closes, what a silent venue does not tell of', async () => {
    const { settled, errors, venue, sweepAt } = sweeping();
    venue.answers = false;
    await sweepAt(5_000);
    await sweepAt(60_000);
    expect(settled.map(({ outcome }) => outcome)).toEqual(['unknown', 'fenced']);
    expect(errors).toEqual([new Error('no answer')]);
  });

  it('never gives up an order of a venue whose requests do not expire', async () => {
    const { settled, venue, sweepAt } = sweeping({ fence_ms: undefined as never });
    await sweepAt(5_000);
    await sweepAt(3_600_000);
    expect(settled).toEqual([{ permit_id: 'p', outcome: 'unknown' }]);
    venue.has = { ...filled, status: 'open', filled_quantity: '0' };
    await sweepAt(3_601_000);
    expect(settled.at(-1)).toEqual({ permit_id: 'p', outcome: 'acknowledged' });
  });

  it('counts from anew what was settled and is open again, and asks nothing of what has no id at the venue', async () => {
    const { desk, asked, sweepAt } = sweeping();
    await sweepAt(5_000);
    desk.unsettled = [];
    await sweepAt(6_000);
    const { client_order_id, ...nameless } = open;
    desk.unsettled = [open, { ...nameless, permit_id: 'q' }];
    await sweepAt(7_001);
    await sweepAt(9_000);
    expect(asked).toEqual([]);
    await sweepAt(9_002);
    expect(asked).toEqual([client_order_id]);
  });

  it('looks after what rests now and then, so that a fill nobody told of is told', async () => {
    const { desk, asked, settled, venue, sweepAt } = sweeping();
    desk.unsettled = [];
    desk.resting = [{ ...open, status: 'closed', filled: '1' }];
    venue.has = filled;
    for (let round = 0; round < 30; round += 1) await sweepAt(5_000 + round);
    expect(asked).toEqual(['c-p']);
    expect(desk.fills).toMatchObject([{ filled_quantity: '2' }]);
    await sweepAt(6_000);
    expect(asked).toHaveLength(2);
    expect(settled).toEqual([]);
  });

  it('goes on with the others when one cannot be told', async () => {
    const { desk, asked, errors, venue, sweepAt } = sweeping();
    desk.unsettled = [open, { ...open, permit_id: 'q', client_order_id: 'c-q' }];
    desk.recordFill = () => Promise.reject(new Error('the desk is away'));
    venue.has = filled;
    await sweepAt(5_000);
    await sweepAt(8_000);
    expect(asked).toEqual(['c-p', 'c-q']);
    expect(errors).toHaveLength(2);
  });
});
