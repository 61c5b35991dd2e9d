/** Orders at a venue where something goes wrong. What the venue's own books hold at the end is what counts. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { decimal } from '../../src/money';
import { clientIdOf, newExecution, TradingWorld, type BookedOrder } from '../support/trading-world';
import { resetToBeginning } from '../support/reset';
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

type Params = Readonly<Record<string, unknown>>;
const place = { venue: 'paper_binance', symbol: 'BTC/BUSD' };
const market = (params: Params = {}) => ({
  type: 'market_order',
  params: { ...place, side: 'buy', quantity: '0.01', ...params },
});
const limit = (params: Params = {}) => ({
  type: 'limit_order',
  params: { ...place, side: 'buy', quantity: '0.01', ...params },
});
/** On the market's grid, and so far off that nothing fills there. */
const far = async () =>
  decimal(await world.price())
    .times('0.8')
    .round(2, 0)
    .toFixed();
const sumOf = (orders: readonly BookedOrder[]) =>
  orders
    .map(({ executed }) => decimal(executed))
    .reduce((a, b) => a.plus(b), decimal('0'))
    .toFixed();

/** The node `order` alone, and what became of it. */
async function outcomeOf(order: Params, id?: string) {
  const { nodes } = await world.run({ order }, id);
  const { state, branch, error_type } = nodes['order']!;
  return [state, branch ?? error_type].join(' ');
}

async function booked(): Promise<string[]> {
  return (await world.orders()).map(({ status, executed }) => `${status} ${decimal(executed).toFixed()}`);
}

async function openPermits(): Promise<number> {
  return (await world.deskStatus()).open_permits.count;
}

describe('an order', () => {
  it('at the market fills within its collar, and the desk knows what is held', async () => {
    expect(await outcomeOf(market())).toBe('completed filled');
    expect(await booked()).toEqual(['FILLED 0.01']);
    const { scopes } = await world.deskStatus();
    expect(scopes.find(({ scope }) => scope === 'symbol:BTC/BUSD')?.held).toMatch(/^1\d\d(\.\d+)?$/);
    expect(await openPermits()).toBe(0);
  });

  it('that rests is cancelled when it is good no more', async () => {
    expect(await outcomeOf(limit({ price: await far(), good_for: '1s' }))).toBe('completed not_filled');
    expect(await booked()).toEqual(['CANCELED 0']);
  });

  it('of a position sells what was bought, and nothing the account held before', async () => {
    const { nodes } = await world.run({
      order: market(),
      close: { type: 'close_position', params: place, after: ['order'] },
      again: { type: 'close_position', params: place, after: ['close'] },
    });
    expect([nodes['close']?.branch, nodes['again']?.branch]).toEqual(['filled', 'flat']);
    const [bought, sold, ...others] = await world.orders();
    expect(bought).toMatchObject({ side: 'BUY' });
    expect(sold).toMatchObject({ side: 'SELL', status: 'FILLED' });
    expect(others).toEqual([]);
  });
});

describe('an order whose answer is lost is one order', () => {
  it('connection cut after acceptance', async () => {
    await world.faults({ drop_after: { next: 1 } });
    expect(await outcomeOf(market())).toBe('completed filled');
    expect(await booked()).toEqual(['FILLED 0.01']);
  });

  it('timeout after acceptance', async () => {
    await world.faults({ delay_after_ms: { next: 1, ms: 9_000 } });
    expect(await outcomeOf(market())).toBe('completed filled');
    expect(await booked()).toEqual(['FILLED 0.01']);
  });

  it('5xx after acceptance', async () => {
    await world.faults({ error_5xx_after: { next: 1 } });
    expect(await outcomeOf(market())).toBe('completed filled');
    expect(await booked()).toEqual(['FILLED 0.01']);
  });

  it('visible only after three seconds', async () => {
    await world.faults({ drop_after: { next: 1 }, hidden_for_ms: { next: 1, ms: 3_000 } });
    expect(await outcomeOf(market())).toBe('completed filled');
    expect(await booked()).toEqual(['FILLED 0.01']);
  });

  it('duplicate id: the one that is there is adopted', async () => {
    const id = newExecution();
    const price = await far();
    const params = { newClientOrderId: clientIdOf(id, 'order') };
    await world.outsider().createOrder('BTC/BUSD', 'limit', 'buy', 0.01, Number(price), params);
    expect(await outcomeOf(limit({ price, good_for: '1s' }), id)).toBe('completed not_filled');
    expect(await booked()).toEqual(['CANCELED 0']);
  });
});

