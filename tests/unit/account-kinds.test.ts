import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { kindCatalogue } from '../../src/activities/kinds';
import { prepareGraph } from '../../src/graph/prepare';
import { OrderWorld } from '../support/order-world';

const at = { venue: 'a', symbol: 'BTC/USDT' };

function worldWith(...balances: readonly (readonly [string, string, string])[]): OrderWorld {
  const world = new OrderWorld();
  const held = balances.map(([asset, free, locked]) => ({ asset, free, locked }));
  world.a.trading.balances = () => Promise.resolve(held);
  return world;
}

describe('ticker', () => {
  it('gives the best prices where they are known, and the age by the venue’s clock', async () => {
    const world = new OrderWorld();
    world.a.age_ms = 5_000;
    const { outputs } = await world.run('ticker', at);
    expect(outputs).toMatchObject({ last: '100', bid: '99.9', ask: '100.1', age_ms: 5_000 });
    await expect(world.run('ticker', { ...at, max_age: '4s' })).rejects.toMatchObject({ code: 'StalePrice' });
    await expect(world.run('ticker', { ...at, max_age: '5s' })).resolves.toBeDefined();
  });
});

describe('order_book', () => {
  const level = (price: string) => ({ price, quantity: '1' });

  it('gives the best prices, their middle and the spread', async () => {
    const world = new OrderWorld();
    const book = { symbol: 'BTC/USDT', bids: [level('99'), level('98')], asks: [level('101')], time_ms: 999_000 };
    world.a.trading.orderBook = () => Promise.resolve(book);
    const { outputs } = await world.run('order_book', at);
    expect(outputs).toMatchObject({ bid: '99', ask: '101', mid: '100', spread_bps: '200', bids: book.bids });
    await expect(world.run('order_book', { ...at, max_age: '500ms' })).rejects.toMatchObject({ code: 'StalePrice' });
  });
});

describe('balance and positions', () => {
  it('give what is free, what is locked and both', async () => {
    const world = worldWith(['USDT', '10', '2.5'], ['BTC', '1', '0']);
    const usdt = { free: '10', locked: '2.5', total: '12.5' };
    const btc = { free: '1', locked: '0', total: '1' };
    expect((await world.run('balance', { venue: 'a', asset: 'USDT' })).outputs).toEqual({
      ...usdt,
      assets: { USDT: usdt },
    });
    expect((await world.run('balance', { venue: 'a' })).outputs).toEqual({ assets: { USDT: usdt, BTC: btc } });
    expect((await world.run('balance', { venue: 'a', asset: 'ETH' })).outputs).toMatchObject({ total: '0' });
    const { outputs } = await world.run('positions', { venue: 'a', symbols: ['BTC/USDT'] });
    expect(outputs).toEqual({ positions: [{ symbol: 'BTC/USDT', asset: 'BTC', ...btc }], assets: { BTC: btc } });
  });

  it('need an account', async () => {
    const reading = new OrderWorld().run('balance', { venue: 'watched' });
    await expect(reading).rejects.toMatchObject({ code: 'VenueRefused', message: expect.stringContaining('watched') });
  });
});

describe('open_orders', () => {
  it('lists what rests', async () => {
    const world = new OrderWorld();
    world.a.trading.fates.push('rests');
    await world.run('limit_order', { ...at, side: 'buy', quantity: '1', price: '90', until: 'placed' });
    const { outputs } = await world.run('open_orders', { venue: 'a' });
    expect(outputs).toMatchObject({ count: 1, orders: [{ side: 'buy', price: '90', filled_quantity: '0' }] });
  });
});

