import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/config';
import { decimal } from '../../src/money';
import { openVenues, type OpenVenues } from '../../src/venues/open-venues';
import { lookupOf } from '../../src/venues/order-lookup';
import { recordedVenues } from '../../src/venues/recorded-venue';
import { orderProblem, quantizePrice } from '../../src/venues/size-checks';
import type { OrderRef, TradingVenue, Venue, VenueOrderDraft } from '../../src/venues/venue';
import { PaperVenueProcess } from '../support/paper-venue-process';
import { StubPermit } from '../support/stub-permit';
import { until } from '../support/until';

const SYMBOL = 'BTC/USDT';
const directory = resolve('examples/data');
/** As slow as the wall clock, so that the market stands still while a test looks at it. */
const SPEED = 1;
const clock = { now: Date.now, speed: SPEED };

let paper: PaperVenueProcess;
let home: string;
let opened: OpenVenues;
let venue: Venue;
let trading: TradingVenue;
let ids = 0;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'paper-'));
  paper = await PaperVenueProcess.start({ HOLDFAST_HOME: home, HOLDFAST_REPLAY_SPEED: String(SPEED) });
  opened = await openVenues({ ...loadConfig({ HOLDFAST_PAPER_VENUE_URL: paper.url }).venues, directory, clock });
  venue = opened.venues.get('paper_bybit') as Venue;
  trading = venue.trading as TradingVenue;
});
afterAll(async () => {
  await opened.close();
  await paper.end('SIGTERM');
  rmSync(home, { recursive: true });
});

