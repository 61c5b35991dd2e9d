/** What a subscriber may rely on, per execution: which events come, in which order, and with exactly which fields. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { UnnumberedEvent } from '../../src/events/envelope';
import { RunCounter, failing, refusing, slow } from '../support/test-kinds';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';
import { readyDesk } from '../support/ready-desk';

const ENVELOPE = ['v', 'event_id', 'stream', 'type', 'timestamp', 'mode'];
const CORRELATION = ['execution_id', 'workflow_id', 'bot_id', 'strategy_id'];
const EXECUTION = [...ENVELOPE, ...CORRELATION, 'graph_version'];
const NODE = [...ENVELOPE, ...CORRELATION, 'graph_version', 'node_id', 'node_type', 'generation'];
const ATTEMPT = [...NODE, 'attempt'];

const fields: Readonly<Record<string, readonly string[]>> = {
  execution_started: [...EXECUTION, 'node_count'],
  execution_halted: [...EXECUTION, 'reason', 'scope'],
  execution_resumed: [...EXECUTION, 'reason', 'scope'],
  execution_ending: EXECUTION,
  node_started: ATTEMPT,
  node_waiting: [...ATTEMPT, 'reason'],
  node_retrying: [...ATTEMPT, 'error', 'error_type', 'next_attempt_ms'],
  node_completed: [...ATTEMPT, 'status', 'duration_ms', 'outputs'],
  node_failed: [...ATTEMPT, 'error', 'error_type', 'duration_ms'],
  node_skipped: [...NODE, 'reason'],
  emergency_state_changed: [
    ...ENVELOPE,
    ...['controller_id', 'scope', 'previous_state', 'new_state', 'reason', 'actor', 'desk_epoch', 'sealed'],
  ],
};

describe('the events of an execution', () => {
  let worker: TestWorker;
  let id: string;
  let events: UnnumberedEvent[];
  let desk: UnnumberedEvent[];

  beforeAll(async () => {
    worker = await startTestWorker([failing(new RunCounter()), slow(new RunCounter()), refusing]);
    const own = `desk-${randomUUID()}`;
    await readyDesk(worker.client, own);
    id = await worker.start(
      {
        pure: { type: 'constant', params: { value: '1' } },
        read: { type: 'test_slow', params: { ms: 5 }, inputs: { value: 'pure.value' } },
        flaky: { type: 'test_failing', params: { times: 1 }, retry: { initial: '20ms' }, after: ['read'] },
        broken: { type: 'test_refusing', params: { code: 'InvalidInput' }, on_error: 'continue' },
        pure_broken: { type: 'math', params: { op: 'divide', a: '1', b: '0' }, on_error: 'continue' },
        nap: { type: 'wait', params: { for: '8s' } },
        never: { type: 'constant', params: { value: 1 }, after: ['broken'] },
        guarded: { type: 'constant', params: { value: 1 }, when: 'pure.value > 5' },
        last: { type: 'constant', params: { value: 1 }, after: ['nap', 'flaky'] },
      },
      { bot_id: 'bot_001', strategy_id: 'arb_btc', desk: own },
    );
    await worker.reaches(id, ({ nodes }) => nodes['nap']?.state === 'waiting');
    await worker.client.haltDesk({ reason: 'look', actor: 'ann' }, own);
    await worker.reaches(id, ({ state }) => state === 'halted');
    await worker.client.resumeDesk({ reason: 'looked', actor: 'ann' }, own);
    await worker.ended(id);
    events = await until('the last word', () => {
      // A task that was invalidated has told what it did, and the one after it tells again: each event stands where it was told last.
      const told = new Map<string, UnnumberedEvent>();
      for (const event of worker.eventsOf(id)) {
        told.delete(event.event_id);
        told.set(event.event_id, event);
      }
      return [...told.values()].some(({ type }) => type === 'execution_ending') && [...told.values()];
    });
    desk = worker.events.filter(({ stream }) => stream === `desk/${own}`);
  });
  afterAll(() => worker.stop());

  it.each(Object.entries(fields))('%s has exactly the fields of its contract', (type, expected) => {
    const found = [...events, ...desk].filter((event) => event.type === type);
    expect(found.length).toBeGreaterThan(0);
    for (const event of found) expect(Object.keys(event).sort()).toEqual([...expected].sort());
  });

  it('are of no other type', () => {
    expect([...new Set([...events, ...desk].map(({ type }) => type))].sort()).toEqual(Object.keys(fields).sort());
  });

  it('all name their execution, graph, bot and strategy', () => {
    for (const event of events) {
      expect(event).toMatchObject({
        v: 1,
        stream: id,
        execution_id: id,
        workflow_id: 'test',
        bot_id: 'bot_001',
        strategy_id: 'arb_btc',
        mode: 'paper',
      });
      expect(event.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
  });

  it('start every node before it ends, and end it once; a skipped one has its skip alone', async () => {
    const { nodes } = await worker.client.executionStatus(id);
    const ENDS = new Set(['node_completed', 'node_failed', 'node_skipped']);
    for (const [nodeId, { state, type }] of Object.entries(nodes)) {
      const types = events.filter(({ node_id }) => node_id === nodeId).map((event) => event.type);
      expect([nodeId, types.filter((each) => ENDS.has(each))]).toEqual([nodeId, [`node_${state}`]]);
      expect([nodeId, types.at(-1)]).toEqual([nodeId, `node_${state}`]);
      if (state === 'skipped') expect(types).toHaveLength(1);
      else expect(types[0]).toBe('node_started');
      expect(events.filter(({ node_id }) => node_id === nodeId).every(({ node_type }) => node_type === type)).toBe(
        true,
      );
    }
    expect(
      Object.values(nodes)
        .map(({ state }) => state)
        .sort(),
    ).toEqual([...Array<string>(6).fill('completed'), 'failed', 'failed', 'skipped', 'skipped']);
  });

  it('open with the start and how many nodes there are, and close with a hint', () => {
    expect(events[0]).toMatchObject({ type: 'execution_started', node_count: 10 });
    expect(events.at(-1)).toMatchObject({ type: 'execution_ending' });
  });
});
