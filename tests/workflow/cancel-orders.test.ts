/** What rests at a venue after a halt that asked for it to be cancelled, at an account whose answers the test decides. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CancelReport, CancelResult } from '../../src/emergency/cancels';
import type { Venue } from '../../src/venues/venue';
import { LiveDesk } from '../support/live-desk';
import { ScriptedVenue } from '../support/scripted-venue';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { answered, until } from '../support/until';

const BOT = { bot_id: 'bot_1', name: 'One', venues: ['paper'], starting_equity: '10000', time_zone: 'UTC' };

let account = new ScriptedVenue();
/** The account of the test that runs, which is a new one each time. */
const venue: Venue = {
  ...{ profile: 'paper', mode: 'paper' },
  now: Date.now,
  candles: () => Promise.resolve([]),
  ticker: () => Promise.reject(new Error('not asked for')),
  get trading() {
    return account;
  },
};

let worker: TestWorker;
beforeAll(async () => {
  worker = await startTestWorker([], { venues: new Map([['paper', venue]]) });
});
beforeEach(() => {
  account = new ScriptedVenue();
});
afterAll(async () => {
  await worker.stop();
});

/** One the desk permitted, and that rests at the venue. */
async function resting(desk: LiveDesk, id: string, over: Record<string, unknown> = {}): Promise<void> {
  await desk.order(`p-${id}`, { client_order_id: id, ...over });
  account.rests({ client_order_id: id, ...over });
  await desk.settle({ permit_id: `p-${id}`, outcome: 'acknowledged' });
}

async function reportOf(desk: LiveDesk, name: string | number): Promise<CancelReport> {
  return until('the venue has said it all', async () => {
    const report = await answered(() => desk.client.cancelReport(name, desk.id));
    return report?.is_done === true && report;
  });
}

async function halted(desk: LiveDesk, scope = 'global', over: Record<string, unknown> = {}): Promise<CancelReport> {
  const { epoch } = await desk.raise('halt', scope, { cancel_open: true, ...over });
  return reportOf(desk, epoch);
}

const ordersOf = ({ accounts }: CancelReport): Record<string, CancelResult['status']> =>
  Object.fromEntries(
    accounts.flatMap(({ orders }) => orders.map(({ client_order_id, status }) => [client_order_id, status])),
  );
const openIds = async () => (await account.openOrders()).map(({ client_order_id }) => client_order_id);

