/** R1 to R5 of `orders/replace.ts`, dispatch by dispatch. */
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { OrderPending } from '../../src/activities/order-pending';
import type { PermitStatus } from '../../src/emergency/status';
import { HoldfastError, messageOf } from '../../src/errors';
import type { VenueOrder } from '../../src/venues/venue';
import { OrderWorld } from '../support/order-world';

const fields = { venue: 'a', symbol: 'BTC/USDT', client_order_id: 'old', price: '91' };

/** At its venue an order of 1 at 90 rests. */
function resting(over: Partial<VenueOrder> = {}): OrderWorld {
  const world = new OrderWorld();
  world.a.trading.rests({ client_order_id: 'old', price: '90', ...over });
  return world;
}

const run = (world: OrderWorld, over: Record<string, unknown> = {}, trail = {}) =>
  world.run('replace_order', { ...fields, ...over }, trail);
const failure = (running: Promise<unknown>) =>
  running.then(
    (outcome) => JSON.stringify(outcome),
    (error: unknown) => (error as { code?: string }).code ?? messageOf(error),
  );
/** Orders that went out in place of the old one. */
const sent = ({ a }: OrderWorld) =>
  a.trading.accepted
    .filter(({ client_order_id }) => client_order_id !== 'old')
    .map(({ side, quantity, price }) => `${side} ${quantity} at ${price!}`);
const old = ({ a }: OrderWorld) => a.trading.order('old')?.status;
const lost = { lost: true, permits_of: 1 } as const;
const cut = () => new HoldfastError('ConnectionError', 'cut');

afterEach(() => {
  jest.restoreAllMocks();
});

describe('an order that is replaced', () => {
  it('is cancelled first, and ordered anew by a permit of its own', async () => {
    const world = resting();
    const { branch, outputs } = await run(world);
    expect([branch, outputs['filled_quantity'], sent(world)]).toEqual(['filled', '1', ['buy 1 at 91']]);
    expect(outputs['replaced']).toEqual({
      ...{ client_order_id: 'old', side: 'buy', status: 'cancelled' },
      ...{ filled_quantity: '0', filled_notional: '0', fees: '0' },
    });
    expect(world.asked).toMatchObject([{ side: 'buy', quantity: '1', price: '91' }]);
  });

  it('and was partly filled is ordered anew for the rest alone', async () => {
    const world = resting({ side: 'sell', filled_quantity: '0.4', filled_notional: '36' });
    await run(world);
    expect(sent(world)).toEqual(['sell 0.6 at 91']);
  });

  it('and filled in part although its cancel was answered is ordered anew for what it did not', async () => {
    const world = resting();
    world.a.trading.onCancelled = () => world.a.trading.change('old', { filled_quantity: '0.7' });
    expect(await run(world)).toMatchObject({ outputs: { replaced: { filled_quantity: '0.7' } } });
    expect(sent(world)).toEqual(['buy 0.3 at 91']);
  });

  it('comes to no more than the quantity that is given, with what filled, on the market’s grid', async () => {
    const world = resting({ filled_quantity: '0.4' });
    await run(world, { quantity: '2.00009' });
    expect(sent(world)).toEqual(['buy 1.6 at 91']);
  });

  it('may rest in the end, where that is enough', async () => {
    const world = resting();
    world.a.trading.fates.push('rests');
    expect(await run(world, { until: 'placed' })).toMatchObject({
      branch: 'open',
      outputs: { status: 'open', replaced: { status: 'cancelled' } },
    });
  });

  it('is followed by later dispatches, which take nothing back and know how the old one ended', async () => {
    const world = resting();
    world.isDeaf = true;
    const pending = await run(world).catch((error: unknown) => error);
    expect(pending).toBeInstanceOf(OrderPending);
    world.isDeaf = false;
    world.a.trading.change('old', { status: 'expired' });
    expect(await run(world, {}, { memo: (pending as OrderPending).memo })).toMatchObject({
      branch: 'filled',
      outputs: { replaced: { status: 'cancelled' } },
    });
    expect([world.a.trading.cancels, sent(world)]).toEqual([['old'], ['buy 1 at 91']]);
  });
});

