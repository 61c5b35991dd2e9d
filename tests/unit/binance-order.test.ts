import { describe, expect, it } from '@jest/globals';
import { feesOfOrder, type FeeSources } from '../../src/venues/binance-fees';
import { feesOf, marketNameOf, orderParams, readFills, readOrder } from '../../src/venues/binance-order';
import type { VenueOrderDraft } from '../../src/venues/venue';
import { recorded, recordedList } from '../support/binance-answers';

const name = marketNameOf('BTC/USDT');
const draft: VenueOrderDraft = {
  ...{ client_order_id: 'c0ffee', symbol: 'BTC/USDT', side: 'buy', type: 'limit', quantity: '0.5', price: '17000.01' },
};
const never = () => Promise.reject(new Error('no price is needed'));

describe('the name of a market', () => {
  it('is its two currencies, in whatever letters', () => {
    expect(name).toEqual({ id: 'BTCUSDT', symbol: 'BTC/USDT', base: 'BTC', quote: 'USDT' });
    expect(marketNameOf('币安人生/USDT').id).toBe('币安人生USDT');
  });

  it.each(['BTCUSDT', 'BTC/USDT/ETH', '/USDT', 'BTC/', 'BTC/USDT&symbol=ETH', '', 'BTC/US DT'])(
    'is not %j',
    (symbol) => {
      expect(() => marketNameOf(symbol)).toThrow(expect.objectContaining({ code: 'DataUnavailable' }));
    },
  );
});

describe('the request of an order', () => {
  const { price: _, ...unpriced } = draft;
  it.each([
    [draft, { type: 'LIMIT', timeInForce: 'GTC', price: '17000.01' }],
    [
      { ...draft, time_in_force: 'ioc' },
      { type: 'LIMIT', timeInForce: 'IOC', price: '17000.01' },
    ],
    [
      { ...draft, time_in_force: 'fok' },
      { type: 'LIMIT', timeInForce: 'FOK', price: '17000.01' },
    ],
    [
      { ...draft, time_in_force: 'post_only' },
      { type: 'LIMIT_MAKER', price: '17000.01' },
    ],
    [{ ...unpriced, type: 'market' }, { type: 'MARKET' }],
    [
      { ...unpriced, type: 'stop', stop_price: '16000' },
      { type: 'STOP_LOSS', stopPrice: '16000' },
    ],
  ] as const)('says %j', (order, terms) => {
    expect(orderParams(order, name)).toEqual({
      ...{ symbol: 'BTCUSDT', side: 'BUY', quantity: '0.5', newClientOrderId: 'c0ffee', newOrderRespType: 'FULL' },
      ...terms,
    });
  });
});

describe('an order as the venue has it', () => {
  it('is read from the answer to its placing', () => {
    expect(readOrder(recorded('order-filled'), name)).toEqual({
      ...{ client_order_id: 'c0ffee', venue_order_id: '28', symbol: 'BTC/USDT', side: 'buy', type: 'market' },
      ...{ status: 'filled', quantity: '10', filled_quantity: '10', filled_notional: '171103', fees: '0' },
      ...{ created_ms: 1670889600456, updated_ms: 1670889600456 },
    });
  });

  it('is read from a lookup', () => {
    expect(readOrder(recorded('order-partial'), name)).toMatchObject({
      ...{ status: 'open', type: 'limit', side: 'sell', price: '17000', quantity: '1' },
      ...{ filled_quantity: '0.4', filled_notional: '6800', created_ms: 1670889600456, updated_ms: 1670889611789 },
    });
    expect(readOrder(recorded('order-partial'), name)).not.toHaveProperty('stop_price');
  });

  it('is read from the answer to its cancel, which has an id of its own', () => {
    expect(readOrder(recorded('cancel'), name)).toMatchObject({ client_order_id: 'c0ffee', status: 'cancelled' });
  });

  it.each([
    ['NEW', 'open'],
    ['PENDING_NEW', 'open'],
    ['EXPIRED', 'expired'],
    ['EXPIRED_IN_MATCH', 'expired'],
    ['REJECTED', 'rejected'],
  ])('has the status %s as %s', (status, is) => {
    expect(readOrder({ ...recorded('order-partial'), status }, name)?.status).toBe(is);
  });

  it('keeps every digit of its amounts', () => {
    const amounts = {
      origQty: '1234567890123456789.012345678',
      executedQty: '9007199254740993.0000000000001',
      cummulativeQuoteQty: '123456789012345678901234.5678',
    };
    expect(readOrder({ ...recorded('order-partial'), ...amounts }, name)).toMatchObject({
      quantity: amounts.origQty,
      filled_quantity: amounts.executedQty,
      filled_notional: amounts.cummulativeQuoteQty,
    });
  });

  it.each([
    ['of another market', { symbol: 'ETHBTC' }],
    ['with a status nobody knows', { status: 'HALTED' }],
    ['whose amount is a number', { executedQty: 0.4 }],
    ['whose amount is missing', { origQty: undefined }],
    ['whose amount is negative', { cummulativeQuoteQty: '-1.0' }],
    ['whose amount has an exponent', { executedQty: '4e-1' }],
    ['that was filled for nothing', { cummulativeQuoteQty: '0.00000000' }],
    ['that paid for nothing', { executedQty: '0.00000000' }],
    ['without a client order id', { clientOrderId: '' }],
    ['without a side', { side: 'BOTH' }],
    ['without a number', { orderId: null }],
    ['without a time', { time: undefined, workingTime: undefined }],
  ])('is not read: one %s', (_what, change) => {
    expect(readOrder({ ...recorded('order-partial'), ...change }, name)).toBeUndefined();
  });

  it('is not read from what is no order', () => {
    for (const raw of [undefined, null, [], 'x', {}]) expect(readOrder(raw, name)).toBeUndefined();
  });
});

