import { describe, expect, it } from '@jest/globals';
import { readBalances, readBook, readCandles, readMarket, readTicker } from '../../src/venues/binance-market';
import { marketNameOf } from '../../src/venues/binance-order';
import { recorded, recordedList } from '../support/binance-answers';

const name = marketNameOf('BTC/USDT');

describe('a ticker', () => {
  it('is the last price, the quote and when', () => {
    expect(readTicker(recorded('ticker'), name)).toEqual({
      ...{ symbol: 'BTC/USDT', last: '17113.01', bid: '17112.99', ask: '17113.02', time_ms: 1670889599999 },
    });
  });

  it.each([
    ['without a price', { lastPrice: undefined }],
    ['with a price of zero', { lastPrice: '0.00000000' }],
    ['with a price that is a number', { lastPrice: 17113.01 }],
    ['with a price that is no number', { lastPrice: 'NaN' }],
    ['of another market', { symbol: 'ETHBTC' }],
    ['without a time', { closeTime: 0 }],
  ])('is not read: one %s', (_what, change) => {
    expect(readTicker({ ...recorded('ticker'), ...change }, name)).toBeUndefined();
  });

  it.each([{ bidPrice: '0.00000000' }, { askPrice: undefined }, { bidPrice: '17113.03' }])(
    'has no quote where one side is silent, or the two cross: %j',
    (change) => {
      const ticker = readTicker({ ...recorded('ticker'), ...change }, name);
      expect([ticker?.last, ticker?.bid, ticker?.ask]).toEqual(['17113.01', undefined, undefined]);
    },
  );
});

describe('an order book', () => {
  it('is both sides, best first', () => {
    const book = readBook(recorded('depth'), 'BTC/USDT', 7);
    expect(book?.bids[0]).toEqual({ price: '17112.99', quantity: '1.5' });
    expect([book?.asks.length, book?.time_ms]).toEqual([2, 7]);
  });

  it.each([
    { bids: [] },
    { asks: [] },
    { asks: [['0.00', '1']] },
    { bids: [['17112.99', 0.1]] },
    { asks: [['17112.98', '1']] },
    { bids: 'x' },
  ])('is not read when it is empty, crossed or damaged: %j', (change) => {
    expect(readBook({ ...recorded('depth'), ...change }, 'BTC/USDT', 7)).toBeUndefined();
  });
});

describe('bars', () => {
  it('are those that have closed', () => {
    const bars = readCandles(recordedList('klines'), 1670889600500);
    expect(bars?.map(({ open_time_ms }) => open_time_ms)).toEqual([1670889420000, 1670889480000, 1670889540000]);
    expect(bars?.[0]).toEqual({
      open_time_ms: 1670889420000,
      open: '17110',
      high: '17113',
      low: '17109.5',
      close: '17112',
      volume: '12.3',
    });
    expect(readCandles(recordedList('klines'), 1670889599999)).toHaveLength(2);
  });

  it.each([
    [1, 17110],
    [4, '0.0'],
    [5, '-1'],
    [6, 'soon'],
  ])('are not read when one is damaged (%d)', (at, value) => {
    const raw = recordedList('klines') as unknown[][];
    (raw[1] ?? [])[at] = value;
    expect(readCandles(raw, 1670889600500)).toBeUndefined();
  });
});

describe('the rules of a market', () => {
  const entry = () => recorded('exchange-info')['symbols'] as Record<string, unknown>[];

  it('are its grid and its least', () => {
    expect(readMarket(entry()[0], name)).toEqual({
      ...{ symbol: 'BTC/USDT', base: 'BTC', quote: 'USDT' },
      ...{ price_tick: '0.01', quantity_step: '0.00001', min_quantity: '0.00001', min_notional: '5' },
    });
    expect(readMarket(entry()[2], marketNameOf('BNB/USDT'))?.min_notional).toBe('0');
  });

  it('are not read where it is not traded, or one is missing', () => {
    expect(readMarket(entry()[1], marketNameOf('ETH/BTC'))).toBeUndefined();
    for (const without of ['PRICE_FILTER', 'LOT_SIZE']) {
      const filters = (entry()[0]?.['filters'] as { filterType: string }[]).filter(
        ({ filterType }) => filterType !== without,
      );
      expect(readMarket({ ...entry()[0], filters }, name)).toBeUndefined();
    }
    const filters = [...(entry()[0]?.['filters'] as object[]), { filterType: 'NOTIONAL', minNotional: 5 }];
    expect(readMarket({ ...entry()[0], filters }, name)).toBeUndefined();
  });
});

describe('balances', () => {
  it('keep all of their digits, and leave out what there is nothing of', () => {
    expect(readBalances(recorded('account'))).toEqual([
      { asset: 'SHIB', free: '1234567890123456789.012345678', locked: '0.000000001' },
      { asset: 'BTC', free: '4723846.89208129', locked: '0' },
      { asset: 'USDT', free: '0', locked: '9007199254740993.00000001' },
    ]);
  });

  it.each([{ free: 1.5 }, { locked: '' }, { asset: 7 }, { free: '-1' }])(
    'are not read when one is damaged: %j',
    (change) => {
      const balances = recorded('account')['balances'] as object[];
      expect(
        readBalances({ balances: [...balances, { asset: 'X', free: '1', locked: '0', ...change }] }),
      ).toBeUndefined();
    },
  );
});
