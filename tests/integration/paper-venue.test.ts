import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { binance, Order } from 'ccxt';
import { recordedProfiles } from '../../src/paper-venue/recorded-profiles';
import type { booksAsJson } from '../../src/paper-venue/books';
import type { FaultSettings } from '../../src/paper-venue/faults';
import { startPaperVenue, type PaperVenue } from '../../src/paper-venue/start-paper-venue';
import { recordedVenues } from '../../src/venues/recorded-venue';
import { paperClient } from '../support/paper-client';
import { marketData, MINUTE } from '../support/paper-market';
import { PaperVenueProcess } from '../support/paper-venue-process';
import { until } from '../support/until';

const DATA = resolve(__dirname, '../../examples/data');
const BTC = 'BTC/USDT';

type BooksAnswer = ReturnType<typeof booksAsJson>;

const booksOf = async (url: string, profile = 'made'): Promise<BooksAnswer> =>
  (await (await fetch(`${url}/${profile}/admin/books`)).json()) as BooksAnswer;
/** The name of the error a call ends with. */
const failure = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error: unknown) => (error instanceof Error ? `${error.constructor.name}: ${error.message}` : String(error)),
  );

/** `made` is the small market of the unit tests, whose minutes pass by hand; with it the recorded ones. */
let venue: PaperVenue;
let minute = 0;
let market: binance;
let ids = 0;
const newId = () => `id${++ids}`;

const limit = (newClientOrderId: string, amount: number, price: number, rest: object = {}): Promise<Order> =>
  market.createOrder(BTC, 'limit', 'buy', amount, price, { newClientOrderId, ...rest });
const find = (origClientOrderId: string): Promise<Order> => market.fetchOrder('', BTC, { origClientOrderId });
const cancel = (origClientOrderId: string) => market.cancelOrder('', BTC, { origClientOrderId });
const setFaults = async (settings: FaultSettings): Promise<number> => {
  const body = JSON.stringify(settings);
  const headers = { 'content-type': 'application/json' };
  return (await fetch(`${venue.url}/made/admin/faults`, { method: 'POST', headers, body })).status;
};

beforeAll(async () => {
  const accounts = [
    { name: 'main', key: 'paper', secret: 'paper' },
    { name: 'second', key: 'k2', secret: 's2', balances: { USDT: '50' } },
  ];
  const made = { profile: 'made', market: marketData(), accounts };
  const profiles = [...(await recordedProfiles(DATA, 60)), made];
  venue = await startPaperVenue({ profiles, clock: { now: Date.now, market_ms: () => minute * MINUTE } });
  market = paperClient(venue.url, 'made');
  await market.loadMarkets();
});
afterAll(() => venue.close());