describe('an order that never arrived is known as such, and none is sent in its place', () => {
  it('connection cut before', async () => {
    await world.faults({ drop_before: { next: 1 } });
    expect(await outcomeOf(market())).toBe('failed OrderNotPlaced');
    expect(await booked()).toEqual([]);
    await until('the desk holds nothing open', async () => (await openPermits()) === 0);
  });

  it('timeout before: the venue refuses what comes after the end of its permit', async () => {
    await world.faults({ delay_before_ms: { next: 1, ms: 9_000 } });
    expect(await outcomeOf(market())).toBe('failed OrderNotPlaced');
    expect(await booked()).toEqual([]);
  });

  it('429', async () => {
    await world.faults({ rate_limited: { next: 1, on: ['submit'] } });
    expect(await outcomeOf(market())).toBe('failed RateLimited');
    expect(await booked()).toEqual([]);
  });
});

describe('no order goes out', () => {
  it('on a dead feed', async () => {
    await world.faults({ dead_feed: { probability: 1 } });
    expect(await outcomeOf(market())).toBe('failed ServiceError');
    expect(await booked()).toEqual([]);
  });

  it('on a stale price', async () => {
    await world.faults({ stale_book: true });
    await until('the price is stale', async () => (await world.priceAge('paper_binance')) > 121_000);
    expect(await outcomeOf(market())).toBe('failed StalePrice');
    expect(await booked()).toEqual([]);
  });

  it('for nothing: zero amount', async () => {
    const { nodes } = await world.run({
      none: { type: 'constant', params: { value: '0' } },
      order: { type: 'market_order', params: { ...place, side: 'buy' }, inputs: { quantity: 'none.value' } },
    });
    expect(nodes['order']).toMatchObject({ state: 'failed', error_type: 'InvalidInput' });
    expect(await booked()).toEqual([]);
  });

  it('below the least notional', async () => {
    expect(await outcomeOf(market({ quantity: '0.0001' }))).toBe('failed OrderRejected');
    expect(await booked()).toEqual([]);
  });

  it('off the tick', async () => {
    expect(await outcomeOf(limit({ price: '15000.001' }))).toBe('failed OrderRejected');
    expect(await booked()).toEqual([]);
  });
});

describe('a cancel', () => {
  it('that overtakes its order takes it back all the same', async () => {
    const id = newExecution();
    await world.faults({ delay_before_ms: { next: 1, ms: 600 } });
    const { nodes } = await world.run(
      {
        order: limit({ price: await far() }),
        cancel: { type: 'cancel_order', params: { ...place, client_order_id: clientIdOf(id, 'order') } },
      },
      id,
    );
    expect(nodes['cancel']).toMatchObject({ state: 'completed', branch: 'cancelled' });
    expect(nodes['order']).toMatchObject({ state: 'completed', branch: 'not_filled' });
    expect(await booked()).toEqual(['CANCELED 0']);
  });

  it('of what has filled says so', async () => {
    const { nodes } = await world.run({
      order: market(),
      cancel: { type: 'cancel_order', params: place, inputs: { client_order_id: 'order.client_order_id' } },
    });
    expect(nodes['cancel']).toMatchObject({ branch: 'ended', outputs: { status: 'filled', filled_quantity: '0.01' } });
    expect(await booked()).toEqual(['FILLED 0.01']);
  });

  it('that is refused once is repeated', async () => {
    await world.faults({ refuse_cancel: { next: 1 } });
    const { nodes } = await world.run({
      order: limit({ price: await far(), until: 'placed' }),
      cancel: { type: 'cancel_order', params: place, inputs: { client_order_id: 'order.client_order_id' } },
    });
    expect(nodes['cancel']).toMatchObject({ state: 'completed', branch: 'cancelled' });
    expect(await booked()).toEqual(['CANCELED 0']);
  });

  it('is followed by a late fill, which the node and the desk hear of', async () => {
    const before = await held();
    await world.faults({ late_fill: { next: 1, ms: 1_500 } });
    const { nodes } = await world.run({ order: limit({ price: await far(), good_for: '1s' }) });
    expect(nodes['order']).toMatchObject({ branch: 'partly_filled', outputs: { filled_quantity: '0.005' } });
    expect(await booked()).toEqual(['CANCELED 0.005']);
    expect(await held()).not.toBe(before);
  });

  it('of all spares stop orders', async () => {
    const price = await far();
    const { nodes } = await world.run({
      rests: limit({ price, until: 'placed' }),
      stop: {
        type: 'stop_order',
        params: { ...place, side: 'sell', quantity: '0.01', stop_price: price, until: 'placed' },
      },
      all: { type: 'cancel_all', params: place, after: ['rests', 'stop'] },
    });
    expect(nodes['all']).toMatchObject({ state: 'completed', outputs: { cancelled: 1, spared: 1 } });
    expect((await booked()).sort()).toEqual(['CANCELED 0', 'NEW 0']);
    const stops = { type: 'cancel_all', params: { ...place, stops: true } };
    expect((await world.run({ stops })).nodes['stops']).toMatchObject({ outputs: { cancelled: 1 } });
  });

  async function held(): Promise<string | undefined> {
    const { scopes } = await world.deskStatus();
    return scopes.find(({ scope }) => scope === 'symbol:BTC/BUSD')?.held;
  }
});

