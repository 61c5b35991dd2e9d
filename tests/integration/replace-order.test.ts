/** One order in place of another, at a venue whose own books say what was ordered. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decimal } from '../../src/money';
import { clientIdOf, newExecution, TradingWorld } from '../support/trading-world';
import { until } from '../support/until';

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
const rests = (price: string) => ({
  type: 'limit_order',
  params: { ...place, side: 'buy', quantity: '0.01', price, until: 'placed' },
});
const replaces = (price: string) => ({
  type: 'replace_order',
  params: { ...place, price, until: 'placed' },
  inputs: { client_order_id: 'old.client_order_id' },
});

/** An order far below the market, and one a little nearer in its place. */
async function nodes() {
  const market = decimal(await world.price());
  const at = (share: string) => market.times(share).round(2, 0).toFixed();
  return { old: rests(at('0.8')), next: replaces(at('0.81')) };
}

async function booked(): Promise<string[]> {
  return (await world.orders()).map(
    ({ status, quantity, executed }) => `${status} ${decimal(executed).toFixed()} of ${decimal(quantity).toFixed()}`,
  );
}

async function isCancelled(): Promise<boolean> {
  const [old] = await world.orders();
  return old?.status === 'CANCELED';
}

describe('an order is replaced', () => {
  it('replaced: the old one is cancelled, the new one rests, and the desk holds back for that alone', async () => {
    const id = newExecution();
    expect((await world.run(await nodes(), id)).nodes['next']).toMatchObject({ state: 'completed', branch: 'open' });
    expect(await booked()).toEqual(['CANCELED 0 of 0.01', 'NEW 0 of 0.01']);
    await until('the old one is forgotten', async () => {
      const { listed } = (await world.deskStatus()).open_permits;
      const ids = listed.map(({ client_order_id }) => client_order_id);
      return ids.includes(clientIdOf(id, 'next')) && !ids.includes(clientIdOf(id, 'old'));
    });
  });

  it('filled before the cancel: nothing is sent in its place', async () => {
    const { next } = await nodes();
    const old = { type: 'market_order', params: { ...place, side: 'buy', quantity: '0.01' } };
    expect((await world.run({ old, next })).nodes['next']).toMatchObject({
      state: 'completed',
      branch: 'not_replaced',
      outputs: { replaced: { status: 'filled' } },
    });
    expect(await booked()).toEqual(['FILLED 0.01 of 0.01']);
  });

  it('partly filled, which shows only after the cancel was answered: the new one is for the rest', async () => {
    await world.faults({ late_fill: { next: 1, ms: 1_500 } });
    const { next } = (await world.run(await nodes())).nodes;
    expect(next).toMatchObject({ branch: 'open', outputs: { replaced: { filled_quantity: '0.005' } } });
    expect(await booked()).toEqual(['CANCELED 0.005 of 0.01', 'NEW 0 of 0.005']);
  });

  it('the cancel’s answer is lost: one order is sent in its place', async () => {
    await world.faults({ drop_after: { next: 1, on: ['cancel'] } });
    expect((await world.run(await nodes())).nodes['next']).toMatchObject({ branch: 'open' });
    expect(await booked()).toEqual(['CANCELED 0 of 0.01', 'NEW 0 of 0.01']);
  });

  it('halted between cancel and new order: nothing is sent, also not after the resume', async () => {
    const id = await world.start(await nodes());
    await until('the old one is cancelled', isCancelled);
    // How it ended is not to be seen before the halt is there.
    await world.faults({ error_5xx_before: { probability: 1, on: ['query'] } });
    await world.halt();
    await world.forgive();
    await world.reaches(id, ({ state, nodes }) => state === 'halted' && nodes['next']?.state !== 'running');
    expect(await booked()).toEqual(['CANCELED 0 of 0.01']);
    await world.resume();
    expect((await world.ended(id)).nodes['next']).toMatchObject({ state: 'completed', branch: 'not_replaced' });
    expect(await booked()).toEqual(['CANCELED 0 of 0.01']);
  });

  it('worker killed with -9 between cancel and new order: nothing is sent, and the graph is told', async () => {
    const id = await world.start(await nodes());
    await until('the old one is cancelled', isCancelled);
    await world.killWorker();
    await world.startWorker();
    expect((await world.ended(id)).nodes['next']).toMatchObject({ state: 'completed', branch: 'not_replaced' });
    expect(await booked()).toEqual(['CANCELED 0 of 0.01']);
  });
});
