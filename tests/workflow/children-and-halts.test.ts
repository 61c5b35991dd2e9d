/** What a hostile moment does to children, halts and cancels: none of it wedges an execution, or is forgotten. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ExecutionSettings } from '../../src/workflows/messages';
import { Gate, RunCounter, slow } from '../support/test-kinds';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';
import { readyDesk } from '../support/ready-desk';

let worker: TestWorker;
const gate = new Gate();
beforeAll(async () => {
  worker = await startTestWorker([gate.kind, slow(new RunCounter())]);
});
afterAll(() => worker.stop());

const constant = (value: unknown, rest: object = {}) => ({ type: 'constant', params: { value }, ...rest });
const gated = (name: string) => ({ type: 'test_gated', params: { gate: name } });
const napping = { nodes: { nap: { type: 'wait', params: { for: '1h' } } } };
const tell = { type: 'notify', params: { message: 'halted' } };

async function startWith(settings: ExecutionSettings, nodes: Record<string, unknown>, extra = {}): Promise<string> {
  return (await worker.client.startExecution({ ...worker.prepare(nodes, extra), settings })).execution_id;
}

describe('a child', () => {
  it('that ended before its parent heard that it had started is no less heard', async () => {
    const id = await worker.start({
      other: { type: 'subgraph', body: napping, on_error: 'continue' },
      after: constant(1, { after: ['other.finished'] }),
    });
    const started = () =>
      worker.client.describeExecution(`${id}.other`).then(
        () => true,
        () => false,
      );
    await until('the child has started', started);
    await worker.stopWorker();
    await worker.temporal.workflow.getHandle(`${id}.other`).terminate('an accident');
    await worker.startWorker();
    const { nodes, state } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(nodes['other']?.state).toBe('failed');
  });

  it('is halted and resumed with its parent also where that goes on in a new run at that moment', async () => {
    const id = await startWith({ tasks_per_run: 3 }, { other: { type: 'subgraph', body: napping } });
    const child = `${id}.other`;
    await worker.reaches(id, ({ nodes }) => nodes['other']?.state === 'waiting');
    await until(
      'the child waits',
      async () => (await worker.client.describeExecution(child).catch(() => undefined))?.state === 'waiting',
    );
    for (let round = 0; round < 3; round += 1) {
      await worker.client.haltExecution(id, 'look');
      await worker.reaches(child, ({ state }) => state === 'halted');
      await worker.client.resumeExecution(id, 'looked');
      await worker.reaches(child, ({ state }) => state === 'waiting');
    }
    await worker.client.cancelExecution(id);
    expect((await worker.ended(id)).state).toBe('cancelled');
    expect((await worker.ended(child)).state).toBe('cancelled');
  });

  it('that starts while the desk halts everything stands still with its parent, and goes on with it', async () => {
    const desk = `desk-${randomUUID()}`;
    await readyDesk(worker.client, desk);
    const id = await worker.start(
      {
        first: gated('before'),
        other: { type: 'subgraph', after: ['first'], body: { nodes: { inner: constant(1) } } },
      },
      { desk },
    );
    await until('it runs', () => gate.isRunning('before'));
    gate.open('before');
    await worker.client.haltDesk({ reason: 'fire', actor: 'ann' }, desk);
    await worker.reaches(id, ({ state }) => state === 'halted');
    await worker.client.resumeDesk({ reason: 'out', actor: 'ann' }, desk);
    expect((await worker.ended(id, 30_000)).state).toBe('completed');
  });

  it('that would stand in itself without end fails', async () => {
    const self = { nodes: { again: { type: 'subgraph', params: { workflow: 'calls-itself' } } } };
    await worker.client.deploy(worker.prepare(self.nodes, { id: 'calls-itself' }));
    const id = await worker.start(self.nodes, { id: 'calls-itself' });
    const { state, error } = await worker.ended(id, 40_000);
    expect(state).toBe('failed');
    expect(error).toContain('deep');
    await worker.client.undeploy('calls-itself');
  });
});

describe('what runs at a halt', () => {
  it('waits neither for room nor for a task boundary, and is over before the execution is', async () => {
    const id = await startWith(
      { max_in_flight: 1 },
      { runs: gated('only'), later: gated('never') },
      { on_halt: { nodes: { first: constant('x'), tell: { ...tell, after: ['first'] } } } },
    );
    await until('it runs', () => gate.isRunning('only'));
    await worker.client.haltExecution(id, 'look');
    await worker.reaches(id, ({ nodes }) => nodes[':on_halt[1]/tell']?.state === 'completed');
    gate.open('only');
    await worker.client.cancelExecution(id);
    expect((await worker.ended(id)).state).toBe('cancelled');
  });

  it('is nothing after a cancel', async () => {
    const id = await worker.start({ runs: gated('cancelled') }, { on_halt: { nodes: { tell } } });
    await until('it runs', () => gate.isRunning('cancelled'));
    await worker.client.cancelExecution(id);
    await worker.client.haltExecution(id, 'too late');
    await worker.reaches(id, ({ halts }) => halts.length === 1);
    gate.open('cancelled');
    const { state, nodes } = await worker.ended(id);
    expect(state).toBe('cancelled');
    expect(Object.keys(nodes)).toEqual(['runs']);
  });
});

describe('an execution flooded with messages that change nothing', () => {
  it('goes on in new runs all the same', async () => {
    const id = await startWith({ tasks_per_run: 5 }, { nap: { type: 'wait', params: { for: '1h' } } });
    await worker.reaches(id, ({ state }) => state === 'waiting');
    const { runId } = await worker.temporal.workflow.getHandle(id).describe();
    for (let at = 0; at < 12; at += 1) {
      await worker.client.haltExecution(id, 'again');
      await worker.reaches(id, ({ state }) => state === 'halted');
    }
    await until(
      'it is in a later run',
      async () => (await worker.temporal.workflow.getHandle(id).describe()).runId !== runId,
    );
    await worker.client.cancelExecution(id);
    expect((await worker.ended(id)).state).toBe('cancelled');
  });
});

describe('an activity that does not end', () => {
  it('holds up nothing else, however long the history is', async () => {
    const chain = Array.from({ length: 12 }, (_, at): [string, object] => [
      `n${at}`,
      { type: 'test_slow', params: { ms: 1, value: at }, after: at === 0 ? [] : [`n${at - 1}`] },
    ]);
    const id = await startWith(
      { tasks_per_run: 5, drain_ms: 200 },
      { long: gated('long'), ...Object.fromEntries(chain) },
    );
    await worker.reaches(id, ({ nodes }) => nodes['n11']?.state === 'completed');
    gate.open('long');
    expect((await worker.ended(id)).state).toBe('completed');
  });
});

describe('a graph that gives more than the server takes', () => {
  it('fails in words', async () => {
    const outputs = Object.fromEntries(Array.from({ length: 120 }, (_, at) => [`o${at}`, 'text.value']));
    const id = await worker.start({ text: constant('x'.repeat(15_000)) }, { outputs });
    const { closing } = await until('it is closed', async () => {
      const description = await worker.client.describeExecution(id);
      return description.closing !== undefined && description;
    });
    expect(closing).toMatchObject({ status: 'failed', error_type: 'OutputTooLarge' });
  });
});

describe('a wide node with large fields', () => {
  it('is sent over several tasks, and one that no task can send fails', async () => {
    const texts = ['a', 'b', 'c'].map((name): [string, object] => [name, constant('x'.repeat(15_000))]);
    const side = Array.from({ length: 60 }, (_, at): [string, object] => [
      `side${at}`,
      { type: 'notify', params: { message: '{{a.value}}{{b.value}}{{c.value}}'.repeat(2) } },
    ]);
    const id = await worker.start({
      ...Object.fromEntries(texts),
      ...Object.fromEntries(side),
      huge: { type: 'notify', params: { message: '{{a.value}}'.repeat(110) }, on_error: 'continue' },
    });
    const { state, nodes } = await worker.ended(id, 40_000);
    expect(state).toBe('completed');
    expect(nodes['huge']).toMatchObject({ state: 'failed', error_type: 'InputTooLarge' });
  });
});
