import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decimal } from '../../src/money';
import { orderProblem, quantizePrice, quantizeQuantity } from '../../src/venues/size-checks';
import type { Market, VenueOrderDraft } from '../../src/venues/venue';

const market: Market = {
  ...{ symbol: 'BTC/USDT', base: 'BTC', quote: 'USDT' },
  ...{ price_tick: '0.01', quantity_step: '0.00001', min_quantity: '0.0001', min_notional: '10' },
};
const limit: VenueOrderDraft = {
  ...{ client_order_id: 'a', symbol: 'BTC/USDT', side: 'buy', type: 'limit', quantity: '0.001', price: '17000.25' },
};
const { price: _price, ...unpriced } = limit;
const atMarket: VenueOrderDraft = { ...unpriced, type: 'market' };

describe('what is wrong with an order', () => {
  it('is nothing where everything fits', () => {
    expect(orderProblem(limit, market)).toBeUndefined();
    expect(orderProblem(atMarket, market, '17000')).toBeUndefined();
    expect(orderProblem({ ...unpriced, type: 'stop', stop_price: '16000' }, market)).toBeUndefined();
  });

  it.each([
    ['a quantity of zero', { quantity: '0' }, 'InvalidInput', 'The quantity must be above zero, not 0.'],
    ['a negative quantity', { quantity: '-1' }, 'InvalidInput', 'The quantity must be above zero, not -1.'],
    ['a quantity that is no number', { quantity: 'NaN' }, 'InvalidInput', 'The quantity "NaN" is no decimal number.'],
    ['a quantity with an exponent', { quantity: '1e3' }, 'InvalidInput', 'The quantity "1e3" is no decimal number.'],
    ['a price of zero', { price: '0.00' }, 'InvalidInput', 'The price must be above zero, not 0.00.'],
    [
      'a wrong tick',
      { price: '17000.255' },
      'OrderRejected',
      'The price 17000.255 is no multiple of the market’s tick 0.01.',
    ],
    [
      'a wrong step',
      { quantity: '0.001001' },
      'OrderRejected',
      'The quantity 0.001001 is no multiple of the market’s step 0.00001.',
    ],
    [
      'too little',
      { quantity: '0.00009' },
      'OrderRejected',
      'The quantity 0.00009 is below the least of BTC/USDT, 0.0001.',
    ],
    [
      'too little worth',
      { quantity: '0.0005' },
      'OrderRejected',
      'The order is worth 8.500125 USDT, below the least of BTC/USDT, 10 USDT.',
    ],
    ['a stop price on a limit order', { stop_price: '1' }, 'InvalidInput', 'A limit order has no stop price.'],
  ] as const)('is %s', (_what, change, code, message) => {
    expect(orderProblem({ ...limit, ...change }, market)).toEqual({ code, message });
  });

  it('is a price that is missing, or given where there is none', () => {
    expect(orderProblem({ ...unpriced, type: 'limit' }, market)?.message).toBe(
      'A limit order for BTC/USDT needs a price.',
    );
    expect(orderProblem({ ...limit, type: 'market' }, market)?.message).toBe('A market order has no price.');
    expect(orderProblem({ ...unpriced, type: 'stop' }, market)?.message).toBe(
      'A stop order for BTC/USDT needs a stop price.',
    );
  });

  it('counts a market order at the price it is expected to trade at, and only there', () => {
    expect(orderProblem({ ...atMarket, quantity: '0.0005' }, market, '17000')?.code).toBe('OrderRejected');
    expect(orderProblem({ ...atMarket, quantity: '0.0005' }, market)).toBeUndefined();
    expect(orderProblem(atMarket, market, 'NaN')?.code).toBe('InvalidInput');
    expect(orderProblem(atMarket, market, '0')?.code).toBe('InvalidInput');
  });
});

describe('bringing amounts onto the grid of a market', () => {
  const amount = fc.tuple(fc.bigInt(1n, 10n ** 26n), fc.integer({ min: 0, max: 18 })).map(([digits, places]) => {
    const text = digits.toString().padStart(places + 1, '0');
    return places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
  });
  const step = fc.constantFrom('1', '0.5', '0.25', '0.01', '0.00001', '0.00000001', '10');

  it('never makes a quantity larger, and leaves less than a step', () => {
    fc.assert(
      fc.property(amount, step, (quantity, quantity_step) => {
        const rest = decimal(quantity).minus(decimal(quantizeQuantity(quantity, { quantity_step })));
        expect(rest.gte('0') && rest.lt(quantity_step)).toBe(true);
        expect(decimal(quantizeQuantity(quantity, { quantity_step })).mod(decimal(quantity_step)).eq('0')).toBe(true);
      }),
    );
  });

  it('never lets a buy pay more nor a sell get less, and moves a price by less than a tick', () => {
    fc.assert(
      fc.property(amount, step, fc.constantFrom('buy' as const, 'sell' as const), (price, price_tick, side) => {
        const moved = decimal(quantizePrice(price, side, { price_tick })).minus(decimal(price));
        const worse = side === 'buy' ? moved : moved.times('-1');
        expect(worse.lte('0') && worse.times('-1').lt(price_tick)).toBe(true);
        expect(
          decimal(quantizePrice(price, side, { price_tick }))
            .mod(decimal(price_tick))
            .eq('0'),
        ).toBe(true);
      }),
    );
  });

  it('keeps every digit of long amounts', () => {
    expect(quantizeQuantity('1234567890123456789012.123456789', { quantity_step: '0.000001' })).toBe(
      '1234567890123456789012.123456',
    );
    expect(quantizePrice('0.015', 'sell', { price_tick: '0.01' })).toBe('0.02');
  });
});