const admin = (path: string, body?: object) =>
  fetch(`${paper.url}/paper_bybit/admin/${path}`, {
    ...(body === undefined
      ? {}
      : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  }).then((response) => response.json() as Promise<Record<string, unknown>>);

/** What the venue's own books hold of a client order id. */
async function inBooks({ client_order_id }: OrderRef): Promise<unknown[]> {
  const { orders } = (await admin('books')) as { orders: { client_order_id?: string; clientOrderId?: string }[] };
  return orders.filter((order) => (order.client_order_id ?? order.clientOrderId) === client_order_id);
}

async function faults(settings: object): Promise<void> {
  const names = [
    'drop_before',
    'drop_after',
    'delay_before_ms',
    'error_5xx_after',
    'rate_limited',
    'refuse_cancel',
    'hidden_for_ms',
    'dead_feed',
    'clock_skew_ms',
  ];
  await admin('faults', { ...Object.fromEntries(names.map((name) => [name, null])), ...settings });
}

beforeEach(() => faults({}));

const next = (): OrderRef => ({ client_order_id: `order${(ids += 1)}`, symbol: SYMBOL });
/** Far below the market. */
async function resting(ref = next()): Promise<VenueOrderDraft> {
  const { last } = await venue.ticker(SYMBOL);
  const price = quantizePrice(decimal(last).times('0.5').toFixed(), 'buy', await trading.market(SYMBOL));
  return { ...ref, side: 'buy', type: 'limit', quantity: '0.01', price };
}
const atMarket = (ref = next()): VenueOrderDraft => ({ ...ref, side: 'buy', type: 'market', quantity: '0.01' });

describe('the paper venue, by the adapter of real ones', () => {
  it('shows the market that is recorded, at the same instant', async () => {
    const recorded = (await recordedVenues({ directory, clock })).get('paper_bybit');
    expect(venue.mode).toBe('paper');
    expect(Math.abs(venue.now() - (recorded?.now() ?? 0))).toBeLessThan(50);
    const bars = await until('both look at the same minute', async () => {
      const [shown, kept] = [await venue.candles(SYMBOL, 100), await recorded?.candles(SYMBOL, 100)];
      return shown[0]?.open_time_ms === kept?.[0]?.open_time_ms ? { shown, kept } : undefined;
    });
    const numbers = (list: typeof bars.kept) => list?.map((bar) => Object.values(bar).map(Number));
    expect(numbers(bars.shown)).toEqual(numbers(bars.kept));
    const ticker = await venue.ticker(SYMBOL);
    expect(Number(ticker.last)).toBe(Number((await recorded?.ticker(SYMBOL))?.last));
    expect(venue.now() - ticker.time_ms).toBeLessThan(120_000);
    expect(decimal(ticker.bid ?? '0').lt(decimal(ticker.ask ?? '0'))).toBe(true);
    await expect(venue.ticker('ETH/USDT')).rejects.toMatchObject({ code: 'DataUnavailable' });
  });

  it('says its rules, its book and what the account holds', async () => {
    const market = await trading.market(SYMBOL);
    expect(market).toMatchObject({ price_tick: '0.01', quantity_step: '0.000001', min_notional: '1' });
    expect(orderProblem(await resting(), market)).toBeUndefined();
    const { bids, asks } = await trading.orderBook(SYMBOL, 5);
    expect(decimal(bids[0]?.price ?? '0').lt(decimal(asks[0]?.price ?? '0'))).toBe(true);
    expect((await trading.balances()).map(({ asset }) => asset).sort()).toEqual(['BTC', 'USDT']);
  });

  it('fills a market order, and says what it cost in quote currency the same way twice', async () => {
    const draft = atMarket();
    const placed = await trading.submit(draft, new StubPermit());
    if (placed.kind !== 'placed') throw new Error(JSON.stringify(placed));
    const { filled_notional, fees } = placed.order;
    expect(placed.order).toMatchObject({
      status: 'filled',
      filled_quantity: '0.01',
      client_order_id: draft.client_order_id,
    });
    // A tenth of a percent, cut to eight digits of the base currency.
    expect(Math.abs(Number(fees) - Number(filled_notional) / 1_000)).toBeLessThan(0.001);
    expect(await trading.find(draft)).toMatchObject({ status: 'filled', fees, filled_notional });
  });

  it('keeps a resting order until it is cancelled, and says afterwards that it has ended', async () => {
    const draft = await resting();
    expect(await trading.submit(draft, new StubPermit())).toMatchObject({ kind: 'placed', order: { status: 'open' } });
    expect((await trading.openOrders()).map(({ client_order_id }) => client_order_id)).toContain(draft.client_order_id);
    expect(await trading.cancel(draft)).toMatchObject({
      kind: 'cancelled',
      order: { filled_quantity: '0', fees: '0' },
    });
    expect(await trading.cancel(draft)).toEqual({ kind: 'ended' });
    expect(await trading.cancel(next())).toEqual({ kind: 'not_found' });
    expect(await lookupOf(venue)?.find(draft)).toMatchObject({ status: 'ended', filled_quantity: '0' });
  });

  it('takes orders of every kind', async () => {
    const limit = await resting();
    for (const time_in_force of ['ioc', 'fok', 'post_only'] as const) {
      const placed = await trading.submit({ ...limit, ...next(), time_in_force }, new StubPermit());
      expect(placed).toMatchObject({
        kind: 'placed',
        order: { type: 'limit', status: time_in_force === 'post_only' ? 'open' : 'expired' },
      });
    }
    const { price: _, ...unpriced } = limit;
    const stop = { ...unpriced, ...next(), type: 'stop', side: 'sell', stop_price: limit.price ?? '' } as const;
    expect(await trading.submit(stop, new StubPermit())).toMatchObject({
      kind: 'placed',
      order: { type: 'stop', status: 'open', stop_price: limit.price },
    });
    for (const order of await trading.openOrders(SYMBOL)) await trading.cancel(order);
    expect(await trading.openOrders()).toEqual([]);
  });
});

describe('a fault of the venue', () => {
  it.each(['drop_after', 'error_5xx_after'])(
    '%s leaves an order unknown that is found afterwards, once',
    async (fault) => {
      await faults({ [fault]: { next: 1 } });
      const draft = await resting();
      expect(await trading.submit(draft, new StubPermit())).toMatchObject({ kind: 'unknown' });
      expect(await trading.find(draft)).toMatchObject({ status: 'open' });
      expect(await inBooks(draft)).toHaveLength(1);
      await trading.cancel(draft);
    },
  );

  it('before anything was done leaves it unknown too, and it is never there', async () => {
    await faults({ drop_before: { next: 1 } });
    const draft = await resting();
    expect(await trading.submit(draft, new StubPermit())).toMatchObject({ kind: 'unknown' });
    expect([await trading.find(draft), await inBooks(draft)]).toEqual([undefined, []]);
  });

  it('does not let an order in after the end of its permit', async () => {
    const draft = await resting();
    await faults({ delay_before_ms: { next: 1, ms: 1_500 } });
    expect(await trading.submit(draft, new StubPermit({ lifetime_ms: 1_000 }))).toMatchObject({
      kind: 'rejected',
      code: 'OrderRejected',
    });
    expect(await inBooks(draft)).toEqual([]);
  });

  it('of its clock is noticed: minutes do not matter, a jump is refused once', async () => {
    const draft = await resting();
    // The test before it was outside the window, so the clock is measured anew: not while it jumps.
    await trading.ready?.();
    await faults({ clock_skew_ms: 240_000 });
    expect(await trading.submit(draft, new StubPermit())).toMatchObject({ kind: 'rejected', code: 'OrderRejected' });
    expect(await trading.submit({ ...draft, ...next() }, new StubPermit())).toMatchObject({ kind: 'placed' });
    await faults({});
    expect(await trading.submit({ ...draft, ...next() }, new StubPermit())).toMatchObject({ kind: 'rejected' });
    expect(await trading.submit({ ...draft, ...next() }, new StubPermit())).toMatchObject({ kind: 'placed' });
    for (const order of await trading.openOrders(SYMBOL)) await trading.cancel(order);
  });

  it('of a limit places nothing', async () => {
    await faults({ rate_limited: { next: 1 } });
    const draft = await resting();
    expect(await trading.submit(draft, new StubPermit())).toMatchObject({ kind: 'rejected', code: 'RateLimited' });
    expect(await inBooks(draft)).toEqual([]);
    // For the second it asks for none goes out.
    const later = await resting();
    const isPlaced = async () => (await trading.submit(later, new StubPermit())).kind === 'placed';
    await until('it takes orders again', isPlaced);
    await trading.cancel(later);
  });

  it('that hides an order does not hide it for ever', async () => {
    await faults({ hidden_for_ms: { next: 1, ms: 300 } });
    const draft = await resting();
    await trading.submit(draft, new StubPermit());
    expect(await trading.find(draft)).toBeUndefined();
    await until('it is found', () => trading.find(draft));
    await trading.cancel(draft);
  });

  it('that refuses a cancel is no end of the order', async () => {
    const draft = await resting();
    await trading.submit(draft, new StubPermit());
    await faults({ refuse_cancel: { next: 1 } });
    await expect(trading.cancel(draft)).rejects.toMatchObject({ code: 'ServiceError', entry: { retryable: true } });
    expect(await trading.cancel(draft)).toMatchObject({ kind: 'cancelled' });
  });

  it('of its prices is no price', async () => {
    await faults({ dead_feed: { next: 1 } });
    await expect(venue.ticker(SYMBOL)).rejects.toMatchObject({ code: 'ServiceError', entry: { retryable: true } });
  });
});

describe('a refusal of the venue', () => {
  it('of the same order a second time is unknown, and the first one is found', async () => {
    const draft = await resting();
    await trading.submit(draft, new StubPermit());
    expect(await trading.submit(draft, new StubPermit())).toMatchObject({ kind: 'unknown' });
    expect(await trading.find(draft)).toMatchObject({ status: 'open' });
    expect(await inBooks(draft)).toHaveLength(1);
    await trading.cancel(draft);
  });

  it('is told by its cause', async () => {
    const tooMuch = { ...(await resting()), quantity: '8999' };
    expect(await trading.submit(tooMuch, new StubPermit())).toMatchObject({
      kind: 'rejected',
      code: 'InsufficientFunds',
    });
    const tooLarge = { ...tooMuch, ...next(), quantity: '9001' };
    expect(await trading.submit(tooLarge, new StubPermit())).toMatchObject({ kind: 'rejected', code: 'OrderRejected' });
  });

  it('of a key nobody knows is not to be tried again', async () => {
    const { venues, close } = await openVenues({
      ...loadConfig({
        HOLDFAST_PAPER_VENUE_URL: paper.url,
        HOLDFAST_VENUE_PAPER_BYBIT_KEY: 'somebody-else',
        HOLDFAST_VENUE_PAPER_BYBIT_SECRET: 'something-else',
      }).venues,
      ...{ directory, clock },
    });
    const stranger = venues.get('paper_bybit')?.trading;
    await expect(stranger?.balances()).rejects.toMatchObject({ code: 'VenueRefused' });
    expect(await stranger?.submit(await resting(), new StubPermit())).toMatchObject({
      kind: 'rejected',
      code: 'VenueRefused',
    });
    await close();
  });
});
