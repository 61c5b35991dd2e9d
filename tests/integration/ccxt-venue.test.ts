import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cancelDirectly } from '../../src/cli/direct-cancels';
import { HoldfastError } from '../../src/errors';
import { Secret } from '../../src/secret';
import { BinanceVenue } from '../../src/venues/binance-venue';
import { lookupOf } from '../../src/venues/order-lookup';
import type { VenueProfile } from '../../src/venues/profile';
import { LARGEST_CLOCK_BOUND_MS } from '../../src/venues/venue-clock';
import type { TradingVenue, VenueOrderDraft } from '../../src/venues/venue';
import { recorded, recordedList } from '../support/binance-answers';
import { BinanceServer, refusal } from '../support/binance-server';
import { StubPermit } from '../support/stub-permit';
import { until } from '../support/until';

const KEY = 'planted-key-5d10';
const SECRET = 'planted-secret-c3aa';
const draft: VenueOrderDraft = {
  ...{ client_order_id: 'c0ffee', symbol: 'BTC/USDT', side: 'buy', type: 'limit', quantity: '1', price: '17000' },
};
const ref = { client_order_id: 'c0ffee', symbol: 'BTC/USDT' };
const NO_SUCH_ORDER = refusal(-2013, 'Order does not exist.');

let server: BinanceServer;
let venue: BinanceVenue;
let trading: TradingVenue;

function open(base_url: string): BinanceVenue {
  const credentials = { key: new Secret(KEY), secret: new Secret(SECRET) };
  const profile: VenueProfile = {
    name: 'p',
    adapter: 'binance',
    mode: 'paper',
    account: 'main',
    base_url,
    credentials,
    counts_as: {},
  };
  return new BinanceVenue(profile);
}

beforeEach(async () => {
  server = await BinanceServer.listen();
  venue = open(server.base_url);
  trading = venue.trading as TradingVenue;
});
afterEach(async () => {
  await venue.close();
  await server.close();
});

const open0 = (change: object = {}) => ({
  body: {
    ...recorded('order-partial'),
    executedQty: '0',
    cummulativeQuoteQty: '0',
    status: 'NEW',
    side: 'BUY',
    ...change,
  },
});

