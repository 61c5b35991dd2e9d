/** What is older than its `max_age` when a halted execution is resumed: read again, or refused to whoever would start with it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { defineNode, field, output } from '../../src/activities/define-node';
import { HoldfastError } from '../../src/errors';
import type { ExecutionSettings } from '../../src/workflows/messages';
import { LiveDesk } from '../support/live-desk';
import { Gate } from '../support/test-kinds';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

const AGE_MS = 300;
const readings = new Map<string, number>();
let bought: string[] = [];
let isRefusing = false;

/** Another value at every reading. */
const quoting = defineNode({
  type: 'test_quote',
  family: 'test',
  effect: 'read',
  description: 'Counts its readings in an execution.',
  fields: {},
  outputs: { price: output('decimal', 'Which reading it is.') },
  run: (_, { task: { execution_id } }) => {
    const reading = (readings.get(execution_id) ?? 0) + 1;
    readings.set(execution_id, reading);
    return { outputs: { price: String(reading) } };
  },
});

const buying = defineNode({
  type: 'test_buy',
  family: 'test',
  effect: 'trade',
  description: 'Asks for the permit of an order, and notes it.',
  fields: { price: field.decimal('What it is bought at.') },
  outputs: { price: output('decimal', 'As given.') },
  run: async ({ price }, { trade }) => {
    if (isRefusing) throw new HoldfastError('InvalidInput', 'not today');
    const market = { account: 'main', venue: 'paper', symbol: 'BTC/USDT' };
    const permit = await trade.request({ ...market, side: 'buy', quantity: '1', price, currency: 'USDT' });
    permit.settle('unused');
    bought.push(price);
    return { outputs: { price } };
  },
});

let worker: TestWorker;
const gate = new Gate();
beforeAll(async () => {
  worker = await startTestWorker([quoting, buying, gate.kind], { trades: true });
  // A gate is closed until it has read the desk, and what it keeps back is judged as well.
  expect((await worker.ended(await worker.start({ buy: at('1') }))).state).toBe('completed');
});
beforeEach(() => {
  bought = [];
  isRefusing = false;
});
afterAll(() => worker.stop());

const quote = { type: 'test_quote', max_age: `${AGE_MS}ms` };
const gated = (name: string, rest: object = {}) => ({ type: 'test_gated', params: { gate: name }, ...rest });
const buy = (price: string, rest: object = {}) => ({ type: 'test_buy', inputs: { price }, ...rest });
const at = (price: string, rest: object = {}) => ({ type: 'test_buy', params: { price }, ...rest });

async function start(nodes: Record<string, unknown>, settings: ExecutionSettings = {}): Promise<string> {
  return (await worker.client.startExecution({ ...worker.prepare(nodes), settings })).execution_id;
}

/** Halts it once these have completed and the body at the gate runs, lets that end, and resumes when all of it is too old. */
async function haltFor(id: string, name: string, ...completed: readonly string[]): Promise<void> {
  await until('the body runs', () => gate.isRunning(name));
  await worker.reaches(id, ({ nodes }) => completed.every((key) => nodes[key]?.state === 'completed'));
  await worker.client.haltExecution(id, 'look');
  await worker.reaches(id, ({ state }) => state === 'halted');
  gate.open(name);
  await worker.reaches(id, ({ nodes }) => nodes['held']?.state === 'completed');
  await tooOld();
  await worker.client.resumeExecution(id, 'looked');
}

async function tooOld(): Promise<void> {
  const since = Date.now();
  await until('it is too old', () => Date.now() > since + AGE_MS);
}