describe('ccxt’s binance class, its addresses alone changed', () => {
  it('loads the markets of every profile with their rules', async () => {
    const symbols = ['recorded_dash', 'paper_binance', 'paper_bybit'].map(async (profile) => {
      const client = paperClient(venue.url, profile);
      return Object.keys(await client.loadMarkets());
    });
    expect(await Promise.all(symbols)).toEqual([['DASH/USDT'], ['BTC/BUSD'], ['BTC/USDT']]);
    expect(market.market(BTC)).toMatchObject({
      precision: { amount: 0.001, price: 0.01 },
      limits: { amount: { min: 0.001, max: 1000 }, cost: { min: 5 } },
    });
  });

  it('sees the same instant, bars and prices as the recorded venue', async () => {
    minute = 100;
    const clock = { now: () => minute * MINUTE, speed: 1 };
    const recorded = (await recordedVenues({ directory: DATA, clock })).get('paper_bybit')!;
    const client = paperClient(venue.url, 'paper_bybit');
    const [bars, ticker] = [await client.fetchOHLCV(BTC, '1m', undefined, 3), await client.fetchTicker(BTC)];
    const theirs = await recorded.candles(BTC, 3);
    expect(bars).toEqual(
      theirs.map((bar) => [bar.open_time_ms, ...[bar.open, bar.high, bar.low, bar.close, bar.volume].map(Number)]),
    );
    const last = await recorded.ticker(BTC);
    expect([ticker.last, ticker.timestamp]).toEqual([Number(last.last), last.time_ms]);
    const book = await client.fetchOrderBook(BTC, 5);
    expect([book.bids[0]![0], book.asks[0]![0]]).toEqual([ticker.bid, ticker.ask]);
    expect([book.bids.length, ticker.bid! < ticker.ask!]).toEqual([5, true]);
    minute = 0;
  });

  it('buys and sells at the market, and is told every fill and fee', async () => {
    const bought = await market.createOrder(BTC, 'market', 'buy', 0.6, undefined, { newClientOrderId: 'bought' });
    expect(bought).toMatchObject({ status: 'closed', filled: 0.6, cost: 60.007, clientOrderId: 'bought' });
    expect(bought.trades.map(({ price, amount, fee }) => [price, amount, fee])).toMatchObject([
      [100.01, 0.5, { cost: 0.0005, currency: 'BTC' }],
      [100.02, 0.1, { cost: 0.0001, currency: 'BTC' }],
    ]);
    const spent = await market.createOrder(BTC, 'market', 'buy', 0, undefined, { cost: 30 });
    expect([spent.status, spent.filled]).toEqual(['closed', 0.299]);
    const sold = await market.createOrder(BTC, 'market', 'sell', 0.2);
    expect(sold).toMatchObject({ status: 'closed', fees: [{ currency: 'USDT' }] });
    const trades = await market.fetchMyTrades(BTC);
    expect(trades.map(({ order, side, takerOrMaker }) => [order, side, takerOrMaker])).toEqual([
      ...[bought, bought, spent].map(({ id }) => [id, 'buy', 'taker']),
      [sold.id, 'sell', 'taker'],
    ]);
  });

  it('rests, is filled in parts by later bars, and cancels what is left', async () => {
    const before = await market.fetchBalance();
    expect(await limit('resting', 2.5, 96.5)).toMatchObject({ status: 'open', filled: 0 });
    expect((await market.fetchOpenOrders(BTC)).map(({ clientOrderId }) => clientOrderId)).toEqual(['resting']);
    expect((await market.fetchBalance())['USDT']!.used).toBe(241.25);
    minute = 2;
    expect(await find('resting')).toMatchObject({ status: 'open', filled: 1, cost: 96.5 });
    expect((await cancel('resting')).status).toBe('canceled');
    expect(await find('resting')).toMatchObject({ status: 'canceled', filled: 1, remaining: 1.5 });
    const after = await market.fetchBalance();
    expect(after['USDT']).toMatchObject({ used: 0, free: Number((Number(before['USDT']!.free) - 96.5).toFixed(8)) });
    minute = 0;
  });

  it('places every kind of order the venue has', async () => {
    const [ioc, fok] = [{ timeInForce: 'IOC' }, { timeInForce: 'FOK' }];
    expect((await limit(newId(), 20, 100.02, fok)).status).toBe('expired');
    expect((await limit(newId(), 20, 100.02, ioc)).status).toBe('expired');
    expect(await failure(limit(newId(), 1, 101, { postOnly: true }))).toMatch(/^OrderImmediatelyFillable: /);
    expect((await limit('maker', 1, 99, { postOnly: true })).status).toBe('open');
    const stop = { stopLossPrice: 90 };
    expect(await market.createOrder(BTC, 'market', 'sell', 1, undefined, stop)).toMatchObject({ status: 'open' });
    expect(await market.createOrder(BTC, 'limit', 'sell', 1, 89, stop)).toMatchObject({
      status: 'open',
      triggerPrice: 90,
    });
    const open = await market.fetchOpenOrders(BTC);
    expect(open.map(({ info }) => (info as { type: string }).type)).toEqual([
      'LIMIT_MAKER',
      'STOP_LOSS',
      'STOP_LOSS_LIMIT',
    ]);
    await market.cancelAllOrders(BTC);
    expect(await market.fetchOpenOrders(BTC)).toEqual([]);
    expect((await market.fetchBalance())['BTC']!.used).toBe(0);
  });

  it('is refused in the words it knows', async () => {
    expect(await failure(limit(newId(), 10_000, 50))).toMatch(/LOT_SIZE/);
    expect(await failure(limit(newId(), 0.01, 50))).toMatch(/NOTIONAL/);
    expect(await failure(limit(newId(), 1_000, 200))).toMatch(/^InsufficientFunds: /);
    expect(await failure(find('nobody'))).toMatch(/^OrderNotFound: .*-2013/);
    expect(await failure(cancel('nobody'))).toMatch(/^OrderNotFound: .*-2011/);
    await limit('twice', 1, 90);
    expect(await failure(limit('twice', 1, 90))).toMatch(/Duplicate order sent/);
    await cancel('twice');
    expect(await failure(cancel('twice'))).toMatch(/^OrderNotFound: .*-2011/);
    expect(await failure(paperClient(venue.url, 'made', { key: 'nobody', secret: 'paper' }).fetchBalance())).toMatch(
      /^AuthenticationError: .*-2015/,
    );
    expect(await failure(paperClient(venue.url, 'made', { key: 'paper', secret: 'wrong' }).fetchBalance())).toMatch(
      /^AuthenticationError: .*-1022/,
    );
  });

  it('is asked in time: not too late, and not a second early', async () => {
    const at = (timestamp: number) => failure(market.fetchBalance({ timestamp, recvWindow: 1_000 }));
    expect(await at(Date.now() - 1_500)).toMatch(/^InvalidNonce: .*outside of the recvWindow/);
    expect(await at(Date.now() + 5_000)).toMatch(/^InvalidNonce: .*ahead of the server/);
    expect(await at(Date.now() + 500)).toBe('none');
    expect(Math.abs((await market.fetchTime())! - Date.now())).toBeLessThan(1_000);
  });

  it('knows one account from another', async () => {
    const second = paperClient(venue.url, 'made', { key: 'k2', secret: 's2' });
    await limit('mine', 1, 90);
    expect((await second.fetchBalance())['USDT']).toMatchObject({ free: 50, used: 0 });
    expect(await failure(second.fetchOrder('', BTC, { origClientOrderId: 'mine' }))).toMatch(/^OrderNotFound: /);
    expect(await failure(second.cancelOrder('', BTC, { origClientOrderId: 'mine' }))).toMatch(/^OrderNotFound: /);
    expect(await second.fetchOpenOrders(BTC)).toEqual([]);
    await cancel('mine');
  });
});

