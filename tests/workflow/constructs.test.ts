/** Every construct of the language on a real server. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { everyConstruct, everyEffect } from '../support/every-construct';
import { Receiver } from '../support/receiver';
import { counted, Gate, refusing, RunCounter, slow } from '../support/test-kinds';
import { startTestWorker, type TestWorker } from '../support/test-worker';

let worker: TestWorker;
let receiver: Receiver;
const gate = new Gate();
const counter = new RunCounter();

beforeAll(async () => {
  receiver = await Receiver.listen();
  worker = await startTestWorker([counted, refusing, gate.kind, slow(counter)]);
});
afterAll(async () => {
  await worker.stop();
  await receiver.close();
});

const constant = (value: unknown, rest: object = {}) => ({ type: 'constant', params: { value }, ...rest });
const typesOf = (id: string, key: string) =>
  worker
    .eventsOf(id)
    .filter(
      (event) => 'node_id' in event && `${event.frame === undefined ? '' : `${event.frame}/`}${event.node_id}` === key,
    )
    .map(({ type }) => type);

describe('a graph with every construct', () => {
  it('runs each effect once, waits for message and approval, and gives what it declares', async () => {
    const { nodes, extra } = everyConstruct(receiver.url);
    const id = await worker.start(nodes, extra);
    await worker.client.deliverMessage(id, { name: 'go', payload: { price: '42' } });
    await worker.reaches(id, (status) => status.nodes['decide']?.state === 'waiting');
    await worker.client.approveNode(id, { node: 'decide', decision: 'approve', actor: 'ann' });
    const status = await worker.ended(id, 40_000);
    expect(status).toMatchObject({ state: 'completed' });
    expect(status.outputs).toEqual({
      results: ['BTC', 'ETH', 'SOL'].map((symbol, index) => ({ symbol, index })),
      iterations: 3,
      total: 3,
      child: '6',
    });
    const keys = receiver.of(id).map(({ frame, node_id }) => (frame === '' ? node_id : `${frame}/${node_id}`));
    expect(keys.sort()).toEqual([...everyEffect].sort());
    expect(receiver.of(`${id}.other`).map(({ node_id }) => node_id)).toEqual(['inner']);
    const skipped = Object.entries(status.nodes).filter(([, { state }]) => state === 'skipped');
    expect(skipped.map(([key]) => key).sort()).toEqual(['four', 'guarded', 'low', 'rejected']);
    expect(typesOf(id, 'each')).toEqual(['node_started', 'node_completed']);
    expect(typesOf(id, 'each[1]/nap')).toEqual(['node_started', 'node_waiting', 'node_completed']);
    expect(typesOf(id, 'decide')).toEqual([
      'node_started',
      'node_waiting',
      'approval_requested',
      'approval_given',
      'node_completed',
    ]);
  });
});

describe('a map', () => {
  const each = (rest: object, body: object) => ({ type: 'map', ...rest, body });

  it('keeps the order of its items, runs no more at once than it may, and lists what failed', async () => {
    const id = await worker.start({
      each: each(
        { params: { items: ['1', '0', '4'], concurrency: 2, on_item_error: 'continue' } },
        {
          nodes: { share: { type: 'math', params: { op: 'divide', a: '8' }, inputs: { b: 'item.value' } } },
          outputs: { share: 'share.value' },
        },
      ),
    });
    const { nodes, state } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(nodes['each']?.outputs).toMatchObject({
      results: [{ share: '8' }, null, { share: '2' }],
      errors: [{ index: 1, error_type: 'InvalidInput' }],
      count: 3,
    });
  });

  it('fails with its first item that fails; what runs is awaited, the rest never starts', async () => {
    const id = await worker.start({
      each: each(
        { params: { items: [0, 1, 2, 3], concurrency: 2 } },
        {
          nodes: {
            fails: { type: 'test_refusing', when: 'item.value == 0', params: { code: 'InvalidInput' } },
            runs: { type: 'test_slow', params: { ms: 400 }, inputs: { value: 'item.value' } },
          },
        },
      ),
      after: constant(1, { after: ['each'] }),
    });
    const { nodes, state, error } = await worker.ended(id);
    expect(state).toBe('failed');
    expect(error).toContain('each[0]/fails');
    expect(nodes['each[0]/runs']?.state).toBe('completed');
    expect(Object.keys(nodes)).not.toContain('each[2]/runs');
    expect(nodes['after']?.state).toBe('skipped');
  });

  it('of nothing completes at once', async () => {
    const id = await worker.start({ each: each({ params: { items: [] } }, { nodes: { a: constant(1) } }) });
    expect((await worker.ended(id)).nodes['each']?.outputs).toEqual({ results: [], errors: [], count: 0 });
  });
});

describe('a wait', () => {
  it('for a message takes those that came before it, in order, one each', async () => {
    const wait = (after: string[]) => ({ type: 'wait_for_signal', params: { name: 'tick' }, after });
    const id = await worker.start({ first: wait([]), second: wait(['first']) });
    await worker.client.deliverMessage(id, { name: 'other', payload: 0 });
    await worker.client.deliverMessage(id, { name: 'tick', payload: 1 });
    await worker.client.deliverMessage(id, { name: 'tick', payload: 2 });
    const { nodes } = await worker.ended(id);
    expect([nodes['first']?.outputs, nodes['second']?.outputs]).toEqual([{ payload: 1 }, { payload: 2 }]);
  });

  it('that nobody ends takes the way its author declared', async () => {
    const id = await worker.start({
      quiet: { type: 'wait_for_signal', params: { name: 'never', deadline: '50ms', on_timeout: 'continue' } },
      after_timeout: constant(1, { after: ['quiet.timed_out'] }),
      fails: { type: 'wait_for_signal', params: { name: 'never', deadline: '50ms' }, on_error: 'continue' },
      decide: { type: 'approval', params: { deadline: '50ms' } },
      rejected: constant(1, { after: ['decide.rejected'] }),
      until: { type: 'wait', params: { until: '2020-01-01T00:00:00Z' } },
    });
    const { nodes, state } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(nodes['after_timeout']?.state).toBe('completed');
    expect(nodes['fails']).toMatchObject({ state: 'failed', error_type: 'TimeoutError' });
    expect(nodes['rejected']?.state).toBe('completed');
    expect(nodes['until']?.state).toBe('completed');
  });

  it('is taken back when the execution fails or is cancelled', async () => {
    const waits = { nap: { type: 'wait', params: { for: '1h' } }, ask: { type: 'approval' } };
    const failing = await worker.start({
      ...waits,
      breaks: { type: 'test_refusing', params: { code: 'InvalidInput' } },
    });
    const failed = await worker.ended(failing);
    expect(failed.state).toBe('failed');
    expect([failed.nodes['nap']?.state, failed.nodes['ask']?.state]).toEqual(['skipped', 'skipped']);
    const cancelled = await worker.start(waits);
    await worker.reaches(cancelled, ({ state }) => state === 'waiting');
    await worker.client.cancelExecution(cancelled);
    expect((await worker.ended(cancelled)).state).toBe('cancelled');
  });
});

describe('an approval', () => {
  it('is given by whom the graph names, once, and by nobody else', async () => {
    const id = await worker.start({
      decide: { type: 'approval', params: { approvers: ['ann', 'risk'] } },
      no: constant(1, { after: ['decide.rejected'] }),
    });
    await worker.reaches(id, ({ state }) => state === 'waiting');
    const decide = (actor: string, roles: string[] = []) =>
      worker.client.approveNode(id, { node: 'decide', decision: 'reject', actor, roles, comment: 'too wide' });
    await expect(decide('bob')).rejects.toMatchObject({ code: 'Forbidden' });
    await expect(
      worker.client.approveNode(id, { node: 'nobody', decision: 'approve', actor: 'ann' }),
    ).rejects.toMatchObject({
      code: 'NodeNotFound',
    });
    const wordless = { toString: null } as unknown as string;
    await expect(
      worker.client.approveNode(id, { node: 'decide', decision: 'reject', actor: 'ann', comment: wordless }),
    ).rejects.toMatchObject({ code: 'BadRequest' });
    await decide('bob', ['risk']);
    const { nodes, state } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(nodes['decide']).toMatchObject({
      branch: 'rejected',
      outputs: { decision: 'rejected', actor: 'bob', comment: 'too wide' },
    });
    await expect(decide('ann')).rejects.toMatchObject({ code: 'ExecutionClosed' });
  });
});

describe('a subgraph', () => {
  const body = {
    nodes: {
      inner: { type: 'test_gated', params: { gate: 'inner' } },
      nap: { type: 'wait', after: ['inner'], params: { for: '1h' } },
    },
    outputs: { passed: 'inner.passed' },
  };

  it('is halted, resumed and cancelled with its parent', async () => {
    const id = await worker.start({ other: { type: 'subgraph', body }, after: constant(1, { after: ['other'] }) });
    const child = `${id}.other`;
    await worker.reaches(id, ({ nodes }) => nodes['other']?.state === 'waiting');
    await worker.reaches(child, ({ nodes }) => nodes['inner']?.state === 'running');
    await worker.client.haltExecution(id, 'look');
    await worker.reaches(child, ({ state }) => state === 'halted');
    await worker.client.resumeExecution(id, 'looked');
    await worker.reaches(child, ({ state }) => state === 'running');
    await worker.client.cancelExecution(id);
    gate.open('inner');
    expect((await worker.ended(id)).state).toBe('cancelled');
    expect((await worker.ended(child)).state).toBe('cancelled');
  });

  it('of a deployed graph gets its inputs, checked, and gives its outputs', async () => {
    const other = worker.prepare(
      { sum: { type: 'math', params: { op: 'add', b: '1' }, inputs: { a: 'input.start' } } },
      { id: 'deployed-sum', inputs: { start: { type: 'decimal' } }, outputs: { sum: 'sum.value' } },
    );
    await worker.client.deploy(other);
    const call = (inputs: object) => ({ type: 'subgraph', params: { workflow: 'deployed-sum', ...inputs } });
    const id = await worker.start({
      good: call({ start: '41' }),
      bad: { ...call({ start: true }), on_error: 'continue' },
      none: { type: 'subgraph', params: { workflow: 'nobody' }, on_error: 'continue' },
    });
    const { nodes, state } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(nodes['good']?.outputs).toMatchObject({ sum: '42', execution_id: `${id}.good` });
    expect(nodes['bad']).toMatchObject({ state: 'failed', error_type: 'InputsInvalid' });
    expect(nodes['none']).toMatchObject({ state: 'failed', error_type: 'WorkflowNotFound' });
    await worker.client.undeploy('deployed-sum');
  });
});

describe('a total timeout', () => {
  it('bounds all attempts and the waits between them', async () => {
    const id = await worker.start({
      slow: {
        type: 'test_refusing',
        params: { code: 'ConnectionError' },
        total_timeout: '400ms',
        timeout: '200ms',
        retry: { max_attempts: 100, initial: '150ms', backoff: 1 },
      },
    });
    const { nodes, state } = await worker.ended(id);
    expect(state).toBe('failed');
    expect(nodes['slow']?.state).toBe('failed');
    expect(nodes['slow']?.attempt).toBeLessThan(6);
  });
});

describe('a loop that ends with the frame around it', () => {
  it('is told with what it gave', async () => {
    const id = await worker.start({
      each: {
        type: 'map',
        params: { items: ['a'] },
        body: {
          nodes: {
            again: {
              type: 'repeat',
              params: { max_iterations: 2 },
              body: { nodes: { one: constant(1) }, outputs: { v: 'one.value' } },
            },
          },
        },
      },
    });
    await worker.ended(id);
    const told = worker.eventsOf(id).find((event) => event.type === 'node_completed' && event.node_id === 'again');
    expect(told).toMatchObject({ frame: 'each[0]', outputs: { iterations: 2, exhausted: false, last: { v: 1 } } });
  });
});