describe('a halt with cancel_open', () => {
  it('cancels all that rests, also what nobody here placed, spares protective stops, and settles the permits', async () => {
    const desk = await LiveDesk.begin(worker);
    await resting(desk, 'mine');
    account.rests({ client_order_id: 'foreign' });
    account.rests({ client_order_id: 'stop', type: 'stop', side: 'sell' });
    const report = await halted(desk);
    expect(ordersOf(report)).toEqual({ mine: 'cancelled', foreign: 'cancelled', stop: 'spared' });
    expect(await openIds()).toEqual(['stop']);
    expect((await desk.status()).open_permits.count).toBe(0);
    await until('an event says so', () => desk.events().some(({ type }) => type === 'open_orders_cancelled'));
    expect(desk.events().find(({ type }) => type === 'open_orders_cancelled')).toMatchObject({
      ...{ scope: 'global', cancelled: 2, spared: 1, filled: 0, not_found: 0, unreachable: [] },
    });
  });

  it('cancels what the desk knows also while the venue’s list cannot be read, and the rest once it can', async () => {
    const desk = await LiveDesk.begin(worker);
    await resting(desk, 'mine');
    account.rests({ client_order_id: 'foreign' });
    const read = account.openOrders.bind(account);
    account.openOrders = () => Promise.reject(new Error('shows open orders that cannot be read'));
    const { epoch } = await desk.raise('halt', 'global', { cancel_open: true });
    await until('the one is cancelled', () => account.order('mine')?.status === 'cancelled');
    expect(await answered(() => desk.client.cancelReport(epoch, desk.id))).toMatchObject({ is_done: false });
    account.openOrders = read;
    expect(ordersOf(await reportOf(desk, epoch))).toEqual({ mine: 'cancelled', foreign: 'cancelled' });
    expect((await desk.status()).open_permits.count).toBe(0);
  });

  it('cancels protective stops too where that was asked for', async () => {
    const desk = await LiveDesk.begin(worker);
    account.rests({ client_order_id: 'stop', type: 'stop', side: 'sell' });
    expect(ordersOf(await halted(desk, 'global', { cancel_stops: true }))).toEqual({ stop: 'cancelled' });
    expect(await openIds()).toEqual([]);
  });

  it('of a bot touches nothing but what was permitted for that bot before the halt', async () => {
    const desk = await LiveDesk.begin(worker);
    await desk.command({ action: 'register_bot', bot: BOT });
    await resting(desk, 'of-bot', { bot_id: 'bot_1' });
    await resting(desk, 'of-nobody');
    account.rests({ client_order_id: 'foreign' });
    expect(ordersOf(await halted(desk, 'bot:bot_1'))).toEqual({ 'of-bot': 'cancelled' });
    expect(await openIds()).toEqual(['of-nobody', 'foreign']);
  });

  it('repeats a cancel the venue refuses, until it has said that the order is gone', async () => {
    const desk = await LiveDesk.begin(worker);
    await resting(desk, 'mine');
    account.refusals = 3;
    expect(ordersOf(await halted(desk))).toEqual({ mine: 'cancelled' });
    expect(account.cancels).toEqual(['mine', 'mine', 'mine', 'mine']);
  });

  it('records what was filled in the moment before the cancel, also what the venue shows only afterwards', async () => {
    const desk = await LiveDesk.begin(worker);
    await resting(desk, 'mine');
    account.onCancelled = (id) => account.change(id, { filled_quantity: '0.4', filled_notional: '40' });
    const report = await halted(desk);
    expect(report.accounts[0]?.orders).toMatchObject([{ status: 'cancelled', filled_quantity: '0.4' }]);
    expect(await desk.scope()).toMatchObject({ held: '40', reserved: '0', open_orders: 0 });
  });

  it('goes on with an order that is on its way until the venue has it, and then cancels it', async () => {
    const desk = await LiveDesk.begin(worker);
    await desk.order('p-late', { client_order_id: 'late' });
    account.fence_ms = 600_000;
    const { epoch } = await desk.raise('halt', 'global', { cancel_open: true });
    await until('it was asked about', () => account.cancels.length > 0);
    expect(await answered(() => desk.client.cancelReport(epoch, desk.id))).toMatchObject({ is_done: false });
    account.rests({ client_order_id: 'late' });
    expect(ordersOf(await reportOf(desk, epoch))).toEqual({ late: 'cancelled' });
  });

  it('takes the venue’s word that it has no such order only once it can accept it no more', async () => {
    const desk = await LiveDesk.begin(worker);
    await desk.order('p-never', { client_order_id: 'never' });
    expect(ordersOf(await halted(desk))).toEqual({ never: 'not_found' });
    // Pauses of 250, 500 and 1,000 ms are the first to be longer than the life of a permit.
    expect(account.cancels.length).toBeGreaterThan(2);
    expect((await desk.status()).open_permits.count).toBe(0);
  });

  it('asks what it is before it cancels an order that reduces and was not shown, and spares it if it is a stop', async () => {
    const desk = await LiveDesk.begin(worker);
    await desk.fill({ filled_quantity: '1', filled_notional: '100' });
    await desk.order('p-stop', { client_order_id: 'stop', side: 'sell' });
    account.hidden = 1;
    const shows = account.openOrders.bind(account);
    account.openOrders = () => Promise.resolve([]);
    account.rests({ client_order_id: 'stop', type: 'stop', side: 'sell' });
    expect(ordersOf(await halted(desk))).toEqual({ stop: 'spared' });
    expect(account.cancels).toEqual([]);
    expect(await shows()).toHaveLength(1);
  });

  it('goes on at another worker, and says which accounts with orders nobody can reach', async () => {
    const desk = await LiveDesk.begin(worker);
    await desk.order('p-far', { client_order_id: 'far', account: 'other' });
    await resting(desk, 'mine');
    account.refusals = 4;
    const { epoch } = await desk.raise('halt', 'global', { cancel_open: true });
    await until('it was tried', () => account.cancels.length > 0);
    await worker.stopWorker();
    await worker.startWorker();
    const report = await reportOf(desk, epoch);
    expect(ordersOf(report)).toEqual({ mine: 'cancelled' });
    expect(report.unreachable).toEqual([{ venue: 'paper', account: 'other' }]);
  });

  it('is not held up by an account that does not show its orders, and says why it has not', async () => {
    const desk = await LiveDesk.begin(worker);
    account.rests({ client_order_id: 'mine' });
    const shows = account.openOrders.bind(account);
    account.openOrders = () => Promise.reject(new Error('the venue is closed'));
    const { epoch } = await desk.raise('halt', 'global', { cancel_open: true });
    const silent = await until('it says why', async () => {
      const report = await answered(() => desk.client.cancelReport(epoch, desk.id));
      return report?.accounts[0]?.why !== undefined && report;
    });
    expect(silent).toMatchObject({ is_done: false, accounts: [{ is_listed: false, why: 'the venue is closed' }] });
    account.openOrders = shows;
    expect(ordersOf(await reportOf(desk, epoch))).toEqual({ mine: 'cancelled' });
  });

  it('is none where the flag was not given, nor in an alert', async () => {
    const desk = await LiveDesk.begin(worker);
    account.rests({ client_order_id: 'mine' });
    const alert = await desk.raise('alert', 'global', { cancel_open: true });
    const halt = await desk.raise('halt');
    const flagged = await desk.raise('halt', 'venue:other', { cancel_open: true });
    await reportOf(desk, flagged.epoch);
    for (const { epoch } of [alert, halt]) expect(await desk.client.cancelReport(epoch, desk.id)).toBeUndefined();
    expect(account.cancels).toEqual([]);
  });
});