describe('an order', () => {
  it('is written once, and tells the venue the end of its permit on the venue’s clock', async () => {
    server.skew_ms = 7_654;
    server.answer('POST order', () => open0());
    await trading.market('BTC/USDT');
    const permit = new StubPermit({ lifetime_ms: 5_000 });
    const ends = Date.now() + permit.remainingMs();
    expect(await trading.submit(draft, permit)).toMatchObject({
      kind: 'placed',
      order: { status: 'open', venue_order_id: '29' },
    });
    const [arrival, ...more] = server.of('POST order');
    expect([more, arrival?.key]).toEqual([[], KEY]);
    expect(arrival?.parameters).toMatchObject({
      symbol: 'BTCUSDT',
      side: 'BUY',
      newClientOrderId: 'c0ffee',
      quantity: '1',
    });
    const until = Number(arrival?.parameters['timestamp']) + Number(arrival?.parameters['recvWindow']);
    expect(Math.abs(until - ends - server.skew_ms)).toBeLessThanOrEqual(LARGEST_CLOCK_BOUND_MS);
  });

  it('waits for no clock where it was made sure of before its permit was asked for', async () => {
    server.answer('POST order', () => open0());
    await Promise.all([trading.market('BTC/USDT'), trading.ready?.()]);
    const asked = server.of('GET time').length;
    server.answer('GET time', () => 'silence');
    expect(await trading.submit(draft, new StubPermit())).toMatchObject({ kind: 'placed' });
    expect([asked, server.of('GET time').length]).toEqual([5, 5]);
  });

  it('costs what its fills say', async () => {
    server.answer('POST order', () => ({ body: recorded('order-filled') }));
    const placed = await trading.submit({ ...draft, quantity: '10' }, new StubPermit());
    expect(placed).toMatchObject({
      kind: 'placed',
      order: { status: 'filled', fees: '171.103', filled_notional: '171103' },
    });
  });

  it('is not written, not one byte of it, when its permit is void at the last check', async () => {
    const why = new HoldfastError('EmergencyHalted', 'global is closed: told to');
    const permit = new StubPermit({ refusal: why });
    expect(await trading.submit(draft, permit)).toEqual({ kind: 'unsent', error: why });
    expect(permit.settlements).toEqual(['unused']);
    expect(server.arrivals.map(({ method }) => method)).not.toContain('POST');
  });

  it('is not written after its permit has ended', async () => {
    const permit = new StubPermit({ lifetime_ms: 0 });
    expect(await trading.submit(draft, permit)).toMatchObject({ kind: 'unsent' });
    expect([permit.settlements, server.of('POST order')]).toEqual([['unused'], []]);
  });

  it('is not written when it cannot fit the market', async () => {
    const permit = new StubPermit();
    const sent = await trading.submit({ ...draft, price: '17000.001' }, permit);
    expect(sent).toMatchObject({ kind: 'unsent', error: { code: 'OrderRejected' } });
    expect([permit.settlements, server.of('POST order')]).toEqual([['unused'], []]);
  });

  it('is not written while the venue’s clock is unknown, or known too loosely', async () => {
    server.answer('GET time', () => refusal(-1001, 'Internal error.', 503));
    const permit = new StubPermit();
    expect(await trading.submit(draft, permit)).toMatchObject({ kind: 'unsent', error: { code: 'ClockUncertain' } });
    expect([permit.settlements, server.of('POST order')]).toEqual([['unused'], []]);
  });

  it('is not written when nobody is there', async () => {
    server.answer('POST order', () => open0());
    await trading.market('BTC/USDT');
    await until(
      'the clock is known',
      async () => (await venue.ticker('BTC/USDT').catch(() => 'asked')) && server.of('GET time').length >= 5,
    );
    await server.close();
    const permit = new StubPermit();
    const sent = await trading.submit(draft, permit);
    expect(sent.kind).toBe('unsent');
    expect(permit.settlements).toEqual(['unused']);
    server = await BinanceServer.listen();
  });

  it.each([
    ['the connection is cut', 'cut' as const, 'ConnectionError'],
    ['the venue says 503', refusal(-1001, 'Internal error.', 503), 'ServiceError'],
    ['a proxy answers', { status: 502, body: '<html>' }, 'ServiceError'],
    ['the venue does not know', refusal(-1007, 'Timeout; execution status unknown.', 400), 'ServiceError'],
    ['the answer cannot be read', { body: '{"orderId": 2' }, 'ServiceError'],
    ['the answer is about another order', open0({ clientOrderId: 'another' }), 'ServiceError'],
    ['the status is one nobody knows', open0({ status: 'HALTED' }), 'ServiceError'],
    ['an order of this id is there already', refusal(-2010, 'Duplicate order sent.'), 'ServiceError'],
    ['the code is one nobody knows', refusal(-9999, 'News.'), 'ServiceError'],
  ])('has an unknown end when %s, and is not sent again', async (_what, answer, code) => {
    server.answer('POST order', () => answer);
    const permit = new StubPermit();
    expect(await trading.submit(draft, permit)).toMatchObject({ kind: 'unknown', error: { code } });
    expect([server.of('POST order').length, permit.isUsed, permit.settlements]).toEqual([1, true, []]);
  });

  it('has an unknown end when the venue is silent for five seconds', async () => {
    server.answer('POST order', () => 'silence');
    expect(await trading.submit(draft, new StubPermit())).toMatchObject({
      kind: 'unknown',
      error: { code: 'TimeoutError' },
    });
    expect(server.of('POST order')).toHaveLength(1);
  });

  it('has an unknown end when its fees cannot be told: it is looked up', async () => {
    const { fills: _fills, ...withoutFills } = recorded('order-filled');
    server.answer('POST order', () => ({ body: withoutFills }));
    server.answer('GET myTrades', () => ({ body: [] }));
    expect(await trading.submit({ ...draft, quantity: '10' }, new StubPermit())).toMatchObject({ kind: 'unknown' });
  });

  it.each([
    [refusal(-2010, 'Account has insufficient balance for requested action.'), 'InsufficientFunds'],
    [refusal(-1013, 'Filter failure: PERCENT_PRICE_BY_SIDE'), 'OrderRejected'],
    [refusal(-2015, 'Invalid API-key, IP, or permissions for action.', 401), 'VenueRefused'],
    [refusal(-1015, 'Too many new orders.', 429), 'RateLimited'],
    [open0({ status: 'REJECTED' }), 'OrderRejected'],
  ])('is rejected where the venue says a clear no: %j', async (answer, code) => {
    server.answer('POST order', () => answer);
    expect(await trading.submit(draft, new StubPermit())).toMatchObject({ kind: 'rejected', code });
  });

  it('that came too late is rejected, and the clocks are compared before the next one', async () => {
    server.answer('POST order', () => refusal(-1021, 'Timestamp for this request is outside of the recvWindow.'));
    expect(await trading.submit(draft, new StubPermit())).toMatchObject({ kind: 'rejected', code: 'OrderRejected' });
    const asked = server.of('GET time').length;
    server.answer('POST order', () => open0());
    server.skew_ms = -3_600_000;
    expect(await trading.submit(draft, new StubPermit())).toMatchObject({ kind: 'placed' });
    expect(server.of('GET time').length).toBe(asked + 5);
    const [, arrival] = server.of('POST order');
    expect(Math.abs(Number(arrival?.parameters['timestamp']) - Date.now() + 3_600_000)).toBeLessThan(2_000);
  });
});