describe('a fault', () => {
  afterEach(async () => {
    const names = await (await fetch(`${venue.url}/made/admin/faults`)).json();
    await setFaults(Object.fromEntries(Object.keys(names as object).map((name) => [name, null])));
  });
  const isPlaced = async (id: string): Promise<boolean> =>
    (await booksOf(venue.url)).orders.some(({ client_order_id }) => client_order_id === id);

  it.each([
    ['drop_before', 'NetworkError', false],
    ['drop_after', 'NetworkError', true],
    ['error_5xx_before', 'OperationFailed', false],
    ['error_5xx_after', 'ExchangeNotAvailable', true],
    ['rate_limited', 'DDoSProtection', false],
  ] as const)('%s strikes one order, which ends as %s, placed: %s', async (fault, error, placed) => {
    await setFaults({ [fault]: { next: 1 } });
    const id = newId();
    expect(await failure(limit(id, 1, 50))).toMatch(new RegExp(`^${error}: `));
    expect(await isPlaced(id)).toBe(placed);
    if (placed) expect((await find(id)).status).toBe('open');
    const next = await limit(newId(), 1, 50);
    expect(next.status).toBe('open');
    await market.cancelAllOrders(BTC);
  });

  it('delay_before_ms makes an order too late for its window, though it came in time', async () => {
    await setFaults({ delay_before_ms: { next: 1, ms: 300 } });
    const id = newId();
    expect(await failure(limit(id, 1, 50, { recvWindow: 200 }))).toMatch(/^InvalidNonce: .*outside of the recvWindow/);
    expect(await isPlaced(id)).toBe(false);
  });

  it('delay_after_ms holds back the answer to an order that is placed', async () => {
    await setFaults({ delay_after_ms: { next: 1, ms: 400 } });
    const id = newId();
    const answer = limit(id, 1, 50);
    let isAnswered = false;
    void answer.then(() => (isAnswered = true));
    await until('the order is placed', () => isPlaced(id));
    expect([isAnswered, (await answer).status]).toEqual([false, 'open']);
    await cancel(id);
  });

  it('hidden_for_ms lets nobody find an order for a while', async () => {
    await setFaults({ hidden_for_ms: { next: 1, ms: 700 } });
    const id = newId();
    await limit(id, 1, 50);
    expect(await failure(find(id))).toMatch(/^OrderNotFound: .*-2013/);
    expect(await market.fetchOpenOrders(BTC)).toEqual([]);
    expect(await isPlaced(id)).toBe(true);
    await until('the order is found', async () => (await failure(find(id))) === 'none');
    await cancel(id);
  });

  it('refuse_cancel leaves an order open', async () => {
    const id = newId();
    await limit(id, 1, 50);
    await setFaults({ refuse_cancel: { next: 1 } });
    expect(await failure(cancel(id))).toMatch(/cancel restrictions/);
    expect((await find(id)).status).toBe('open');
    expect((await cancel(id)).status).toBe('canceled');
  });

  it('late_fill tells of a fill after the cancel it came before', async () => {
    const id = newId();
    await limit(id, 1, 50);
    await setFaults({ late_fill: { next: 1, ms: 200 } });
    expect(await cancel(id)).toMatchObject({ status: 'canceled', filled: 0 });
    const late = await until('the fill is told', async () => {
      const order = await find(id);
      return order.filled === 0.5 && order;
    });
    expect(late.status).toBe('canceled');
    const [trade] = await market.fetchMyTrades(BTC, undefined, undefined, { orderId: late.id });
    expect([trade!.amount, trade!.timestamp! <= late.lastUpdateTimestamp!]).toEqual([0.5, true]);
  });

  it('stale_book stops what is told of the market, and orders go on', async () => {
    await setFaults({ stale_book: true });
    const before = await market.fetchTicker(BTC);
    const id = newId();
    await limit(id, 1, 96.5);
    minute = 3;
    expect(await market.fetchTicker(BTC)).toMatchObject({ last: before.last, timestamp: before.timestamp });
    expect((await find(id)).filled).toBeGreaterThan(0);
    await setFaults({ stale_book: false });
    expect((await market.fetchTicker(BTC)).timestamp! - before.timestamp!).toBe(3 * MINUTE);
    minute = 0;
  });

  it('dead_feed gives no price, and the account answers', async () => {
    await setFaults({ dead_feed: { probability: 1 } });
    expect(await failure(market.fetchTicker(BTC))).toMatch(/^OperationFailed: .*-1001/);
    expect(await failure(market.fetchOrderBook(BTC))).toMatch(/^OperationFailed: .*-1001/);
    expect(await failure(market.fetchBalance())).toBe('none');
    await setFaults({ dead_feed: { probability: 1, empty: true } });
    expect((await market.fetchTicker(BTC)).info).toMatchObject({ symbol: 'BTCUSDT', lastPrice: '0.00000000' });
    expect(await market.fetchOrderBook(BTC)).toMatchObject({ bids: [], asks: [] });
    expect(await market.fetchOHLCV(BTC)).toEqual([]);
  });

  it('clock_skew_ms moves the clock the venue judges by', async () => {
    await setFaults({ clock_skew_ms: -3_000 });
    expect(Math.abs((await market.fetchTime())! - Date.now() + 3_000)).toBeLessThan(1_000);
    expect(await failure(limit(newId(), 1, 50))).toMatch(/^InvalidNonce: .*ahead of the server/);
    await market.loadTimeDifference();
    const order = await limit(newId(), 1, 50);
    expect(order.status).toBe('open');
    market.options['timeDifference'] = 0;
    await setFaults({ clock_skew_ms: 0 });
    await market.cancelAllOrders(BTC);
  });

  it('that is none is refused', async () => {
    expect(await setFaults({ drop_everything: { next: 1 } } as FaultSettings)).toBe(400);
  });
});