describe('an order is not replaced, and nothing is sent', () => {
  it('when it was filled before the cancel', async () => {
    const world = resting({ status: 'filled', filled_quantity: '1' });
    expect(await run(world)).toMatchObject({
      branch: 'not_replaced',
      outputs: { status: 'not_sent', reason: 'it was filled already', replaced: { filled_quantity: '1' } },
    });
    expect([sent(world), world.asked, world.a.trading.cancels]).toEqual([[], [], []]);
  });

  it('when it fills while it is cancelled', async () => {
    const world = resting();
    world.a.trading.cancel = () => {
      world.a.trading.change('old', { status: 'filled', filled_quantity: '1' });
      return Promise.resolve({ kind: 'ended' });
    };
    expect(await run(world)).toMatchObject({ branch: 'not_replaced', outputs: { replaced: { status: 'filled' } } });
    expect([sent(world), world.asked]).toEqual([[], []]);
  });

  it.each(['cancelled', 'expired'] as const)('when it was %s already, by whomever', async (status) => {
    const world = resting({ status });
    expect(await run(world)).toMatchObject({ branch: 'not_replaced', outputs: { replaced: { status } } });
    expect(sent(world)).toEqual([]);
  });

  it('when somebody else cancels it first', async () => {
    const world = resting();
    world.a.trading.cancel = () => {
      world.a.trading.change('old', { status: 'cancelled' });
      return Promise.resolve({ kind: 'ended' });
    };
    expect(await run(world)).toMatchObject({ branch: 'not_replaced' });
    expect(sent(world)).toEqual([]);
  });

  it('when the venue has none, and none can come', async () => {
    const world = new OrderWorld();
    const { branch, outputs } = await run(world);
    expect([branch, outputs['reason'], outputs['replaced']]).toEqual([
      'not_replaced',
      'the venue has no such order',
      undefined,
    ]);
  });

  it('when what is left of it is less than the market takes', async () => {
    const world = resting();
    world.a.trading.onCancelled = () => world.a.trading.change('old', { filled_quantity: '0.96' });
    expect(await run(world)).toMatchObject({ branch: 'not_replaced' });
    expect([sent(world), old(world)]).toEqual([[], 'cancelled']);
  });

  it('when it filled what both together were to come to', async () => {
    const world = resting({ filled_quantity: '0.4' });
    expect(await run(world, { quantity: '0.4' })).toMatchObject({ branch: 'not_replaced' });
    expect([sent(world), old(world)]).toEqual([[], 'cancelled']);
  });

  it('when it is not known what became of it', async () => {
    const world = resting();
    world.a.trading.cancel = () => Promise.reject(cut());
    const real = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => real() * 50);
    expect(await failure(run(world))).toBe('ConnectionError');
    expect([sent(world), world.asked]).toEqual([[], []]);
  });
});

describe('the old order stands', () => {
  it.each<[string, Record<string, unknown>, (world: OrderWorld) => void, string]>([
    ['the new price is off the grid', { price: '91.001' }, () => undefined, 'OrderRejected'],
    ['the new one is too small', { price: '1' }, () => undefined, 'OrderRejected'],
    ['the price is stale', {}, (world) => (world.a.age_ms = 120_001), 'StalePrice'],
    ['the feed is dead', {}, (world) => (world.a.isDead = true), 'no prices'],
    ['the new price is nothing', { price: '0' }, () => undefined, 'InvalidInput'],
    ['nobody would cancel the new one', { until: 'placed', good_for: '1m' }, () => undefined, 'InvalidInput'],
  ])('when %s', async (_what, over, given, code) => {
    const world = resting();
    given(world);
    expect(await failure(run(world, over))).toBe(code);
    expect([old(world), world.a.trading.cancels, sent(world)]).toEqual(['open', [], []]);
  });

  it('when it is a stop order, which protects', async () => {
    const world = resting({ type: 'stop' });
    expect(await failure(run(world))).toBe('InvalidInput');
    expect([old(world), sent(world)]).toEqual(['open', []]);
  });
});

