/** Orders that close what is held, on either side. */
import { describe, expect, it } from '@jest/globals';
import { decideClosing, NothingToClose } from '../../src/activities/orders/closing';
import type { Trade } from '../../src/activities/trade';
import type { OrderSide } from '../../src/venues/venue';
import { ScriptedMarket } from '../support/order-world';

interface Case {
  readonly side?: OrderSide;
  readonly proven: string;
  readonly quantity?: string;
  readonly base?: string;
  readonly quote?: string;
}

/** At a market of 100 whose quantities go by 0.0001. */
function decided({ side = 'sell', proven, quantity, base = '10', quote = '1000' }: Case) {
  const market = new ScriptedMarket();
  const [free, bounds] = [
    { BTC: base, USDT: quote },
    { max_slippage_percent: '1', max_price_age: '2m' },
  ];
  market.trading.balances = () =>
    Promise.resolve(Object.entries(free).map(([asset, amount]) => ({ asset, free: amount, locked: '5' })));
  const place = { venue: market.venue('a'), trading: market.trading, leg: 'order', symbol: 'BTC/USDT', side };
  const trade = { reducible: () => Promise.resolve(proven) } as unknown as Trade;
  return decideClosing(place, { ...bounds, quantity }, trade);
}

describe('an order that closes', () => {
  it.each<[string, Case, string, string]>([
    ['sells what is proven', { proven: '2' }, '2', '99'],
    ['sells no more than is asked for', { proven: '2', quantity: '0.5' }, '0.5', '99'],
    ['sells no more than the account has free', { proven: '2', base: '1.00005' }, '1', '99'],
    ['buys back what was sold short', { side: 'buy', proven: '2' }, '2', '101'],
    ['buys back no more than the account can pay at worst', { side: 'buy', proven: '2', quote: '50' }, '0.495', '101'],
  ])('%s', async (_what, given, quantity, price) => {
    expect(await decided(given)).toMatchObject({
      order: { type: 'limit', time_in_force: 'ioc', quantity, price, side: given.side ?? 'sell' },
      ...{ worst_price: price, reduces_only: true },
    });
  });

  it.each<[string, Case]>([
    ['nothing is proven', { proven: '0' }],
    ['the account has none of it', { proven: '1', base: '0' }],
    ['it is less than the market trades', { proven: '0.00009' }],
  ])('is none where %s', async (_what, given) => {
    const error = await decided(given).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NothingToClose);
    expect(error).toMatchObject({ proven: given.proven, free: given.base ?? '10', step: '0.0001' });
  });
});