describe('a cancel', () => {
  it('ends an order, with what it was filled by and what that cost', async () => {
    server.answer('DELETE order', () => ({ body: recorded('cancel') }));
    server.answer('GET myTrades', () => ({ body: recordedList('my-trades') }));
    server.answer('GET ticker/24hr', () => ({
      body: { ...recorded('ticker'), symbol: 'BNBUSDT', lastPrice: '270.5' },
    }));
    const cancelled = await trading.cancel(ref);
    expect(cancelled).toMatchObject({
      kind: 'cancelled',
      order: { status: 'cancelled', filled_quantity: '0.4', fees: '4.405' },
    });
    expect(server.of('DELETE order')[0]?.parameters).toMatchObject({ symbol: 'BTCUSDT', origClientOrderId: 'c0ffee' });
  });

  it.each([
    ['there is no such order', NO_SUCH_ORDER, { kind: 'not_found' }],
    ['it has ended', open0({ status: 'EXPIRED' }), { kind: 'ended' }],
    ['it was filled', { body: { ...recorded('order-partial'), status: 'FILLED' } }, { kind: 'ended' }],
  ])('that is refused says whether %s', async (_what, found, outcome) => {
    server.answer('DELETE order', () => refusal(-2011, 'Unknown order sent.'));
    server.answer('GET order', () => found);
    expect(await trading.cancel(ref)).toEqual(outcome);
  });

  it('that is refused while the order is open is an error that may pass', async () => {
    server.answer('DELETE order', () => refusal(-2011, 'Order was not canceled due to cancel restrictions.'));
    server.answer('GET order', () => open0());
    await expect(trading.cancel(ref)).rejects.toMatchObject({ code: 'ServiceError', entry: { retryable: true } });
  });

  it.each([
    ['the connection is cut', 'cut' as const, 'ConnectionError'],
    ['the venue says 503', refusal(-1001, 'Internal error.', 503), 'ServiceError'],
    [
      'the answer is about another order',
      { body: { ...recorded('cancel'), origClientOrderId: 'another' } },
      'ServiceError',
    ],
    ['too many requests were sent', refusal(-1003, 'Too many requests.', 429), 'RateLimited'],
  ])('is an error that may pass when %s', async (_what, answer, code) => {
    server.answer('DELETE order', () => answer);
    await expect(trading.cancel(ref)).rejects.toMatchObject({ code, entry: { retryable: true } });
    expect(server.of('DELETE order')).toHaveLength(1);
  });

  it('waits behind no read, however many of them the venue leaves waiting', async () => {
    server.answer('GET depth', () => 'silence');
    server.answer('DELETE order', () => refusal(-2011, 'Unknown order sent.'));
    server.answer('GET order', () => NO_SUCH_ORDER);
    const stuck = Array.from({ length: 60 }, () => trading.orderBook('BTC/USDT', 5).catch((error: unknown) => error));
    await until('reads hold all of their connections', () => server.of('GET depth').length >= 8);
    const started = performance.now();
    expect(await trading.cancel(ref)).toEqual({ kind: 'not_found' });
    expect(performance.now() - started).toBeLessThan(1_500);
    await venue.close();
    for (const each of await Promise.all(stuck)) expect(each).toMatchObject({ code: 'ConnectionError' });
  });

  it('goes out without the venue’s time when that cannot be had', async () => {
    server.answer('GET time', () => 'cut');
    server.answer('DELETE order', () => ({
      body: { ...recorded('cancel'), executedQty: '0', cummulativeQuoteQty: '0' },
    }));
    expect(await trading.cancel(ref)).toMatchObject({ kind: 'cancelled' });
  });
});