describe('the way behind the counter', () => {
  const statusOf = (headers: Record<string, string>): Promise<number | undefined> =>
    new Promise((done, failed) => {
      const asked = httpRequest(`${venue.url}/made/admin/books`, { headers }, (response) => {
        response.resume();
        done(response.statusCode);
      });
      asked.on('error', failed).end();
    });

  it('is closed to pages and to other names of this machine', async () => {
    expect(await statusOf({})).toBe(200);
    expect(await statusOf({ origin: venue.url })).toBe(403);
    expect(await statusOf({ host: 'paper.example:8002' })).toBe(403);
  });
});

describe('a venue', () => {
  it('does not listen where other machines reach it, unless it is told to', async () => {
    const opened = startPaperVenue({ profiles: [], host: '0.0.0.0' });
    await expect(opened).rejects.toMatchObject({ code: 'ConfigurationInvalid' });
  });

  it('says which port is taken', async () => {
    const port = Number(new URL(venue.url).port);
    await expect(startPaperVenue({ profiles: [], port })).rejects.toMatchObject({
      code: 'PortTaken',
      details: { port },
    });
  });
});

describe('a venue that is killed', () => {
  let home = '';
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'paper-venue-'));
  });
  afterAll(() => rm(home, { recursive: true, force: true }));

  it('has the same orders, fills and balances when it is back', async () => {
    const environment = { HOLDFAST_HOME: home, HOLDFAST_REPLAY_SPEED: '0.001' };
    const first = await PaperVenueProcess.start(environment);
    const symbol = 'BTC/BUSD';
    try {
      const client = paperClient(first.url, 'paper_binance');
      const { bid } = await client.fetchTicker(symbol);
      await client.createOrder(symbol, 'market', 'buy', 0.1);
      await client.createOrder(symbol, 'limit', 'buy', 0.1, bid! * 0.5, { newClientOrderId: 'kept' });
      const gone = await client.createOrder(symbol, 'limit', 'sell', 0.1, bid! * 2);
      await client.cancelOrder(gone.id!, symbol);
      const before = await booksOf(first.url, 'paper_binance');
      expect([before.orders.length, before.fills.length]).toEqual([3, 1]);
      await first.end('SIGKILL');
      const second = await PaperVenueProcess.start(environment);
      try {
        expect(await booksOf(second.url, 'paper_binance')).toEqual(before);
        const again = paperClient(second.url, 'paper_binance');
        const { id } = await again.cancelOrder('', symbol, { origClientOrderId: 'kept' });
        const next = await again.createOrder(symbol, 'market', 'sell', 0.1);
        expect(Number(next.id)).toBeGreaterThan(Number(gone.id));
        expect((await again.fetchOrder(id!, symbol)).status).toBe('canceled');
      } finally {
        await second.end('SIGTERM');
      }
    } finally {
      await first.end('SIGKILL');
    }
  });
});