describe('between cancel and new order', () => {
  it('the answer to the cancel is lost: it is asked again, and one order is sent', async () => {
    const world = resting();
    const cancel = world.a.trading.cancel.bind(world.a.trading);
    let answers = 0;
    world.a.trading.cancel = async (ref) => {
      const answer = await cancel(ref);
      answers += 1;
      if (answers === 1) throw cut();
      return answer;
    };
    expect(await run(world)).toMatchObject({ branch: 'filled' });
    expect([world.a.trading.cancels.length, sent(world)]).toEqual([2, ['buy 1 at 91']]);
  });

  it('a halt comes: nothing is sent, and what was taken back is not ordered after the resume', async () => {
    const world = resting();
    world.desk.denied.set('a', { permit_id: '', granted: false, code: 'EmergencyHalted', message: 'the desk says no' });
    expect(await failure(run(world))).toBe('EmergencyHalted');
    expect([old(world), sent(world)]).toEqual(['cancelled', []]);
    world.desk.denied.clear();
    expect(await run(world)).toMatchObject({ branch: 'not_replaced', outputs: { replaced: { status: 'cancelled' } } });
    expect(sent(world)).toEqual([]);
  });

  it('the worker is lost after the cancel: nothing is sent, for a halt may have cancelled it since', async () => {
    const world = resting({ status: 'cancelled', filled_quantity: '0.4' });
    expect(await run(world, {}, lost)).toMatchObject({
      branch: 'not_replaced',
      outputs: {
        replaced: { status: 'cancelled', filled_quantity: '0.4' },
        reason: expect.stringMatching(/lost/) as unknown,
      },
    });
    expect(sent(world)).toEqual([]);
  });

  it('the worker is lost before the cancel: the next one replaces the order', async () => {
    const world = resting();
    expect(await run(world, {}, lost)).toMatchObject({ branch: 'filled' });
    expect(sent(world)).toEqual(['buy 1 at 91']);
  });

  it('the worker is lost after it sent the new order: that one is followed, and no other sent', async () => {
    const world = resting();
    await run(world);
    expect(await run(world, {}, lost)).toMatchObject({
      branch: 'filled',
      outputs: { replaced: { status: 'cancelled' } },
    });
    expect(sent(world)).toEqual(['buy 1 at 91']);
    world.a.trading.find = (ref) =>
      ref.client_order_id === 'old'
        ? Promise.reject(cut())
        : Promise.resolve(world.a.trading.order(ref.client_order_id));
    expect(await run(world, {}, lost)).toMatchObject({ outputs: { replaced: { status: 'unknown' } } });
  });

  it('the worker is lost, and the order had filled: nothing is sent', async () => {
    const world = resting({ status: 'filled', filled_quantity: '1' });
    expect(await run(world, {}, lost)).toMatchObject({ branch: 'not_replaced' });
    expect(sent(world)).toEqual([]);
  });
});

describe('the desk', () => {
  const permit: PermitStatus = {
    ...{ permit_id: 'p', instrument: 'a main BTC/USDT', venue: 'a', symbol: 'BTC/USDT', side: 'buy' },
    ...{ quantity: '1', price: '90', filled: '0', reduces: false, status: 'acknowledged', epoch: 7, at: 0 },
    ...{ execution_id: 'x', client_order_id: 'old', bot_id: 'b' },
  };

  it('hears what the old order filled and that it has ended before it is asked for the new one', async () => {
    const world = resting({ filled_quantity: '0.4', filled_notional: '36', fees: '0.1' });
    world.desk.resting = [{ ...permit, permit_id: 'q', client_order_id: 'another' }, permit];
    const record = world.desk.recordFill.bind(world.desk);
    const askedBefore: number[] = [];
    world.desk.recordFill = (fill) => {
      askedBefore.push(world.asked.length);
      return record(fill);
    };
    await run(world);
    expect(world.desk.fills[0]).toMatchObject({
      ...{ order_id: 'old', permit_id: 'p', bot_id: 'b', filled_quantity: '0.4', ended: true },
    });
    expect(askedBefore).toEqual([0, 1]);
  });

  it('hears nothing of fills where there were none', async () => {
    const world = resting();
    world.desk.unsettled = [permit];
    await run(world);
    expect(world.desk.fills.map(({ order_id }) => order_id)).not.toContain('old');
    expect(world.desk.batches[0]?.settlements).toMatchObject([{ permit_id: 'p', outcome: 'closed' }]);
  });

  it('that does not say what is open keeps back for both, and the order goes out', async () => {
    const world = resting();
    world.desk.openOrders = () => Promise.reject(new HoldfastError('EmergencyUnreachable', 'no answer'));
    expect(await run(world)).toMatchObject({ branch: 'filled' });
  });
});