describe('cancels somebody asks for', () => {
  it('need no halt, and can be of one symbol', async () => {
    const desk = await LiveDesk.begin(worker);
    account.rests({ client_order_id: 'btc' });
    account.rests({ client_order_id: 'eth', symbol: 'ETH/USDT' });
    const order = { scope: 'venue:paper', symbol: 'ETH/USDT', reason: 'because', actor: 'ann' };
    const name = await desk.client.cancelOrders(order, desk.id);
    expect(ordersOf(await reportOf(desk, name))).toEqual({ eth: 'cancelled' });
    expect(await openIds()).toEqual(['btc']);
    const listed = await until('it is listed', async () => {
      const [first] = await desk.client.listCancels(desk.id);
      return first?.report !== undefined && first;
    });
    expect(listed).toMatchObject({ name, report: { is_done: true, actor: 'ann' } });
  });

  it('go on from run to run with what they know', async () => {
    const desk = await LiveDesk.begin(worker);
    for (const id of ['one', 'two', 'three']) await resting(desk, id);
    account.rests({ client_order_id: 'stop', type: 'stop', side: 'sell' });
    account.refusals = 8;
    const order = { scope: 'global', reason: 'because', actor: 'ann', settings: { events_per_run: 12 } };
    const workflowId = `desk/${desk.id}/cancels/long`;
    const handle = await worker.temporal.workflow.start('cancelOpenOrders', {
      ...{ workflowId, taskQueue: worker.config.temporal.desk_task_queue, args: [{ desk_id: desk.id, ...order }] },
    });
    expect(ordersOf(await reportOf(desk, 'long'))).toEqual({
      ...{ one: 'cancelled', two: 'cancelled', three: 'cancelled', stop: 'spared' },
    });
    expect((await worker.temporal.workflow.getHandle(workflowId).describe()).runId).not.toBe(
      handle.firstExecutionRunId,
    );
    expect(account.cancels).toHaveLength(11);
  });
});
