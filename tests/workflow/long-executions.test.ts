/** Executions that go on in new runs: nothing is lost, repeated or stalled by it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ExecutionSettings } from '../../src/workflows/messages';
import { everyConstruct, everyEffect } from '../support/every-construct';
import { Receiver } from '../support/receiver';
import { counted, Gate } from '../support/test-kinds';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

let worker: TestWorker;
let receiver: Receiver;
const gate = new Gate();

beforeAll(async () => {
  receiver = await Receiver.listen();
  worker = await startTestWorker([counted, gate.kind]);
});
afterAll(async () => {
  await worker.stop();
  await receiver.close();
});

const constant = (value: unknown, rest: object = {}) => ({ type: 'constant', params: { value }, ...rest });

async function startWith(settings: ExecutionSettings, nodes: Record<string, unknown>, extra = {}): Promise<string> {
  const input = { ...worker.prepare(nodes, extra), settings };
  return (await worker.client.startExecution(input)).execution_id;
}

/** How many runs an execution took so far, and the longest history among those that ended. */
async function runsOf(id: string): Promise<{ runs: number; longest: number }> {
  const info: number[] = [];
  let runId: string | undefined;
  for (;;) {
    const handle = worker.temporal.workflow.getHandle(id, runId);
    const { events } = await handle.fetchHistory();
    info.push(events?.length ?? 0);
    const previous = events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId;
    if (previous == null || previous === '') break;
    runId = previous;
  }
  return { runs: info.length, longest: Math.max(...info) };
}

describe('an execution that goes on in new runs', () => {
  it('with every construct in it runs each effect once, and its waits, approval, loops and child go on', async () => {
    const { nodes, extra } = everyConstruct(receiver.url);
    const id = await startWith({ tasks_per_run: 6 }, nodes, extra);
    await worker.reaches(id, (status) => status.nodes['each']?.state === 'completed');
    await until('it is in a later run', async () => (await runsOf(id)).runs > 1);
    await worker.client.deliverMessage(id, { name: 'go', payload: 1 });
    await worker.client.approveNode(id, { node: 'decide', decision: 'approve', actor: 'ann' });
    const status = await worker.ended(id, 60_000);
    expect(status).toMatchObject({ state: 'completed', outputs: { iterations: 3, total: 3, child: '6' } });
    const keys = receiver.of(id).map(({ idempotency_key }) => idempotency_key);
    expect(keys.sort()).toEqual(everyEffect.map((key) => `${id}/${key}/0`).sort());
    expect((await runsOf(id)).runs).toBeGreaterThan(2);
    const told = worker.eventsOf(id).map(({ event_id }) => event_id);
    expect(told.filter((each) => each.endsWith('|0'))).toHaveLength(1);
    const { started_at } = await worker.client.describeExecution(id);
    expect(started_at).toBe(status.started_at);
  });

  it('keeps its deadlines: a wait does not begin anew', async () => {
    const chain = Object.fromEntries(
      Array.from({ length: 30 }, (_, at) => [
        `n${at}`,
        {
          type: 'test_counted',
          params: { url: receiver.url, ms: 20, value: 1 },
          after: at === 0 ? [] : [`n${at - 1}`],
        },
      ]),
    );
    const before = Date.now();
    const id = await startWith({ tasks_per_run: 8 }, { ...chain, nap: { type: 'wait', params: { for: '1500ms' } } });
    const { nodes } = await worker.ended(id);
    expect((await runsOf(id)).runs).toBeGreaterThan(2);
    const napped = worker
      .eventsOf(id)
      .find((event) => event.type === 'node_completed' && 'node_id' in event && event.node_id === 'nap');
    expect(Date.parse(napped?.timestamp ?? '') - before).toBeGreaterThanOrEqual(1_450);
    expect(nodes['nap']?.duration_ms).toBeGreaterThanOrEqual(1_450);
    expect(nodes['nap']?.duration_ms).toBeLessThan(3_000);
  });

  it('stays halted over runs, and takes messages and halts at any time', async () => {
    const id = await startWith(
      { tasks_per_run: 4 },
      {
        ask: { type: 'wait_for_signal', params: { name: 'late' } },
        nap: { type: 'wait', params: { for: '1h' }, on_error: 'continue' },
      },
    );
    await worker.reaches(id, ({ state }) => state === 'waiting');
    for (let round = 0; round < 4; round += 1) {
      await worker.client.haltExecution(id, `round ${round}`);
      await worker.reaches(id, ({ state }) => state === 'halted');
      await worker.client.deliverMessage(id, { name: `other ${round}`, payload: round });
      await worker.client.resumeExecution(id, 'go on');
      await worker.reaches(id, ({ state }) => state === 'waiting');
    }
    await worker.client.haltExecution(id, 'last');
    const halted = await worker.reaches(id, ({ state }) => state === 'halted');
    expect(halted.ordinal).toBe(9);
    await worker.client.deliverMessage(id, { name: 'late', payload: 'here' });
    await worker.reaches(id, ({ nodes }) => nodes['ask']?.state === 'completed');
    await worker.client.skipNode(id, { node: 'nap', actor: 'ann' });
    expect((await worker.ended(id)).state).toBe('completed');
    expect((await runsOf(id)).runs).toBeGreaterThan(2);
  });

  it('hears the end of a child that ends in a later run, or is terminated', async () => {
    const child = (name: string) => ({
      type: 'subgraph',
      body: { nodes: { inner: { type: 'test_gated', params: { gate: name } } }, outputs: { passed: 'inner.passed' } },
      on_error: 'continue',
    });
    const rounds = Object.fromEntries(
      Array.from({ length: 12 }, (_, at) => [
        `n${at}`,
        { type: 'test_counted', params: { url: receiver.url, ms: 1, value: 1 }, after: at === 0 ? [] : [`n${at - 1}`] },
      ]),
    );
    const id = await startWith(
      { tasks_per_run: 8, check_children_ms: 500 },
      { ...rounds, lives: child('lives'), dies: child('dies') },
    );
    await worker.reaches(id, ({ nodes }) => nodes['n11']?.state === 'completed');
    await until('it is in a later run', async () => (await runsOf(id)).runs > 1);
    await until('both children run', () => gate.isRunning('lives') && gate.isRunning('dies'));
    await worker.temporal.workflow.getHandle(`${id}.dies`).terminate('an accident');
    gate.open('lives');
    const { nodes } = await worker.ended(id, 80_000);
    expect(nodes['lives']).toMatchObject({ state: 'completed', outputs: { passed: 'lives' } });
    expect(nodes['dies']).toMatchObject({ state: 'failed', error_type: 'ExecutionCancelled' });
  });

  it('lists as one execution, and a history stays as short as it was told', async () => {
    const nodes = Object.fromEntries(
      Array.from({ length: 300 }, (_, at) => [`n${at}`, constant(at, at === 0 ? {} : { after: [`n${at - 1}`] })]),
    );
    const id = await startWith({ events_per_run: 150 }, nodes, { id: 'long-list' });
    const status = await worker.ended(id);
    expect(Object.values(status.nodes).every(({ state }) => state === 'completed')).toBe(true);
    const { runs, longest } = await runsOf(id);
    expect(runs).toBeGreaterThan(2);
    expect(longest).toBeLessThanOrEqual(170);
    const listed = await until('it is listed as completed', async () => {
      const { executions } = await worker.client.listExecutions({ workflow_id: 'long-list' });
      return executions.some(({ state }) => state === 'completed') && executions;
    });
    expect(listed.map(({ execution_id }) => execution_id)).toEqual([id]);
    expect(listed[0]?.started_at).toBe(status.started_at);
  });
});
