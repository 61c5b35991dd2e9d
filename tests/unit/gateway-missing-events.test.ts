import { describe, expect, it } from '@jest/globals';
import type { Snapshot } from '../../src/event-log';
import type { EventEnvelope, NodeFact } from '../../src/events/envelope';
import { isComplete, missingEvents } from '../../src/gateway/missing-events';
import type { ExecutionStatus, NodeStatus, WaitStatus } from '../../src/workflows/messages';
import { AT, context, node, nodeCompleted, nodeStarted } from '../support/sample-events';

const of = context('exec_1');
const turn = { generation: 0, dispatch: 1, attempt: 1 };
const told = (id: string, fact = nodeCompleted): EventEnvelope => ({
  ...node(of, id, fact, turn).event,
  log_epoch: '1-a-1',
  seq: 1,
});

function snapshotOf(nodes: Record<string, EventEnvelope>, node_count?: number): Snapshot {
  const position = { log_epoch: '1-a-1', seq: 1 };
  const count = node_count === undefined ? {} : { node_count };
  return { stream: 'exec_1', position, started: true, ended: false, nodes, ...count };
}

function statusOf(nodes: Record<string, Partial<NodeStatus>>): ExecutionStatus {
  const full = Object.entries(nodes).map(([id, each]): [string, NodeStatus] => [
    id,
    { state: 'pending', type: 'constant', generation: 0, dispatch: 1, ...each },
  ]);
  return {
    execution_id: 'exec_1',
    workflow_id: 'arb',
    graph_version: 'abcdef012345',
    mode: 'paper',
    state: 'completed',
    halts: [],
    started_at: '',
    nodes: Object.fromEntries(full),
    ordinal: 0,
  };
}

const missing = (status: ExecutionStatus, snapshot: Snapshot) =>
  missingEvents(of, status, snapshot, AT).map(({ event }) => event);