describe('an order whose world goes to pieces is one order', () => {
  it('worker killed with -9 while it is in flight', async () => {
    await world.faults({ delay_after_ms: { next: 1, ms: 4_000 } });
    const id = await world.start({ order: market() });
    await until('the venue has it', async () => (await world.orders()).length === 1);
    await world.killWorker();
    await world.startWorker();
    expect((await world.ended(id)).nodes['order']).toMatchObject({ state: 'completed', branch: 'filled' });
    expect(await booked()).toEqual(['FILLED 0.01']);
    await until('the desk holds nothing open', async () => (await openPermits()) === 0);
  });

  it('execution terminated with it in flight, and run again', async () => {
    const id = await world.start({ order: limit({ price: await far() }), told: { ...market(), after: ['order'] } });
    await until('the venue has it', async () => (await world.orders()).length === 1);
    await world.temporal.workflow.getHandle(id).terminate('a test of what is not said');
    await until('it is closed', async () => (await world.client.describeExecution(id)).closing);
    await expect(world.client.rerunExecution(id)).rejects.toMatchObject({ code: 'OrderUnheard' });
    expect(await booked()).toEqual(['NEW 0']);
    const [resting] = await world.orders();
    const cancel = { type: 'cancel_order', params: { ...place, client_order_id: resting!.client_order_id } };
    expect((await world.run({ cancel })).nodes['cancel']).toMatchObject({ branch: 'cancelled' });
    const answer = await world.client.rerunExecution(id, { from: 'told' }).catch((error: unknown) => error);
    expect(answer).toMatchObject({ code: 'OrderUnheard', details: { nodes: ['order'] } });
    const { again } = await world.client.rerunExecution(id, { from: 'order', dry_run: true });
    expect(again).toEqual(['order', 'told']);
  });

  it('workflow reset to before it filled', async () => {
    const id = await world.start({ order: market() });
    await world.ended(id);
    const first = await world.temporal.workflow.getHandle(id).describe();
    const { events } = await world.temporal.workflow.getHandle(id).fetchHistory();
    const decided = events?.find(({ workflowTaskCompletedEventAttributes: completed }) => completed != null);
    await world.temporal.workflowService.resetWorkflowExecution({
      namespace: world.temporal.options.namespace,
      workflowExecution: { workflowId: id, runId: first.runId },
      reason: 'a test of resets',
      workflowTaskFinishEventId: decided!.eventId!,
      requestId: newExecution(),
    });
    await until('a new run has ended', async () => {
      const { runId, status } = await world.temporal.workflow.getHandle(id).describe();
      return runId !== first.runId && status.name === 'COMPLETED';
    });
    expect((await world.status(id)).nodes['order']).toMatchObject({ state: 'completed', branch: 'filled' });
    expect(await booked()).toEqual(['FILLED 0.01']);
  });
});