describe('a lookup', () => {
  it('finds an order with what its fills cost, for the sweeper too', async () => {
    server.answer('GET order', () => ({ body: recorded('order-partial') }));
    server.answer('GET myTrades', () => ({ body: recordedList('my-trades') }));
    server.answer('GET ticker/24hr', () => ({
      body: { ...recorded('ticker'), symbol: 'BNBUSDT', lastPrice: '270.5' },
    }));
    expect(await trading.find(ref)).toMatchObject({ status: 'open', filled_quantity: '0.4', fees: '4.405' });
    const lookup = lookupOf(venue);
    expect(await lookup?.find(ref)).toEqual({
      ...{ status: 'open', filled_quantity: '0.4', filled_notional: '6800', fees: '4.405', at: 1670889611789 },
    });
    expect(lookup).toMatchObject({ venue: 'p', account: 'main', fence_ms: 1_500, query_lag_ms: 3_000 });
  });

  it('asks for trades only where something was filled', async () => {
    server.answer('GET order', () => open0({ status: 'CANCELED' }));
    expect(await trading.find(ref)).toMatchObject({ status: 'cancelled', fees: '0' });
    expect(server.of('GET myTrades')).toEqual([]);
  });

  it('says that there is none only when the venue says so', async () => {
    server.answer('GET order', () => NO_SUCH_ORDER);
    expect([await trading.find(ref), await lookupOf(venue)?.find(ref)]).toEqual([undefined, undefined]);
    for (const answer of [
      'cut' as const,
      { status: 404, body: '' },
      refusal(-1001, 'Internal error.', 500),
      { body: '{}' },
      open0({ clientOrderId: 'another' }),
    ]) {
      server.answer('GET order', () => answer);
      await expect(trading.find(ref)).rejects.toMatchObject({ entry: { retryable: true } });
    }
  });

  it('is an error that may pass while the trades are not all shown', async () => {
    server.answer('GET order', () => ({ body: recorded('order-partial') }));
    server.answer('GET myTrades', () => ({ body: [] }));
    await expect(trading.find(ref)).rejects.toMatchObject({ code: 'ServiceError', entry: { retryable: true } });
  });
});

