import { describe, expect, it } from '@jest/globals';
import { OrderPending } from '../../src/activities/order-pending';
import { HoldfastError, messageOf } from '../../src/errors';
import { OrderWorld } from '../support/order-world';

const at = { venue: 'a', symbol: 'BTC/USDT' };
const buy = { ...at, side: 'buy', quantity: '1' };

const failure = (running: Promise<unknown>) =>
  running.then(
    (outcome) => JSON.stringify(outcome),
    (error: unknown) => (error as { code?: string }).code ?? messageOf(error),
  );
async function pendingOf(running: Promise<unknown>): Promise<OrderPending> {
  const error = await running.catch((thrown: unknown) => thrown);
  if (!(error instanceof OrderPending)) throw new Error(`not pending: ${JSON.stringify(error)}`);
  return error;
}

describe('before the desk is asked', () => {
  it.each<[string, Record<string, unknown>, (world: OrderWorld) => void, string]>([
    ['a dead feed', buy, (world) => (world.a.isDead = true), 'no prices'],
    ['an old price', buy, (world) => (world.a.age_ms = 120_001), 'StalePrice'],
    [
      'an old price of its own measure',
      { ...buy, max_price_age: '1s' },
      (world) => (world.a.age_ms = 1_001),
      'StalePrice',
    ],
    ['nothing to buy', { ...buy, quantity: '0' }, () => undefined, 'InvalidInput'],
    ['two sizes', { ...buy, quote_amount: '1' }, () => undefined, 'InvalidInput'],
    ['less than the least notional', { ...buy, quantity: '0.0001' }, () => undefined, 'OrderRejected'],
    ['a quantity off the grid', { ...buy, quantity: '1.00001' }, () => undefined, 'OrderRejected'],
    ['an amount of less than a step', { ...at, side: 'buy', quote_amount: '0.001' }, () => undefined, 'InvalidInput'],
    ['a collar of all', { ...buy, side: 'sell', max_slippage_percent: '100' }, () => undefined, 'InvalidInput'],
    ['a venue without an account', { ...buy, venue: 'watched' }, () => undefined, 'VenueRefused'],
    ['a venue that is none', { ...buy, venue: 'nowhere' }, () => undefined, 'DataUnavailable'],
  ])('%s is refused', async (_name, fields, given, code) => {
    const world = new OrderWorld();
    given(world);
    expect(await failure(world.run('market_order', fields))).toBe(code);
    expect(world.asked).toEqual([]);
    expect(world.a.trading.submits).toEqual([]);
  });
});

describe('a paper execution at a live venue', () => {
  const pair = { sell: { venue: 'b', symbol: 'BTC/USDT' }, buy: { venue: 'a', symbol: 'BTC/USDT' } };
  const old = { ...at, client_order_id: 'old' };

  it.each<[string, Record<string, unknown>]>([
    ['market_order', buy],
    ['limit_order', { ...buy, price: '90' }],
    ['stop_order', { ...buy, side: 'sell', stop_price: '90' }],
    ['twap', { ...at, side: 'buy', total: '1', slices: 2, over: '1s' }],
    ['close_position', at],
    ['paired_order', { ...pair, quote_amount: '1000' }],
    ['replace_order', { ...old, price: '90' }],
    ['cancel_order', old],
    ['cancel_all', { venue: 'a' }],
  ])('neither orders nor cancels by %s', async (type, fields) => {
    const world = new OrderWorld();
    world.held = '1';
    for (const { trading } of [world.a, world.b]) {
      trading.balances = () => Promise.resolve([{ asset: 'BTC', free: '9', locked: '0' }]);
    }
    world.a.trading.accepted.push({
      ...{ client_order_id: 'old', venue_order_id: '1', symbol: 'BTC/USDT', side: 'buy', type: 'limit' },
      ...{ status: 'open', quantity: '1', price: '80', filled_quantity: '0', filled_notional: '0', fees: '0' },
      ...{ created_ms: 1, updated_ms: 1 },
    });
    world.a.mode = 'live';
    expect(await failure(world.run(type, fields))).toBe('WrongMode');
    expect([...world.a.trading.submits, ...world.b.trading.submits]).toEqual([]);
    expect(world.a.trading.cancels).toEqual([]);
  });
});