describe('what the log lacks', () => {
  it('is told under the ids the worker would have used, the start before the end', () => {
    const status = statusOf({ a: { state: 'completed', attempt: 1, outputs: { value: [] }, duration_ms: 3 } });
    expect(missing(status, snapshotOf({}))).toEqual([
      { ...node(of, 'a', nodeStarted, turn).event, timestamp: new Date(AT - 3).toISOString() },
      node(of, 'a', nodeCompleted, turn).event,
    ]);
  });

  it('is the end alone where the start is known, and nothing where the end is', () => {
    const status = statusOf({
      a: { state: 'completed', attempt: 1 },
      b: { state: 'failed', attempt: 1, error: 'e', error_type: 'TimeoutError', duration_ms: 2 },
      c: { state: 'failed' },
    });
    const snapshot = snapshotOf({ a: told('a'), b: told('b', nodeStarted), c: told('c', nodeStarted) });
    expect(missing(status, snapshot)).toMatchObject([
      { node_id: 'b', type: 'node_failed', error: 'e', error_type: 'TimeoutError', duration_ms: 2 },
      { node_id: 'c', type: 'node_failed', error: '', error_type: 'Unexpected', duration_ms: 0 },
    ]);
  });

  it('repairs, so that the log takes none of it after something newer', () => {
    const status = statusOf({ a: { state: 'running' } });
    expect(missingEvents(of, status, snapshotOf({}), AT).map(({ repairs }) => repairs)).toEqual([true]);
  });

  it('has the times of the account where it gives them', () => {
    const ended_at = '2026-01-05T11:00:10.000Z';
    const status = statusOf({
      a: { state: 'completed', ended_at, duration_ms: 4_000 },
      b: { state: 'skipped', ended_at },
      c: { state: 'completed', duration_ms: 1_000 },
    });
    expect(missing(status, snapshotOf({})).map(({ type, timestamp }) => [type, timestamp])).toEqual([
      ['node_started', '2026-01-05T11:00:06.000Z'],
      ['node_completed', ended_at],
      ['node_skipped', ended_at],
      ['node_started', '2026-01-05T11:59:59.000Z'],
      ['node_completed', '2026-01-05T12:00:00.000Z'],
    ]);
  });

  it('is that a node runs, unless the log shows anything of its generation', () => {
    const waiting: NodeFact = { type: 'node_waiting', reason: 'breaker open' };
    const retrying: NodeFact = { type: 'node_retrying', error: 'e', error_type: 'ConnectionError', next_attempt_ms: 1 };
    const running = { state: 'running', generation: 0 } as const;
    const status = statusOf({ a: running, b: running, c: running, d: running, e: { ...running, generation: 1 } });
    const shown = { b: told('b', nodeStarted), c: told('c', retrying), d: told('d'), e: told('e') };
    expect(missing(status, snapshotOf(shown))).toMatchObject([
      { node_id: 'a', type: 'node_started', attempt: 1 },
      { node_id: 'e', type: 'node_started', generation: 1 },
    ]);
    expect(missing(statusOf({ a: running }), snapshotOf({ a: told('a', waiting) }))).toEqual([]);
    expect(missing(statusOf({ e: running }), snapshotOf({ e: { ...told('e'), generation: 1 } }))).toEqual([]);
  });

  it.each<[string, WaitStatus, string[]]>([
    ['a time', { kind: 'timer', until: '2026-01-05T13:00:00.000Z' }, ['waits until 2026-01-05T13:00:00.000Z']],
    ['a message', { kind: 'signal', name: 'go' }, ['waits for the message go']],
    ['a child', { kind: 'child', child_id: 'exec_1.a' }, ['runs as exec_1.a']],
    ['nothing that is known', { kind: 'child' }, ['runs as ']],
  ])('is that a node waits for %s, after its start', (_, waits_for, [reason]) => {
    const since = '2026-01-05T11:30:00.000Z';
    const status = statusOf({ a: { state: 'waiting', waits_for: { ...waits_for, since } } });
    expect(missing(status, snapshotOf({ a: told('a', nodeStarted) }))).toMatchObject([
      { type: 'node_started', timestamp: since },
      { type: 'node_waiting', reason, timestamp: since },
    ]);
    expect(missing(status, snapshotOf({ a: told('a', { type: 'node_waiting', reason: 'r' }) }))).toEqual([]);
  });

  it('is that an approval is asked for, of whom, for what and until when', () => {
    const until = '2026-01-05T13:00:00.000Z';
    const asked = { kind: 'approval', until, approvers: ['lead', 'ann'], message: 'Buy?' } as const;
    const types = [
      { type: 'node_started' },
      { type: 'node_waiting', reason: 'waits for the approval of lead or ann: Buy?' },
    ];
    const known = { type: 'approval_requested', deadline: until, approvers: ['lead', 'ann'] };
    expect(missing(statusOf({ a: { state: 'waiting', waits_for: asked } }), snapshotOf({}))).toMatchObject([
      ...types,
      known,
    ]);
    const bare = missing(
      statusOf({ a: { state: 'waiting', waits_for: { kind: 'approval', message: '' } } }),
      snapshotOf({}),
    );
    expect(bare[1]).toMatchObject({ reason: 'waits for the approval of an operator' });
    expect(bare[2]).not.toHaveProperty('deadline');
  });

  it('is that an attempt must not be made yet, as one of the dispatch to come', () => {
    const waits_for = { kind: 'deferral', why: 'the breaker is open', until: '2026-01-05T13:00:00.000Z' } as const;
    const status = statusOf({ a: { state: 'waiting', waits_for } });
    const [publication, ...more] = missingEvents(of, status, snapshotOf({ a: told('a', nodeStarted) }), AT);
    expect(more).toEqual([]);
    expect(publication).toMatchObject({
      event: { type: 'node_waiting', reason: 'the breaker is open; tried again at 2026-01-05T13:00:00.000Z' },
      precedence: [0, 2, 0, expect.any(Number)],
    });
    const bare = { kind: 'deferral' } as const;
    expect(missing(statusOf({ a: { state: 'waiting', waits_for: bare } }), snapshotOf({}))).toMatchObject([
      { reason: '; tried again at ' },
    ]);
  });

  it('is not what a gate keeps back', () => {
    const waits_for = { kind: 'deferral', why: 'global is closed', by_gate: true } as const;
    expect(missing(statusOf({ a: { state: 'waiting', waits_for } }), snapshotOf({}))).toEqual([]);
  });

  it('is the last halt or resume, unless the log shows it', () => {
    const halted = {
      ...statusOf({}),
      ordinal: 3,
      halts: [{ scope: 'global', reason: 'fire', since: '2026-01-05T11:00:00.000Z' }],
    };
    const [event, ...more] = missing(halted, snapshotOf({}));
    expect(more).toEqual([]);
    expect(event).toMatchObject({ type: 'execution_halted', scope: 'global', reason: 'fire', event_id: 'exec_1|3' });
    const latest = { ...event!, log_epoch: '1-a-1', seq: 2 } as EventEnvelope;
    expect(missing(halted, { ...snapshotOf({}), latest })).toEqual([]);
    expect(missing({ ...halted, halts: [] }, snapshotOf({}))).toMatchObject([{ type: 'execution_resumed' }]);
  });

  it('is found inside loops too, under the node’s own name', () => {
    const status = statusOf({ 'each[3]/a': { state: 'completed', frame: 'each[3]' } });
    expect(missing(status, snapshotOf({}))[1]).toMatchObject({ node_id: 'a', frame: 'each[3]' });
  });

  it('holds skips with their reason, without a start, and nothing of nodes that have not begun', () => {
    const status = statusOf({
      a: { state: 'skipped', reason: 'branch not taken' },
      b: { state: 'skipped' },
      d: { state: 'waiting' },
      e: {},
    });
    expect(missing(status, snapshotOf({}))).toMatchObject([
      { node_id: 'a', type: 'node_skipped', reason: 'branch not taken' },
      { node_id: 'b', type: 'node_skipped', reason: '' },
    ]);
  });

  it('holds the failure of a node whose completion the workflow refused', () => {
    const status = statusOf({ a: { state: 'failed', attempt: 1, error: 'too late', error_type: 'TimeoutError' } });
    expect(missing(status, snapshotOf({ a: told('a') }))).toMatchObject([{ type: 'node_failed', error: 'too late' }]);
  });

  it('cuts large outputs and says so', () => {
    const status = statusOf({ a: { state: 'completed', outputs: { text: 'x'.repeat(20_000) } } });
    const [event] = missing(status, snapshotOf({ a: told('a', nodeStarted) }));
    expect(event).toMatchObject({ truncated: true });
    expect(JSON.stringify(event).length).toBeLessThan(18_000);
  });

  it('tells a later generation’s end although an earlier one ended', () => {
    const status = statusOf({ a: { state: 'completed', generation: 1 } });
    expect(missing(status, snapshotOf({ a: told('a') }))).toMatchObject([{ type: 'node_completed', generation: 1 }]);
  });
});

describe('completeness', () => {
  it('needs the node count, that many nodes, and an end of each', () => {
    expect(isComplete(snapshotOf({ a: told('a'), b: told('b') }, 2))).toBe(true);
    expect(isComplete(snapshotOf({ a: told('a') }, 2))).toBe(false);
    expect(isComplete(snapshotOf({ a: told('a'), b: told('b', nodeStarted) }, 2))).toBe(false);
    expect(isComplete(snapshotOf({ a: told('a') }))).toBe(false);
  });
});
