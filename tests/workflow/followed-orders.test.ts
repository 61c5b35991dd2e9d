/** A node that follows its orders: handed out again while they have not ended, and looked after when nobody reported what became of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { defineNode, field, output } from '../../src/activities/define-node';
import { OrderPending } from '../../src/activities/order-pending';
import type { OrderTrail } from '../../src/graph/task';
import { codeOf } from '../support/live-desk';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

interface Dispatch {
  readonly dispatch: number;
  readonly trail: OrderTrail | undefined;
}

let dispatches: Dispatch[] = [];
let hangs = 0;
/** While it is set, dispatches are out. */
let holding: Promise<void> | undefined;

/** Rests for a number of dispatches, then has filled; the first ones may hang until their time is over. */
const rests = defineNode({
  type: 'test_rests',
  family: 'test',
  effect: 'read',
  follows: true,
  description: 'An order that rests.',
  fields: {
    times: field.integer('How often it is found open.', { min: 0, max: 1_000 }),
    pause: field.integer('Between two looks, milliseconds.', { min: 1, max: 3_600_000, default: 50 }),
  },
  outputs: { looks: output('integer', 'How often it was looked at.') },
  run: async ({ times, pause }, { task: { dispatch, trail }, signal }) => {
    dispatches.push({ dispatch, trail });
    if (hangs > 0) {
      hangs -= 1;
      await sleep(60_000, undefined, { signal }).catch(() => undefined);
    }
    await holding;
    const looks = typeof trail?.memo === 'number' ? trail.memo : 0;
    if (looks < times) {
      throw new OrderPending({ type: 'OrderOpen', message: 'it rests', retry_in_ms: pause, memo: looks + 1 });
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
  holding = undefined;
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

describe('a word to look at an order that rests', () => {
  const minutes = { times: 1, pause: 600_000 };
  const resting = (rest = {}) => worker.start({ order: { type: 'test_rests', params: { ...minutes, ...rest } } });
  const waits = (id: string) => worker.reaches(id, ({ nodes }) => nodes['order']?.waits_for?.kind === 'deferral');
  const say = (id: string, look: unknown) => worker.temporal.workflow.getHandle(id).signal('look_again', look);

  it('has its node handed out at once, minutes before it would be, with what it left', async () => {
    const id = await resting();
    await waits(id);
    await worker.client.lookAgain(id, { node: 'order', dispatch: 1 });
    const { nodes } = await worker.ended(id);
    expect(nodes['order']).toMatchObject({ state: 'completed', attempt: 1 });
    expect(trails()).toEqual([{ permits_of: 1 }, { memo: 1, permits_of: 2 }]);
  });

  it('that comes while a dispatch is out counts when it ends, and once', async () => {
    let release = (): void => undefined;
    holding = new Promise((resolve) => (release = resolve));
    const id = await resting({ times: 2 });
    await until('its dispatch is out', () => dispatches.length === 1);
    await say(id, { node: 'order', dispatch: 1 });
    await say(id, { node: 'order', dispatch: 1 });
    await until('both are in its history', async () => (await signals(id)) === 2);
    holding = undefined;
    release();
    await until('it was looked at again', () => dispatches.length === 2);
    await waits(id);
    expect(dispatches).toHaveLength(2);
    await say(id, { node: 'order', dispatch: 2 });
    await worker.ended(id);
  });

  it('about an earlier dispatch, another node or nothing at all changes nothing', async () => {
    const id = await resting();
    await waits(id);
    const idle = [{ node: 'order', dispatch: 0 }, { node: 'none', dispatch: 1 }, { node: 'order' }, 'order', undefined];
    for (const look of idle) await say(id, look);
    await until('all are in its history', async () => (await signals(id)) === idle.length);
    await waits(id);
    expect(dispatches).toHaveLength(1);
    await say(id, { node: 'order', dispatch: 1 });
    await worker.ended(id);
  });

  it('that comes during a halt is followed after the resume', async () => {
    const id = await resting();
    await waits(id);
    await worker.client.haltExecution(id, 'odd prices');
    await worker.reaches(id, ({ state }) => state === 'halted');
    await say(id, { node: 'order', dispatch: 1 });
    await worker.reaches(id, ({ state, nodes }) => state === 'halted' && nodes['order']?.waits_for === undefined);
    expect(dispatches).toHaveLength(1);
    await worker.client.resumeExecution(id, 'over');
    expect((await worker.ended(id)).nodes['order']).toMatchObject({ state: 'completed' });
  });
});

async function signals(id: string): Promise<number> {
  const { events = [] } = await worker.temporal.workflow.getHandle(id).fetchHistory();
  return (events ?? []).filter(
    ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName === 'look_again',
  ).length;
}