describe('market_order', () => {
  it('asks for the collar as its worst price, on the safe side of the tick, and sends just that', async () => {
    const world = new OrderWorld();
    world.a.last = '100.007';
    await world.run('market_order', { ...buy, max_slippage_percent: '0.5' });
    expect(world.asked).toMatchObject([
      { price: '100.5', quantity: '1', currency: 'USDT', market: { price: '100.007' } },
    ]);
    expect(world.a.trading.accepted).toMatchObject([{ price: '100.5', type: 'limit' }]);
    await world.run('market_order', { ...buy, side: 'sell', max_slippage_percent: '0.5' });
    expect(world.asked[1]).toMatchObject({ price: '99.51' });
  });

  it('never spends more than its quote amount', async () => {
    const world = new OrderWorld();
    await world.run('market_order', { ...at, side: 'buy', quote_amount: '100' });
    expect(world.asked).toMatchObject([{ price: '101', quantity: '0.99' }]);
  });

  it('spends no more than it where the quotient would be rounded up to the next step', async () => {
    const world = new OrderWorld();
    await world.run('market_order', { ...at, side: 'buy', quote_amount: `100.${'9'.repeat(28)}` });
    expect(world.asked).toMatchObject([{ price: '101', quantity: '0.9999' }]);
  });

  it('that may be out is followed on a dead feed, and reads no price', async () => {
    const world = new OrderWorld();
    world.isDeaf = true;
    const { memo } = await pendingOf(world.run('market_order', buy));
    world.isDeaf = false;
    world.a.isDead = true;
    const reads = world.a.reads;
    expect(await world.run('market_order', buy, { memo })).toMatchObject({ branch: 'filled' });
    expect(world.a.reads).toBe(reads);
    expect(world.a.trading.submits).toHaveLength(1);
  });

  it('whose worker was lost is looked for, also when no price can be had', async () => {
    const world = new OrderWorld();
    world.a.trading.fates.push('lost after');
    world.a.trading.hidden = 1_000;
    await failure(world.run('market_order', buy));
    world.a.trading.hidden = 2;
    world.a.isDead = true;
    expect(await world.run('market_order', buy, { lost: true, permits_of: 1 })).toMatchObject({ branch: 'filled' });
  });

  it('whose worker was lost before it sent anything fails on a dead feed once nothing can be out', async () => {
    const world = new OrderWorld();
    world.a.isDead = true;
    expect(await failure(world.run('market_order', buy, { lost: true, permits_of: 1 }))).toBe('no prices');
  });
});

describe('limit_order', () => {
  const limit = { ...buy, price: '90' };

  it('completes when it is placed, where that is enough', async () => {
    const world = new OrderWorld();
    world.a.trading.fates.push('rests');
    expect(await world.run('limit_order', { ...limit, until: 'placed' })).toMatchObject({ branch: 'open' });
  });

  it('has a price on the grid, or brings it there on the safe side', async () => {
    const world = new OrderWorld();
    expect(await failure(world.run('limit_order', { ...limit, price: '90.005' }))).toBe('OrderRejected');
    await world.run('limit_order', { ...limit, price: '90.005', round_price: true });
    await world.run('limit_order', { ...limit, side: 'sell', price: '90.005', round_price: true });
    expect(world.asked.map(({ price }) => price)).toEqual(['90', '90.01']);
  });

  it('cannot be good for a while where nobody waits for its end', async () => {
    const world = new OrderWorld();
    expect(await failure(world.run('limit_order', { ...limit, until: 'placed', good_for: '1m' }))).toBe('InvalidInput');
  });
});

describe('stop_order', () => {
  it('is counted at its collar', async () => {
    const world = new OrderWorld();
    world.a.trading.fates.push('rests');
    const stop = { ...at, side: 'sell', quantity: '1', stop_price: '80', max_slippage_percent: '10' };
    expect(await world.run('stop_order', { ...stop, until: 'placed' })).toMatchObject({ branch: 'open' });
    expect(world.asked).toMatchObject([{ price: '72' }]);
  });
});