describe('an order of an execution that was reset before it went on in new runs', () => {
  it('is one order also where the desk does not know its permit any more', async () => {
    const id = await world.startInRuns({
      first: market(),
      second: { ...market(), after: ['first'] },
      third: { ...market(), after: ['second'] },
    });
    await world.ended(id);
    expect(await booked()).toEqual(['FILLED 0.01', 'FILLED 0.01', 'FILLED 0.01']);
    await world.forgetPermits();
    const last = await world.temporal.workflow.getHandle(id).describe();
    await resetToBeginning(world.temporal, id, await firstRunOf(id));
    await until('a new run has ended', async () => {
      const { runId, status } = await world.temporal.workflow.getHandle(id).describe();
      return runId !== last.runId && status.name === 'COMPLETED';
    });
    expect(await booked()).toEqual(['FILLED 0.01', 'FILLED 0.01', 'FILLED 0.01']);
  });

  async function firstRunOf(id: string): Promise<string> {
    const { events } = await world.temporal.workflow.getHandle(id).fetchHistory();
    const { continuedExecutionRunId, firstExecutionRunId } = events![0]!.workflowExecutionStartedEventAttributes!;
    expect(continuedExecutionRunId).not.toBe('');
    return firstExecutionRunId!;
  }
});

describe('an execution called as one that Temporal has forgotten', () => {
  it('orders anew, adopts nothing of what the other ordered, and both count', async () => {
    // A worker that has just begun hands the first node out twice, and its permits go by that number.
    await world.run({ order: market() });
    const before = await held();
    const id = await world.start({ order: market() });
    await world.ended(id);
    await world.startAgain(id, { order: market({ quantity: '0.02' }) });
    const { nodes } = await world.ended(id);
    expect(nodes['order']).toMatchObject({ branch: 'filled', outputs: { quantity: '0.02' } });
    expect(await booked()).toEqual(['FILLED 0.01', 'FILLED 0.01', 'FILLED 0.02']);
    const ids = (await world.orders()).map(({ client_order_id }) => client_order_id);
    expect(new Set(ids).size).toBe(3);
    await until('both are held', async () => (await held()).minus(before).eq('0.03'));
  });

  async function held() {
    const { positions } = await world.client.deskFigures(world.desk);
    const quantities = positions.filter(({ symbol }) => symbol === 'BTC/BUSD').map(({ quantity }) => decimal(quantity));
    return quantities.reduce((sum, each) => sum.plus(each), decimal('0'));
  }
});

describe('a halt', () => {
  it('stops a TWAP between two slices, and the resume goes on with what is left', async () => {
    const twap = { type: 'twap', params: { ...place, side: 'buy', total: '0.04', slices: 4, over: '6s' } };
    const id = await world.start({ order: twap });
    await until('a slice is sent', async () => (await world.orders()).length === 1);
    await world.halt();
    const halted_at = Date.now();
    await world.reaches(id, ({ state }) => state === 'halted');
    await until('the next slice would have been due', () => Date.now() > halted_at + 3_000);
    const resumed_at = Date.now();
    await world.resume();
    const { nodes } = await world.ended(id);
    expect(nodes['order']).toMatchObject({ state: 'completed', branch: 'filled' });
    const orders = await world.orders();
    expect(orders.filter(({ accepted_ms }) => accepted_ms > halted_at && accepted_ms < resumed_at)).toEqual([]);
    // A busy machine may keep a slice back, which the next ones make up for.
    expect(orders.length).toBeGreaterThan(1);
    expect([orders.length <= 4, sumOf(orders)]).toEqual([true, '0.04']);
  });

  it('during a pair whose second leg never arrived keeps the remedy back until the resume', async () => {
    await world.faults({ drop_before: { next: 1 } }, 'paper_bybit');
    const id = await world.start({
      order: {
        type: 'paired_order',
        params: {
          sell: place,
          buy: { venue: 'paper_bybit', symbol: 'BTC/USDT' },
          quote_amount: '200',
          on_half_done: 'hedge',
        },
      },
    });
    await until('one is sold', async () => (await world.orders()).length === 1);
    await world.halt();
    await world.reaches(id, ({ state, nodes }) => state === 'halted' && nodes['order']?.state !== 'running');
    expect(await world.orders('paper_bybit')).toEqual([]);
    await world.resume();
    const { nodes } = await world.ended(id);
    expect(nodes['order']).toMatchObject({ state: 'completed', branch: 'done', outputs: { exposed_quantity: '0' } });
    const [sold, bought] = [await world.orders(), await world.orders('paper_bybit')];
    expect([sold.length, bought.length, sumOf(bought)]).toEqual([1, 1, sumOf(sold)]);
  });
});
