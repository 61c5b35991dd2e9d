/** A node that follows its orders: handed out again while they have not ended, and looked after when nobody reported what became of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { defineNode, field, output } from '../../src/activities/define-node';
import { OrderPending } from '../../src/activities/order-pending';
import type { OrderTrail } from '../../src/graph/task';
import { codeOf } from '../support/live-desk';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

jest.setTimeout(120_000);

interface Dispatch {
  readonly dispatch: number;
  readonly trail: OrderTrail | undefined;
}

let dispatches: Dispatch[] = [];
let hangs = 0;

/** Rests for a number of dispatches, then has filled; the first ones may hang until their time is over. */
const rests = defineNode({
  type: 'test_rests',
  family: 'test',
  effect: 'read',
  follows: true,
  description: 'An order that rests.',
  fields: { times: field.integer('How often it is found open.', { min: 0, max: 1_000 }) },
  outputs: { looks: output('integer', 'How often it was looked at.') },
  run: async ({ times }, { task: { dispatch, trail }, signal }) => {
    dispatches.push({ dispatch, trail });
    if (hangs > 0) {
      hangs -= 1;
      await sleep(60_000, undefined, { signal }).catch(() => undefined);
    }
    const looks = typeof trail?.memo === 'number' ? trail.memo : 0;
    if (looks < times) {
      throw new OrderPending({ type: 'OrderOpen', message: 'it rests', retry_in_ms: 50, memo: looks + 1 });
    }
    return { outputs: { looks } };
  },
});

let worker: TestWorker;
beforeAll(async () => {
  worker = await startTestWorker([rests]);
});
beforeEach(() => {
  dispatches = [];
  hangs = 0;
});
afterAll(async () => {
  await worker.stop();
});

const order = (times: number, rest = {}) => ({ order: { type: 'test_rests', params: { times }, ...rest } });
const trails = () => dispatches.map(({ trail }) => trail);

describe('a node whose order rests', () => {
  it('is handed out again with what it left, uses no attempt, and tells one start and one end', async () => {
    const id = await worker.start(order(2));
    const { nodes } = await worker.ended(id);
    expect(nodes['order']).toMatchObject({ state: 'completed', attempt: 1 });
    expect(trails()).toEqual([{ permits_of: 1 }, { memo: 1, permits_of: 2 }, { memo: 2, permits_of: 3 }]);
    const told = worker.eventsOf(id).filter(({ node_id }) => node_id === 'order');
    const types = [...new Map(told.map((event) => [event.event_id, event.type])).values()];
    expect(types.filter((type) => type !== 'node_waiting')).toEqual(['node_started', 'node_completed']);
    expect(types).toContain('node_waiting');
  });

  it('is not looked at during a halt, and goes on with what it left after the resume', async () => {
    const id = await worker.start(order(1_000));
    await worker.reaches(id, () => dispatches.length > 2);
    await worker.client.haltExecution(id, 'odd prices');
    await worker.reaches(id, ({ state, nodes }) => state === 'halted' && nodes['order']?.state !== 'running');
    const before = dispatches.length;
    await until('its time to be looked at has come', async () => {
      const { events } = await worker.temporal.workflow.getHandle(id).fetchHistory();
      const halted =
        events?.findLastIndex(({ workflowExecutionSignaledEventAttributes: signal }) => signal != null) ?? 0;
      return events?.slice(halted).some(({ timerFiredEventAttributes: fired }) => fired != null);
    });
    await worker.reaches(id, ({ state }) => state === 'halted');
    expect(dispatches).toHaveLength(before);
    await worker.client.resumeExecution(id, 'over');
    await worker.reaches(id, () => dispatches.length > before);
    expect(trails()[before]).toMatchObject({ memo: before });
    await worker.client.cancelExecution(id);
    await worker.ended(id);
  });

  it('keeps what it left when the execution goes on in a new run', async () => {
    const settings = { tasks_per_run: 6 };
    const prepared = { ...worker.prepare(order(12)), settings };
    const { execution_id: id } = await worker.client.startExecution(prepared);
    await worker.ended(id);
    expect(trails().map((trail) => trail?.memo)).toEqual([undefined, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const { runId } = await worker.temporal.workflow.getHandle(id).describe();
    const input = await worker.client.executionInput(id);
    expect(input.carried).toBeDefined();
    expect(runId).not.toBe('');
  });

  it('can neither begin anew nor be passed over while its order may be out', async () => {
    const id = await worker.start(order(1_000));
    await worker.reaches(id, ({ nodes }) => dispatches.length > 1 && nodes['order']?.state === 'waiting');
    const request = { node: 'order', actor: 'ann', reason: 'because' };
    expect(await codeOf(worker.client.retryNode(id, request))).toBe('NodeNotRetryable');
    expect(await codeOf(worker.client.skipNode(id, request))).toBe('NodeNotRetryable');
    await worker.client.cancelExecution(id);
    await worker.ended(id);
  });
});

describe('a node of which nobody reported what became of its order', () => {
  it('is handed out again under the number its permits were asked under, until a dispatch reports', async () => {
    hangs = 2;
    const { nodes } = await worker.ended(await worker.start(order(1, { timeout: 1 })));
    expect(nodes['order']).toMatchObject({ state: 'completed' });
    expect(trails()).toEqual([
      { permits_of: 1 },
      { lost: true, permits_of: 1 },
      { lost: true, permits_of: 1 },
      { memo: 1, permits_of: 4 },
    ]);
  });
});