describe('paired_order', () => {
  const pair = { sell: at, buy: { venue: 'b', symbol: 'BTC/USDT' }, quote_amount: '200' };
  const sent = ({ a, b }: OrderWorld) => [a.trading.accepted.length, b.trading.accepted.length];

  it('asks for both at once, and sends the same quantity of both', async () => {
    const world = new OrderWorld();
    world.b.last = '125';
    expect(await world.run('paired_order', pair)).toMatchObject({
      branch: 'done',
      outputs: { exposed_quantity: '0', sell: { side: 'sell', filled_quantity: '1.6' }, buy: { venue: 'b' } },
    });
    expect(world.desk.batches[0]?.requests).toHaveLength(2);
    expect(sent(world)).toEqual([1, 1]);
  });

  it.each([
    [
      'the desk denies one',
      (world: OrderWorld) => world.desk.denied.set('b', denial('LimitExceeded')),
      'LimitExceeded',
    ],
    ['one has no price', (world: OrderWorld) => (world.b.isDead = true), 'no prices'],
    ['one has an old price', (world: OrderWorld) => (world.a.age_ms = 999_999), 'StalePrice'],
    ['it is halted', (world: OrderWorld) => world.desk.denied.set('a', denial('EmergencyHalted')), 'EmergencyHalted'],
  ])('sends neither when %s', async (_name, given, code) => {
    const world = new OrderWorld();
    given(world);
    expect(await failure(world.run('paired_order', pair))).toBe(code);
    expect(sent(world)).toEqual([0, 0]);
  });

  it('of which one is rejected holds what the other filled, and says what is exposed', async () => {
    const world = new OrderWorld();
    world.b.trading.fates.push('rejected');
    expect(await world.run('paired_order', pair)).toMatchObject({
      branch: 'half_done',
      outputs: { exposed_quantity: '-2', buy: { status: 'not_sent', error_type: 'OrderRejected' } },
    });
    expect(sent(world)).toEqual([1, 0]);
  });

  it('hedges by trying the other once more, and unwinds where it filled', async () => {
    const hedged = new OrderWorld();
    hedged.b.trading.fates.push('rejected');
    const hedge = await hedged.run('paired_order', { ...pair, on_half_done: 'hedge' });
    expect(hedge).toMatchObject({ branch: 'done', outputs: { exposed_quantity: '0', remedy: { side: 'buy' } } });
    expect(sent(hedged)).toEqual([1, 1]);
    const unwound = new OrderWorld();
    unwound.b.trading.fates.push('rejected');
    const unwind = await unwound.run('paired_order', { ...pair, on_half_done: 'unwind' });
    expect(unwind).toMatchObject({ outputs: { exposed_quantity: '0', remedy: { side: 'buy', venue: 'a' } } });
    expect(sent(unwound)).toEqual([2, 0]);
  });

  it('both rejected has failed', async () => {
    const world = new OrderWorld();
    world.a.trading.fates.push('rejected');
    world.b.trading.fates.push('rejected');
    expect(await failure(world.run('paired_order', pair))).toBe('OrderRejected');
  });

  it('does not send again what was rejected while the other was not known', async () => {
    const world = new OrderWorld();
    world.isDeaf = true;
    world.b.trading.fates.push('rejected');
    const { memo } = await pendingOf(world.run('paired_order', pair));
    world.isDeaf = false;
    expect(await world.run('paired_order', pair, { memo })).toMatchObject({ branch: 'half_done' });
    expect([world.a.trading.submits.length, world.b.trading.submits.length]).toEqual([1, 1]);
  });

  it('keeps its remedy for after a halt', async () => {
    const world = new OrderWorld();
    world.b.trading.fates.push('rejected');
    const submit = world.b.trading.submit.bind(world.b.trading);
    world.b.trading.submit = (...sent) => {
      world.desk.denied.set('a', denial('EmergencyHalted'));
      return submit(...sent);
    };
    const fields = { ...pair, on_half_done: 'unwind' };
    const { memo, message } = await pendingOf(world.run('paired_order', fields));
    expect(message).toContain('halted');
    world.desk.denied.clear();
    expect(await world.run('paired_order', fields, { memo })).toMatchObject({ outputs: { exposed_quantity: '0' } });
    expect(sent(world)).toEqual([2, 0]);
  });
});

describe('twap', () => {
  const twap = { ...at, side: 'buy', total: '1', slices: 4, over: '200ms' };

  it('does not send at once what is late', async () => {
    const world = new OrderWorld();
    const slow = { ...twap, over: '4h' };
    const first = await pendingOf(world.run('twap', slow));
    expect(first.retry_in_ms).toBeGreaterThan(3_500_000);
    const { own, ...memo } = first.memo as { readonly own: Record<string, unknown> };
    const late = { ...memo, own: { ...own, started_at: Date.now() - 86_400_000 } };
    expect((await pendingOf(world.run('twap', slow, { memo: late }))).retry_in_ms).toBe(1_800_000);
  });

  it('sends a slice with each dispatch, and ends with the sums', async () => {
    const world = new OrderWorld();
    const first = await pendingOf(world.run('twap', twap));
    expect(first).toMatchObject({ type: 'OrderOpen', message: '0.25 of 1 filled after 1 slices' });
    expect(first.retry_in_ms).toBeLessThanOrEqual(50);
    expect(await new OrderWorld().toTheEnd('twap', twap)).toMatchObject({
      branch: 'filled',
      outputs: { filled_quantity: '1', orders: 4 },
    });
  });

  it('carries a slice without a price into the next ones', async () => {
    const world = new OrderWorld();
    const { memo } = await pendingOf(world.run('twap', twap));
    world.a.age_ms = 999_999;
    const missed = await pendingOf(world.run('twap', twap, { memo }));
    expect(missed.message).toBe('0.25 of 1 filled after 2 slices');
    world.a.age_ms = 0;
    await pendingOf(world.run('twap', twap, { memo: missed.memo }));
    expect(world.asked.map(({ quantity }) => quantity)).toEqual(['0.25', '0.375']);
  });

  it('of which no slice could be sent has failed', async () => {
    const world = new OrderWorld();
    world.a.age_ms = 999_999;
    expect(await failure(world.toTheEnd('twap', twap))).toBe('StalePrice');
  });

  it('is not over while a slice is unknown, and is not failed by a halt', async () => {
    const world = new OrderWorld();
    const { memo } = await pendingOf(world.run('twap', twap));
    world.desk.denied.set('a', denial('EmergencyHalted'));
    const halted = await pendingOf(world.run('twap', twap, { memo }));
    expect(halted.message).toContain('halted');
    expect(halted.memo).toMatchObject({ own: { done: 1, filled: '0.25' } });
    world.desk.denied.clear();
    world.isDeaf = true;
    const unknown = await pendingOf(world.run('twap', twap, { memo: halted.memo }));
    world.isDeaf = false;
    const next = await pendingOf(world.run('twap', twap, { memo: unknown.memo }));
    expect(next.memo).toMatchObject({ own: { done: 2, filled: '0.5' } });
  });
});

