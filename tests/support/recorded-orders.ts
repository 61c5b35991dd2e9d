/** Executions that order, and the desks and cancels that go with them: their histories are recorded and replayed. */
import { createKinds } from '../../src/activities/kinds';
import type { Venue } from '../../src/venues/venue';
import { cancelsWorkflowId } from '../../src/workflows/desk-messages';
import type { Journal } from '../../src/journal/journal';
import { LiveDesk } from './live-desk';
import type { RecordedRun } from './recorded-shapes';
import { ScriptedVenue } from './scripted-venue';
import { startTestWorker, type TestWorker } from './test-worker';
import { answered, until } from './until';

const SYMBOL = 'BTC/USDT';
const PLACE = { venue: 'paper', symbol: SYMBOL };
const constant = (after: string[]) => ({ type: 'constant', params: { value: '1' }, after });

/** A worker that trades at two venues in memory. */
export class OrderShapes {
  readonly worker: TestWorker;
  readonly paper: ScriptedVenue;
  readonly other: ScriptedVenue;

  private constructor(worker: TestWorker, paper: ScriptedVenue, other: ScriptedVenue) {
    this.worker = worker;
    this.paper = paper;
    this.other = other;
  }

  static async open(journal: Journal): Promise<OrderShapes> {
    const [paper, other] = [new ScriptedVenue(), new ScriptedVenue()];
    const venues = new Map([venueOf('paper', paper), venueOf('other', other)]);
    const kinds = [...createKinds({ venues }).values()];
    return new OrderShapes(await startTestWorker(kinds, { desk: { journal }, venues, trades: true }), paper, other);
  }

  /** Its status once it is closed. */
  async finished(id: string): Promise<RecordedRun> {
    const { state, error } = await this.worker.ended(id);
    if (state !== 'completed') throw new Error(`${state}: ${error ?? 'no error'}`);
    return { workflow_id: id };
  }

  /** A node may wait before it has sent anything, too: for its gate, or for the desk. */
  async rests(id: string, node: string, account: ScriptedVenue): Promise<void> {
    await until('its order rests', () => account.accepted.some(({ status }) => status === 'open'));
    await this.worker.reaches(id, ({ nodes }) => nodes[node]?.state === 'waiting');
  }
}

function venueOf(profile: string, trading: ScriptedVenue): [string, Venue] {
  const quote = { last: '100', bid: '99.99', ask: '100.01' };
  const venue: Venue = {
    ...{ profile, mode: 'paper', now: Date.now, trading },
    candles: () => Promise.resolve([]),
    ticker: (symbol) => Promise.resolve({ symbol, ...quote, time_ms: Date.now() }),
  };
  return [profile, venue];
}

/** What rests there has filled. */
function fills(account: ScriptedVenue): void {
  const { client_order_id, quantity } = account.accepted.find(({ status }) => status === 'open')!;
  const filled = { filled_quantity: quantity, filled_notional: '100', updated_ms: Date.now() };
  account.change(client_order_id, { status: 'filled', ...filled });
}

type Shape = (shapes: OrderShapes) => Promise<RecordedRun>;

export const recordedOrders: Readonly<Record<string, Shape>> = {
  'order-followed': async (shapes) => {
    const { worker, paper } = shapes;
    paper.fates.push('rests');
    const terms = { side: 'buy', quantity: '1', price: '100' };
    const id = await worker.start({
      rest: { type: 'limit_order', params: { ...PLACE, ...terms } },
      after: constant(['rest']),
    });
    await shapes.rests(id, 'rest', paper);
    await worker.client.haltExecution(id, 'look');
    await worker.reaches(id, ({ state }) => state === 'halted');
    await worker.client.resumeExecution(id, 'looked');
    fills(paper);
    return shapes.finished(id);
  },
  'order-paired': async (shapes) => {
    const { worker, other } = shapes;
    other.fates.push('rests');
    const params = { sell: PLACE, buy: { venue: 'other', symbol: SYMBOL }, quote_amount: '100' };
    const id = await worker.start({ pair: { type: 'paired_order', params }, after: constant(['pair.done']) });
    await shapes.rests(id, 'pair', other);
    fills(other);
    return shapes.finished(id);
  },
  'order-sliced': async (shapes) => {
    const params = { ...PLACE, side: 'buy', total: '0.3', slices: 3, over: '2s' };
    return shapes.finished(
      await shapes.worker.start({ slices: { type: 'twap', params }, after: constant(['slices']) }),
    );
  },
  'cancel-open-orders': async ({ worker, paper }) => {
    const desk = await LiveDesk.begin(worker);
    await desk.order('p-mine', { client_order_id: 'mine' });
    paper.rests({ client_order_id: 'mine' });
    paper.rests({ client_order_id: 'stop', type: 'stop', side: 'sell' });
    await desk.settle({ permit_id: 'p-mine', outcome: 'acknowledged' });
    paper.refusals = 1;
    const { epoch } = await desk.raise('halt', 'global', { cancel_open: true });
    await until(
      'the venue has said it all',
      async () => (await answered(() => desk.client.cancelReport(epoch, desk.id)))?.is_done,
    );
    paper.change('stop', { status: 'cancelled' });
    return { workflow_id: cancelsWorkflowId(desk.id, epoch) };
  },
  'desk-orders': async ({ worker }) => {
    const desk = await LiveDesk.begin(worker);
    const told = (type: string) =>
      until(`${type} is told`, () => worker.events.some((event) => event.stream === desk.id && event.type === type));
    const ours = { execution_id: desk.id };
    await desk.order('one', { client_order_id: 'c-one', ...ours });
    await desk.settle({ permit_id: 'one', outcome: 'acknowledged' });
    await told('order_submitted');
    await desk.fill({ order_id: 'c-one', permit_id: 'one', filled_quantity: '0.5', filled_notional: '50' });
    await told('order_partially_filled');
    await desk.settle({ permit_id: 'one', outcome: 'closed', filled_quantity: '0.5' });
    await told('order_cancelled');
    await desk.order('two', { client_order_id: 'c-two', ...ours });
    await desk.settle({ permit_id: 'two', outcome: 'unknown' });
    await told('order_unknown');
    await desk.settle({ permit_id: 'two', outcome: 'rejected' });
    await told('order_rejected');
    return { workflow_id: `desk/${desk.id}` };
  },
};
