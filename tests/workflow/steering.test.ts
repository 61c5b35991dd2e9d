/** What people do to single nodes, and running an execution again. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Gate, refusing } from '../support/test-kinds';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

let worker: TestWorker;
const gate = new Gate();
beforeAll(async () => {
  worker = await startTestWorker([gate.kind, refusing]);
});
afterAll(() => worker.stop());

const constant = (value: unknown, rest: object = {}) => ({ type: 'constant', params: { value }, ...rest });
const gated = (name: string, rest: object = {}) => ({
  type: 'test_gated',
  params: { gate: name },
  retry: { max_attempts: 1 },
  ...rest,
});
const ann = { actor: 'ann' };

describe('a node begun anew', () => {
  it('runs in a new generation; what its failure had ended goes on, what completed keeps what it gave', async () => {
    const id = await worker.start({
      first: gated('first'),
      second: constant(1, { after: ['first'] }),
      elsewhere: constant(2, { after: ['runs'] }),
      runs: gated('runs'),
    });
    await until('both run', () => gate.isRunning('first') && gate.isRunning('runs'));
    gate.fail('first', new Error('broken'));
    await worker.reaches(id, ({ nodes }) => nodes['elsewhere']?.state === 'skipped');
    await worker.client.retryNode(id, { node: 'first', ...ann });
    await until('it runs again', () => gate.isRunning('first'));
    gate.open('first');
    gate.open('runs');
    const { state, nodes } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(nodes['first']).toMatchObject({ state: 'completed', generation: 1 });
    expect(nodes['second']).toMatchObject({ state: 'completed', generation: 1 });
    expect(nodes['elsewhere']).toMatchObject({ state: 'completed' });
    expect(nodes['runs']).toMatchObject({ generation: 0 });
    const unique = new Map(worker.eventsOf(id).map((event) => [event.event_id, event]));
    const told = [...unique.values()].filter((event) => 'node_id' in event && event.node_id === 'first');
    expect(told.map((event) => ('generation' in event ? [event.generation, event.type] : []))).toEqual([
      [0, 'node_started'],
      [0, 'node_failed'],
      [1, 'node_started'],
      [1, 'node_completed'],
    ]);
  });

  it('need not wait any longer, and may be passed over; one that runs or completed may not be touched', async () => {
    const id = await worker.start({
      nap: { type: 'wait', params: { for: '1h' } },
      after: constant(1, { after: ['nap.finished'] }),
      ask: { type: 'approval' },
      done: constant(1),
      runs: gated('busy'),
    });
    await worker.reaches(id, ({ nodes }) => nodes['ask']?.state === 'waiting' && nodes['done']?.state === 'completed');
    await until('it runs', () => gate.isRunning('busy'));
    const refused = { code: 'NodeNotRetryable' };
    await expect(worker.client.retryNode(id, { node: 'done', ...ann })).rejects.toMatchObject(refused);
    await expect(worker.client.skipNode(id, { node: 'runs', ...ann })).rejects.toMatchObject(refused);
    await expect(worker.client.skipNode(id, { node: 'x', ...ann })).rejects.toMatchObject({ code: 'NodeNotFound' });
    const again = await worker.client.retryNode(id, { node: 'nap', ...ann });
    expect(again).toMatchObject({ state: 'waiting', generation: 1 });
    await worker.client.skipNode(id, { node: 'nap', ...ann, reason: 'long enough' });
    await worker.client.skipNode(id, { node: 'ask', ...ann });
    gate.open('busy');
    const { state, nodes } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(nodes['nap']).toMatchObject({ state: 'skipped', reason: 'skipped by ann: long enough' });
  });

  it('must belong to a frame that is open', async () => {
    const id = await worker.start({
      each: {
        type: 'map',
        params: { items: ['x', 'y'], concurrency: 2 },
        body: { nodes: { call: gated('{{item.value}}') }, outputs: { got: 'call.passed' } },
      },
    });
    await until('both run', () => gate.isRunning('x') && gate.isRunning('y'));
    gate.fail('x', new Error('broken'));
    await worker.reaches(id, ({ nodes }) => nodes['each[0]/call']?.state === 'failed');
    await expect(worker.client.retryNode(id, { node: 'each[0]/call', ...ann })).rejects.toMatchObject({
      code: 'NodeNotRetryable',
    });
    gate.open('y');
    expect((await worker.ended(id)).state).toBe('failed');
  });
});

describe('an execution run again', () => {
  const graph = {
    price: gated('price'),
    half: { type: 'math', params: { op: 'divide', a: '10', b: '2' } },
    breaks: gated('breaks', { after: ['price'] }),
    sum: { type: 'math', params: { op: 'add', b: '1' }, inputs: { a: 'half.value' }, after: ['breaks'] },
    beside: constant(3, { after: ['half'] }),
  };

  it('from what failed takes over the rest, under an id of its own', async () => {
    const id = await worker.start(graph, { outputs: { sum: 'sum.value' } });
    await until('it runs', () => gate.isRunning('price'));
    await expect(worker.client.rerunExecution(id)).rejects.toMatchObject({ code: 'ExecutionOpen' });
    gate.open('price');
    await until('it runs', () => gate.isRunning('breaks'));
    gate.fail('breaks', new Error('broken'));
    await worker.ended(id);
    await expect(worker.client.rerunExecution(id, { from: 'nobody' })).rejects.toMatchObject({ code: 'NodeNotFound' });
    const planned = await worker.client.rerunExecution(id, { dry_run: true });
    expect(planned).toMatchObject({ adopted: ['price', 'half', 'beside'], again: ['breaks', 'sum'], dropped: [] });
    const again = await worker.client.rerunExecution(id);
    expect(again.execution_id).not.toBe(id);
    await until('it runs again', () => gate.isRunning('breaks'));
    expect(gate.isRunning('price')).toBe(false);
    gate.open('breaks');
    const status = await worker.ended(again.execution_id);
    expect(status).toMatchObject({ state: 'completed', outputs: { sum: '6' } });
    expect(status.nodes['price']).toMatchObject({ state: 'completed', outputs: { passed: 'price' } });
    await expect(worker.client.rerunExecution(again.execution_id)).rejects.toMatchObject({ code: 'BadRequest' });
    const third = await worker.client.rerunExecution(again.execution_id, { from: 'half' });
    expect(third.again).toEqual(['half', 'sum', 'beside']);
    expect((await worker.ended(third.execution_id)).state).toBe('completed');
  });
});

describe('what runs at a halt', () => {
  it('runs once per halt, while nothing else starts, and its failure fails nothing', async () => {
    const id = await worker.start(
      { runs: gated('work'), next: constant(1, { after: ['runs'] }) },
      {
        on_halt: {
          nodes: {
            tell: { type: 'notify', params: { message: 'halted' } },
            breaks: { type: 'test_refusing', params: { code: 'InvalidInput' } },
          },
        },
      },
    );
    await until('it runs', () => gate.isRunning('work'));
    await worker.client.haltExecution(id, 'look');
    gate.open('work');
    await worker.reaches(id, ({ nodes }) => nodes[':on_halt[1]/tell']?.state === 'completed');
    const halted = await worker.reaches(id, ({ nodes }) => nodes['runs']?.state === 'completed');
    expect(halted.nodes['next']?.state).toBe('pending');
    await worker.client.resumeExecution(id, 'go');
    const { state, nodes } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(Object.keys(nodes).filter((key) => key.endsWith('/tell'))).toEqual([':on_halt[1]/tell']);
  });
});