describe('close_position', () => {
  const balances = (free: string) => () => Promise.resolve([{ asset: 'BTC', free, locked: '0' }]);

  it('sells what the desk knows to be held, and no more than is free', async () => {
    const world = new OrderWorld();
    world.held = '2';
    world.a.trading.balances = balances('1.99999');
    world.desk.answer = (permit_id) => ({
      permit_id,
      granted: true,
      epoch: world.desk.epoch,
      lifetime_ms: 1_000,
      reduces: true,
    });
    expect(await world.run('close_position', at)).toMatchObject({ branch: 'filled' });
    expect(world.asked).toMatchObject([{ side: 'sell', quantity: '1.9999', price: '99' }]);
    await world.run('close_position', { ...at, quantity: '0.5' });
    expect(world.asked[1]).toMatchObject({ quantity: '0.5' });
  });

  it('sends nothing that the desk has not found to reduce', async () => {
    const world = new OrderWorld();
    world.held = '2';
    world.a.trading.balances = balances('5');
    expect(await failure(world.run('close_position', at))).toBe('LimitExceeded');
    expect(world.a.trading.submits).toEqual([]);
  });

  it('has nothing to do where nothing is held', async () => {
    const world = new OrderWorld();
    world.a.trading.balances = balances('5');
    expect(await world.run('close_position', at)).toMatchObject({ branch: 'flat', outputs: { filled_quantity: '0' } });
    expect(world.asked).toEqual([]);
  });
});

describe('cancels', () => {
  async function resting(world: OrderWorld) {
    world.a.trading.fates.push('rests');
    await world.run('limit_order', { ...buy, price: '90', until: 'placed' });
    return world.a.trading.accepted[0]!.client_order_id;
  }

  it('says what became of the order', async () => {
    const world = new OrderWorld();
    const client_order_id = await resting(world);
    expect(await world.run('cancel_order', { ...at, client_order_id })).toMatchObject({ branch: 'cancelled' });
    expect(await world.run('cancel_order', { ...at, client_order_id })).toMatchObject({ branch: 'ended' });
  });

  it('that overtakes its order waits for it', async () => {
    const world = new OrderWorld();
    const cancel = world.a.trading.cancel.bind(world.a.trading);
    let looks = 0;
    world.a.trading.cancel = async (ref) => {
      looks += 1;
      if (looks === 2) await resting(world);
      return looks < 3 ? { kind: 'not_found' } : cancel({ ...ref, client_order_id: world.a.trading.submits[0]! });
    };
    world.a.trading.find = () => Promise.resolve(world.a.trading.accepted[0]);
    expect(await world.run('cancel_order', { ...at, client_order_id: 'x' })).toMatchObject({ branch: 'cancelled' });
  });

  it('finds nothing only once the order could have come no more', async () => {
    const world = new OrderWorld();
    const began = performance.now();
    expect(await world.run('cancel_order', { ...at, client_order_id: 'none' })).toMatchObject({ branch: 'not_found' });
    expect(performance.now() - began).toBeGreaterThan(1_000);
  });

  it('of all tells of each, and tries a refused one again', async () => {
    const world = new OrderWorld();
    const client_order_id = await resting(world);
    const cancel = world.a.trading.cancel.bind(world.a.trading);
    let refusals = 1;
    world.a.trading.cancel = (ref) => (refusals-- > 0 ? Promise.reject(refused()) : cancel(ref));
    expect(await world.run('cancel_all', { venue: 'a' })).toMatchObject({
      outputs: { cancelled: 1, spared: 0, orders: [{ client_order_id, outcome: 'cancelled', status: 'cancelled' }] },
    });
  });
});

function refused(): Error {
  return new HoldfastError('ServiceError', 'not now');
}

function denial(code: 'LimitExceeded' | 'EmergencyHalted') {
  return { permit_id: '', granted: false, code, message: 'the desk says no' } as const;
}
