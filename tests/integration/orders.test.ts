/** Orders at a venue where something goes wrong. What the venue's own books hold at the end is what counts. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { decimal } from '../../src/money';
import { TradingWorld } from '../support/trading-world';

jest.setTimeout(120_000);

let world: TradingWorld;
beforeAll(async () => {
  world = await TradingWorld.open();
});
beforeEach(async () => {
  await world.forget();
});
afterAll(async () => {
  await world.close();
});

const place = { venue: 'paper_binance', symbol: 'BTC/BUSD' };
const buy = (params: Record<string, unknown> = {}) => ({
  order: { type: 'market_order', params: { ...place, side: 'buy', quantity: '0.01', ...params } },
});
const limit = (params: Record<string, unknown> = {}) => ({
  order: { type: 'limit_order', params: { ...place, side: 'buy', quantity: '0.01', ...params } },
});
/** On the market's grid, and so far off that nothing fills there. */
const far = async () =>
  decimal(await world.price())
    .times('0.8')
    .round(2, 0)
    .toFixed();

describe('an order', () => {
  it('at the market fills within its collar, is told to the desk, and is one order', async () => {
    const { nodes, state } = await world.run(buy());
    expect(state).toBe('completed');
    expect(nodes['order']).toMatchObject({ state: 'completed', branch: 'filled' });
    const [order, ...others] = await world.orders();
    expect(others).toEqual([]);
    expect(order).toMatchObject({ side: 'BUY', quantity: '0.01', status: 'FILLED' });
    const { open_permits, scopes } = await world.deskStatus();
    expect(open_permits.count).toBe(0);
    expect(scopes.find(({ scope }) => scope === 'global')?.held).not.toBe('0');
  });

  it('at a price rests until it is good no more, and is cancelled then', async () => {
    const { nodes } = await world.run(limit({ price: await far(), good_for: '1s' }));
    expect(nodes['order']).toMatchObject({ state: 'completed', branch: 'not_filled' });
    expect(await world.orders()).toMatchObject([{ status: 'CANCELED', executed: '0.00000000' }]);
  });
});