describe('a read', () => {
  it('gives what the venue says, digit by digit', async () => {
    server.skew_ms = 1670889600500 - Date.now();
    server.answer('GET klines', () => ({ body: recordedList('klines') }));
    server.answer('GET depth', () => ({ body: recorded('depth') }));
    server.answer('GET account', () => ({ body: recorded('account') }));
    server.answer('GET openOrders', () => ({ body: [recorded('order-partial')] }));
    server.answer('GET ticker/24hr', () => ({ body: recorded('ticker') }));
    expect(await venue.ticker('BTC/USDT')).toMatchObject({ last: '17113.01' });
    await until('the clock is known', () => venue.now() < 1_700_000_000_000);
    expect((await venue.candles('BTC/USDT', 2)).map(({ close }) => close)).toEqual(['17113', '17114.01']);
    await expect(venue.candles('BTC/USDT', 4)).rejects.toMatchObject({ code: 'DataUnavailable' });
    expect((await trading.orderBook('BTC/USDT', 2)).bids).toHaveLength(2);
    expect((await trading.balances())[0]).toEqual({
      asset: 'SHIB',
      free: '1234567890123456789.012345678',
      locked: '0.000000001',
    });
    expect(await trading.openOrders('BTC/USDT')).toHaveLength(1);
    expect(await trading.openOrders()).toMatchObject([{ symbol: 'BTC/USDT', client_order_id: 'c0ffee' }]);
    expect(await trading.market('BTC/USDT')).toMatchObject({ price_tick: '0.01' });
    await expect(trading.market('ETH/BTC')).rejects.toMatchObject({ code: 'DataUnavailable' });
  });

  it.each([
    ['no price', { body: { ...recorded('ticker'), lastPrice: '0.00000000' } }, 'DataUnavailable'],
    ['no such market', refusal(-1121, 'Invalid symbol.'), 'DataUnavailable'],
    ['a limit', refusal(-1003, 'Too many requests.', 429), 'RateLimited'],
    ['a fault of its own', refusal(-1001, 'Internal error.', 503), 'ServiceError'],
    ['no access', refusal(-2015, 'Invalid API-key.', 401), 'VenueRefused'],
    ['nothing', 'cut' as const, 'ConnectionError'],
    ['what cannot be read', { body: 'ok' }, 'ServiceError'],
  ])('is an error of the catalogue when the venue has %s', async (_what, answer, code) => {
    server.answer('GET ticker/24hr', () => answer);
    await expect(venue.ticker('BTC/USDT')).rejects.toMatchObject({ code });
  });

  it('leaves a venue alone for as long as it asked to be', async () => {
    server.answer('GET ticker/24hr', () => ({ status: 429, body: {}, headers: { 'retry-after': '60' } }));
    await expect(venue.ticker('BTC/USDT')).rejects.toMatchObject({ code: 'RateLimited' });
    await expect(venue.ticker('BTC/USDT')).rejects.toMatchObject({ code: 'RateLimited' });
    expect(server.of('GET ticker/24hr')).toHaveLength(1);
    server.answer('DELETE order', () => ({
      body: { ...recorded('cancel'), executedQty: '0', cummulativeQuoteQty: '0' },
    }));
    expect(await trading.cancel(ref)).toMatchObject({ kind: 'cancelled' });
  });

  it('gets no order for as long as it asked to be left alone, and every cancel', async () => {
    server.answer('POST order', () => ({ status: 429, body: {}, headers: { 'retry-after': '60' } }));
    expect(await trading.submit(draft, new StubPermit())).toMatchObject({ kind: 'rejected', code: 'RateLimited' });
    const permit = new StubPermit();
    expect(await trading.submit(draft, permit)).toMatchObject({ kind: 'unsent', error: { code: 'RateLimited' } });
    expect([permit.settlements, server.of('POST order').length]).toEqual([['unused'], 1]);
    server.answer('DELETE order', () => ({
      body: { ...recorded('cancel'), executedQty: '0', cummulativeQuoteQty: '0' },
    }));
    expect(await trading.cancel(ref)).toMatchObject({ kind: 'cancelled' });
  });

  it('shows what can be read of its open orders to who cancels without anybody else, and what cannot is no end of it', async () => {
    const odd = { ...open0().body, status: 'A_NEW_ONE', orderId: 30, clientOrderId: 'odd' };
    let listed: unknown[] = [{ ...open0().body, clientOrderId: 'c0ffee' }, odd];
    server.answer('GET openOrders', () => ({ body: listed }));
    server.answer('DELETE order', () => {
      listed = [odd];
      return { body: { ...recorded('cancel'), executedQty: '0', cummulativeQuoteQty: '0' } };
    });
    await expect(trading.openOrders('BTC/USDT')).rejects.toMatchObject({ code: 'ServiceError' });
    const order = { symbol: 'BTC/USDT', stops: false, deadline_ms: 1 };
    const [account] = await cancelDirectly([{ profile: 'p', trading }], order);
    expect(account).toMatchObject({ is_clear: false, why: '1 orders that it shows cannot be read' });
    expect(account?.orders).toMatchObject([{ client_order_id: 'c0ffee', status: 'cancelled' }]);
  });

  it('is refused at once when hundreds wait for their turn, but for the list of what is to be cancelled', async () => {
    server.answer('GET depth', () => 'silence');
    const asked = Array.from({ length: 301 }, () => trading.orderBook('BTC/USDT', 5).catch((error: unknown) => error));
    expect(await asked.at(-1)).toMatchObject({ code: 'RateLimited' });
    server.answer('GET openOrders', () => ({ body: [] }));
    await expect(trading.openOrders()).rejects.toMatchObject({ code: 'RateLimited' });
    expect(await trading.openOrders(undefined, { urgent: true })).toEqual([]);
    await venue.close();
    for (const each of await Promise.all(asked)) expect(each).toMatchObject({ entry: { retryable: true } });
  });

  it('is late after five seconds', async () => {
    server.answer('GET ticker/24hr', () => 'silence');
    await expect(venue.ticker('BTC/USDT')).rejects.toMatchObject({ code: 'TimeoutError' });
  });
});

describe('the words of the account', () => {
  it('are in nothing that is thrown, returned or printed, whatever the venue says', async () => {
    const told: unknown[] = [venue, trading, lookupOf(venue)];
    const hear = async (said: Promise<unknown>) => told.push(await said.catch((error: unknown) => error));
    for (const answer of [
      refusal(-2015, `key ${KEY} with ${SECRET}?`, 401),
      refusal(-9999, SECRET),
      refusal(-2011, KEY),
      'cut' as const,
    ]) {
      for (const what of [
        'POST order',
        'DELETE order',
        'GET order',
        'GET account',
        'GET ticker/24hr',
        'GET myTrades',
      ]) {
        server.answer(what, () => answer);
      }
      await hear(trading.submit(draft, new StubPermit()));
      await hear(trading.cancel(ref));
      await hear(trading.find(ref));
      await hear(trading.balances());
      await hear(venue.ticker('BTC/USDT'));
    }
    expect(told).toHaveLength(23);
    const printed = told.map((each) =>
      [inspect(each, { depth: 12, showHidden: true }), JSON.stringify(each), String(each)].join(),
    );
    for (const text of printed) {
      expect(text).not.toContain(KEY);
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain('signature');
    }
    expect(server.arrivals.some(({ key }) => key === KEY)).toBe(true);
  });
});