describe('what fills cost', () => {
  it('is summed up in quote currency, a commission in base currency at the price of its fill', async () => {
    const fills = readFills(recorded('order-filled')['fills']);
    // 0.007 BTC at 17110, and 51.333.
    expect(await feesOf(fills ?? [], name, never)).toBe('171.103');
  });

  const page = (trades: unknown): FeeSources => ({
    ...{
      profile: 'p',
      trades: () => Promise.resolve(trades),
      price: (asset, quote) => Promise.resolve(asset === 'BNB' && quote === 'USDT' ? '270.5' : '0'),
    },
  });
  const order = { client_order_id: 'c0ffee', venue_order_id: '29', filled_quantity: '0.4' };

  it('is of the order’s own trades, a third currency at its price', async () => {
    expect(await feesOfOrder(order, name, page(recordedList('my-trades')))).toBe('4.405');
  });

  it('is of a currency without a market in the quote currency what that is in the base currency', async () => {
    const asked: string[] = [];
    const price = (asset: string, currency: string) => {
      asked.push(`${asset}/${currency}`);
      return currency === 'BTC' ? Promise.resolve('0.02') : Promise.reject(new Error('no such market'));
    };
    const fill = { orderId: 29, qty: '0.2', commission: '0.01', commissionAsset: 'BNB' };
    const trades = [
      { ...fill, id: 1, price: '10000' },
      { ...fill, id: 2, price: '20000' },
    ];
    expect(await feesOfOrder(order, name, { ...page(trades), price })).toBe('6');
    expect(asked).toEqual(['BNB/USDT', 'BNB/BTC']);
  });

  it('is an error that may pass while not all trades are shown, or where a currency has no price', async () => {
    const [first] = recordedList('my-trades');
    await expect(feesOfOrder(order, name, page([first]))).rejects.toMatchObject({ code: 'ServiceError' });
    await expect(feesOfOrder(order, name, page([]))).rejects.toMatchObject({ code: 'ServiceError' });
    await expect(feesOfOrder(order, name, page({}))).rejects.toMatchObject({ code: 'ServiceError' });
    const worthless = { ...page(recordedList('my-trades')), price: never };
    await expect(feesOfOrder(order, name, worthless)).rejects.toMatchObject({ code: 'ServiceError' });
  });

  it('is read page by page, every trade once', async () => {
    const trade = (id: number) => ({
      id,
      orderId: 29,
      price: '2',
      qty: '1',
      commission: '0.5',
      commissionAsset: 'USDT',
    });
    const all = Array.from({ length: 2_300 }, (_, index) => trade(index + 1));
    const asked: unknown[] = [];
    const sources: FeeSources = {
      ...page([]),
      trades: ({ fromId = '0', limit }) => {
        asked.push(fromId);
        return Promise.resolve(all.filter(({ id }) => id >= Number(fromId)).slice(0, Number(limit)));
      },
    };
    expect(await feesOfOrder({ ...order, filled_quantity: '2300' }, name, sources)).toBe('1150');
    expect(asked).toEqual(['0', '1001', '2001']);
  });
});