describe('pre_trade_check', () => {
  const buy = { ...at, side: 'buy', quantity: '1' };

  it('passes what could go out', async () => {
    const world = worldWith(['USDT', '100', '0']);
    const outcome = await world.run('pre_trade_check', { ...buy, max_spread_bps: '20' });
    expect(outcome).toMatchObject({
      branch: 'pass',
      outputs: { ok: true, reasons: [], notional: '100', price: '100' },
    });
  });

  it('says all that is against it, and fails no node', async () => {
    const world = worldWith(['USDT', '99.99', '0']);
    world.a.age_ms = 120_001;
    const outcome = await world.run('pre_trade_check', { ...buy, quantity: '1.00001', max_spread_bps: '19' });
    expect(outcome.branch).toBe('fail');
    expect(outcome.outputs['reasons']).toEqual([
      'The last price is 120001 ms old, and at most 120000 ms are allowed.',
      'The quantity 1.00001 is no multiple of the market’s step 0.0001.',
      'It takes 100.001 USDT, and 99.99 is free.',
      'The spread is 20 bps, and at most 19 are allowed.',
    ]);
  });

  it('asks the base currency of who sells, and throws only for a dead feed', async () => {
    const world = worldWith(['BTC', '0.5', '0']);
    const sell = { ...buy, side: 'sell' };
    expect((await world.run('pre_trade_check', sell)).outputs['reasons']).toEqual(['It takes 1 BTC, and 0.5 is free.']);
    world.a.isDead = true;
    await expect(world.run('pre_trade_check', sell)).rejects.toThrow('no prices');
  });
});

describe('position_size', () => {
  const size = async (fields: Record<string, unknown>) =>
    (await new OrderWorld().run('position_size', { equity: '10000', price: '100', ...fields })).outputs;

  it.each([
    [{ fraction_percent: '5' }, { quantity: '5', notional: '500', limited_by: 'fraction' }],
    [
      { risk_percent: '1', stop_distance: '40' },
      { quantity: '2.5', notional: '250', limited_by: 'risk' },
    ],
    [
      { fraction_percent: '5', risk_percent: '1', stop_distance: '40' },
      { quantity: '2.5', limited_by: 'risk' },
    ],
    [
      { fraction_percent: '5', max_quote_amount: '99' },
      { quantity: '0.99', limited_by: 'max_quote_amount' },
    ],
    [{ fraction_percent: '5', price: '300', step: '0.01' }, { quantity: '1.66' }],
    [
      { fraction_percent: '0.001', step: '1' },
      { quantity: '0', notional: '0' },
    ],
    [{ fraction_percent: '5', equity: '-3' }, { quantity: '0' }],
  ])('of %j is %j', async (fields, expected) => {
    expect(await size(fields)).toMatchObject(expected);
  });

  it.each([
    [{}, 'at least one of'],
    [{ risk_percent: '1' }, 'together with `stop_distance`'],
    [{ fraction_percent: '101' }, 'more than 100 percent'],
    [{ fraction_percent: '5', price: '0' }, 'above zero'],
    [{ risk_percent: '1', stop_distance: '0' }, 'above zero'],
  ])('refuses %j', async (fields, message) => {
    await expect(size(fields)).rejects.toMatchObject({
      code: 'InvalidInput',
      message: expect.stringContaining(message),
    });
  });
});

describe('at a halt', () => {
  const codesOf = (node: unknown): readonly string[] => {
    const graph = {
      holdfast: 1,
      id: 'x',
      nodes: { n: { type: 'notify', params: { message: 'm' } } },
      on_halt: { nodes: { node } },
    };
    try {
      prepareGraph({ document: graph }, kindCatalogue, { mode: 'paper', sha256 });
      return [];
    } catch (error) {
      return (error as { details: { mistakes: { code: string }[] } }).details.mistakes.map(({ code }) => code);
    }
  };

  it('may stand what cancels, and what can only reduce', () => {
    expect(codesOf({ type: 'cancel_all', params: { venue: 'a' } })).toEqual([]);
    expect(codesOf({ type: 'close_position', params: at })).toEqual([]);
  });

  it('may stand nothing that could buy', () => {
    const orders = ['market_order', 'limit_order', 'stop_order', 'twap', 'paired_order'];
    const codes = orders.map((type) => codesOf({ type, params: kindCatalogue.get(type)!.example!.params }));
    expect(codes.every((found) => found.includes('bad_on_halt'))).toBe(true);
  });
});

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