describe('a reading that is too old at a resume', () => {
  it.each<[string, ExecutionSettings]>([
    ['', {}],
    [', also in later runs', { tasks_per_run: 5, drain_ms: 100 }],
  ])(
    'is read again%s, with what was computed from it, and the order goes out with the new one',
    async (_, settings) => {
      const name = randomUUID();
      const id = await start(
        {
          quote,
          sum: { type: 'math', params: { op: 'add', b: '10' }, inputs: { a: 'quote.price' } },
          dear: { type: 'threshold', params: { min: '12' }, inputs: { value: 'sum.value' } },
          held: gated(name),
          buy: buy('sum.value', { after: ['held', 'dear.pass'] }),
          cheap: at('1', { after: ['held', 'dear.fail'] }),
        },
        settings,
      );
      const { runId } = await worker.temporal.workflow.getHandle(id).describe();
      await haltFor(id, name, 'quote', 'sum', 'dear');
      const { state, nodes } = await worker.ended(id);
      expect(state).toBe('completed');
      expect(nodes['quote']).toMatchObject({ generation: 1, dispatch: 1, outputs: { price: '2' } });
      expect(nodes['sum']).toMatchObject({ generation: 1, outputs: { value: '12' } });
      // The first reading had not been dear: what was skipped for it runs, and what it had let run does not.
      expect(nodes['dear']).toMatchObject({ generation: 1, branch: 'pass' });
      expect(nodes['cheap']?.state).toBe('skipped');
      expect(nodes['held']).toMatchObject({ generation: 0 });
      expect(bought).toEqual(['12']);
      const isSameRun = (await worker.temporal.workflow.getHandle(id).describe()).runId === runId;
      expect(isSameRun).toBe(settings.tasks_per_run === undefined);
      const ids = worker.eventsOf(id).map(({ event_id }) => event_id);
      expect(ids.filter((each) => each.includes('quote'))).toHaveLength(4);
      expect(new Set(ids).size).toBe(ids.length);
    },
  );

  it('fails an order with StaleInput where it cannot be, and who is there for that acts', async () => {
    const name = randomUUID();
    const id = await start({
      quote,
      dear: { type: 'threshold', params: { min: '1' }, inputs: { value: 'quote.price' } },
      tell: { type: 'notify', after: ['dear.pass'], params: { message: 'at {{quote.price}}' } },
      held: gated(name),
      buy: at('1', { after: ['held', 'tell'] }),
      missed: { type: 'constant', params: { value: 'missed' }, after: ['buy.error'] },
    });
    await haltFor(id, name, 'tell');
    const { state, nodes } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(nodes['buy']).toMatchObject({ state: 'failed', error_type: 'StaleInput', generation: 0, dispatch: 1 });
    expect(nodes['buy']?.error).toBe('too old after a halt, by a `max_age`, and not to be read again: tell');
    expect(nodes['missed']?.state).toBe('completed');
    expect(bought).toEqual([]);
    const told = worker.eventsOf(id).filter(({ node_id }) => node_id === 'buy');
    expect(told).toMatchObject([{ type: 'node_failed', error_type: 'StaleInput' }]);
  });

  it('is left alone while it is young, and without a halt', async () => {
    const name = randomUUID();
    const id = await start({
      quote: { ...quote, max_age: '1h' },
      held: gated(name),
      buy: buy('quote.price', { after: ['held'] }),
    });
    await haltFor(id, name, 'quote');
    expect(await worker.ended(id)).toMatchObject({ state: 'completed', nodes: { quote: { generation: 0 } } });
    const other = randomUUID();
    const unhalted = await start({ quote, held: gated(other), buy: buy('quote.price', { after: ['held'] }) });
    await worker.reaches(unhalted, ({ nodes }) => nodes['quote']?.state === 'completed');
    await tooOld();
    gate.open(other);
    expect(await worker.ended(unhalted)).toMatchObject({ state: 'completed', nodes: { quote: { generation: 0 } } });
    expect(bought).toEqual(['1', '1']);
  });

  it('asks a person again who was asked for it', async () => {
    const id = await start({
      quote,
      ask: { type: 'approval', params: { message: 'at {{quote.price}}?' } },
      buy: buy('quote.price', { after: ['ask.approved'] }),
    });
    await worker.reaches(id, ({ nodes }) => nodes['ask']?.state === 'waiting');
    await worker.client.haltExecution(id, 'look');
    await worker.reaches(id, ({ state }) => state === 'halted');
    await tooOld();
    await worker.client.resumeExecution(id, 'looked');
    const { nodes } = await worker.reaches(
      id,
      (status) => status.nodes['ask']?.generation === 1 && status.nodes['ask'].state === 'waiting',
    );
    expect(nodes['ask']?.waits_for?.message).toBe('at 2?');
    await worker.client.approveNode(id, { node: 'ask', decision: 'approve', actor: 'ann' });
    expect((await worker.ended(id)).state).toBe('completed');
    expect(bought).toEqual(['2']);
  });

  it('is refused in a child that was started with it', async () => {
    const name = randomUUID();
    const id = await start({
      quote,
      child: {
        type: 'subgraph',
        inputs: { price: 'quote.price' },
        body: { nodes: { held: gated(name), buy: buy('input.price', { after: ['held'] }) } },
        on_error: 'continue',
      },
    });
    const child = `${id}.child`;
    await until('the body runs', () => gate.isRunning(name));
    await worker.client.haltExecution(id, 'look');
    await worker.reaches(child, ({ state }) => state === 'halted');
    gate.open(name);
    await tooOld();
    await worker.client.resumeExecution(id, 'looked');
    expect((await worker.ended(child)).nodes['buy']).toMatchObject({ state: 'failed', error_type: 'StaleInput' });
    expect((await worker.ended(id)).nodes['child']).toMatchObject({ state: 'failed', error_type: 'NodeFailed' });
    expect(bought).toEqual([]);
  });

  it('is read again for an order that its symbol’s halt kept back, though the execution was never halted', async () => {
    const desk = await LiveDesk.begin(worker);
    await desk.raise('halt', 'symbol:BTC/USDT');
    const id = await worker.start({ quote, buy: buy('quote.price') }, { desk: desk.id });
    await worker.reaches(id, ({ nodes }) => (nodes['quote']?.generation ?? 0) >= 1);
    expect(bought).toEqual([]);
    await desk.resume('symbol:BTC/USDT');
    const { state, nodes } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(bought).toEqual([String(readings.get(id))]);
    expect(nodes['buy']?.generation).toBe(nodes['quote']?.generation);
    expect(worker.eventsOf(id).filter(({ type }) => type === 'execution_halted')).toEqual([]);
  });

  it('fails an order that its symbol’s halt kept back where it cannot be read again', async () => {
    const desk = await LiveDesk.begin(worker);
    await desk.raise('halt', 'symbol:BTC/USDT');
    const ask = { type: 'approval', params: { message: 'at {{quote.price}}?' } };
    const id = await worker.start({ quote, ask, buy: at('1', { after: ['ask.approved'] }) }, { desk: desk.id });
    await worker.reaches(id, (status) => status.nodes['ask']?.state === 'waiting');
    await worker.client.approveNode(id, { node: 'ask', decision: 'approve', actor: 'ann' });
    const { nodes: ended } = await worker.ended(id);
    expect(ended['buy']).toMatchObject({ state: 'failed', error_type: 'StaleInput' });
    expect(bought).toEqual([]);
  });

  it('is read again by a retry once nothing at work keeps it', async () => {
    const [reading, name] = [randomUUID(), randomUUID()];
    const id = await start({
      quote,
      reader: gated(reading, { after: ['quote'] }),
      held: gated(name),
      buy: buy('quote.price', { after: ['held'], on_error: 'continue' }),
      nap: { type: 'wait', params: { for: '1h' } },
    });
    await until('what reads it runs', () => gate.isRunning(reading));
    await haltFor(id, name, 'quote');
    const refused = await worker.reaches(id, ({ nodes }) => nodes['buy']?.state === 'failed');
    expect(refused.nodes['buy']).toMatchObject({ error_type: 'StaleInput', generation: 0 });
    gate.open(reading);
    await worker.reaches(id, ({ nodes }) => nodes['reader']?.state === 'completed');
    await worker.client.retryNode(id, { node: 'buy', actor: 'ann' });
    const { nodes } = await worker.reaches(id, (status) => status.nodes['buy']?.state === 'completed');
    expect(nodes['quote']).toMatchObject({ generation: 1, outputs: { price: '2' } });
    expect(bought).toEqual(['2']);
    await worker.client.cancelExecution(id);
    expect((await worker.ended(id)).state).toBe('cancelled');
  });

  it('is read again when its execution is run again', async () => {
    isRefusing = true;
    const id = await start({ quote, buy: buy('quote.price') });
    expect((await worker.ended(id)).state).toBe('failed');
    await tooOld();
    isRefusing = false;
    const again = await worker.client.rerunExecution(id, {});
    expect(again).toMatchObject({ adopted: ['quote'], again: ['buy'] });
    const { state, nodes } = await worker.ended(again.execution_id);
    expect([state, nodes['quote']?.generation]).toEqual(['completed', 1]);
    expect(bought).toEqual(['1']);
  });
});
