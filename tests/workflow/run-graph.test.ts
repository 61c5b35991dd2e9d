import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { RunCounter, failing, slow } from '../support/test-kinds';

describe('an execution', () => {
  const counter = new RunCounter();
  let worker: TestWorker;

  beforeAll(async () => {
    worker = await startTestWorker([failing(counter), slow(counter)]);
  });
  afterAll(() => worker.stop());

  it('runs pure nodes in the order of their edges and keeps their outputs', async () => {
    const id = await worker.start({
      a: { type: 'constant', params: { value: '20' } },
      b: { type: 'math', params: { op: 'add', b: '22' }, inputs: { a: 'a.value' } },
    });
    const status = await worker.ended(id);
    expect(status.state).toBe('completed');
    expect(status.nodes['b']).toMatchObject({ state: 'completed', outputs: { value: '42' }, attempt: 1 });
  });

  it('takes the branch of a condition and skips the other', async () => {
    const id = await worker.start({
      price: { type: 'constant', params: { value: '9.5' } },
      enough: { type: 'threshold', params: { min: '8' }, inputs: { value: 'price.value' } },
      yes: { type: 'notify', after: ['enough.pass'], params: { message: 'at {{price.value}}' } },
      no: { type: 'notify', after: ['enough.fail'], params: { message: 'too low' } },
      guarded: { type: 'notify', when: 'price.value > 100', params: { message: 'never' } },
    });
    const { nodes } = await worker.ended(id);
    expect(nodes['yes']).toMatchObject({ state: 'completed' });
    expect(nodes['no']).toMatchObject({ state: 'skipped', reason: 'enough took pass, not fail' });
    expect(nodes['guarded']).toMatchObject({ state: 'skipped' });
    expect(nodes['guarded:when']).toMatchObject({ state: 'completed', branch: 'false' });
  });

  it('retries a node by its own policy and tells each attempt', async () => {
    const id = await worker.start({
      flaky: { type: 'test_failing', params: { times: 2 }, retry: { max_attempts: 3, initial: '50ms' } },
    });
    const { state, nodes } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(nodes['flaky']).toMatchObject({ state: 'completed', attempt: 3, outputs: { runs: 3 } });
    expect(worker.eventsOf(id).map(({ type, attempt }) => [type, attempt])).toEqual([
      ['execution_started', undefined],
      ['node_started', 1],
      ['node_retrying', 1],
      ['node_started', 2],
      ['node_retrying', 2],
      ['node_started', 3],
      ['node_completed', 3],
      ['execution_ending', undefined],
    ]);
  });

  it('halts, stays halted, and resumes to its end', async () => {
    const id = await worker.start({
      first: { type: 'test_slow', params: { ms: 300, value: 1 } },
      second: { type: 'test_slow', params: { ms: 0 }, inputs: { value: 'first.value' } },
    });
    await worker.reaches(id, ({ nodes }) => nodes['first']?.state === 'running');
    await worker.client.haltExecution(id, 'look first');
    const halted = await worker.reaches(
      id,
      ({ state, nodes }) => state === 'halted' && nodes['first']?.state === 'completed',
    );
    expect(halted.nodes['second']).toMatchObject({ state: 'pending', dispatch: 0 });
    expect(halted.halts).toMatchObject([{ scope: 'execution', reason: 'look first' }]);
    await worker.client.resumeExecution(id, 'looked');
    const { state, nodes } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(nodes['second']).toMatchObject({ state: 'completed' });
  });
});
