import { describe, expect, it } from '@jest/globals';
import type { Snapshot } from '../../src/event-log';
import type { EventEnvelope } from '../../src/events/envelope';
import { isComplete, missingNodeEvents } from '../../src/gateway/missing-events';
import type { ExecutionStatus, NodeStatus } from '../../src/workflows/messages';
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
  missingNodeEvents(of, status, snapshot, AT).map(({ event }) => event);

describe('what the log lacks', () => {
  it('is told under the ids the worker would have used, the start before the end', () => {
    const status = statusOf({ a: { state: 'completed', attempt: 1, outputs: { value: [] }, duration_ms: 3 } });
    expect(missing(status, snapshotOf({}))).toEqual([
      node(of, 'a', nodeStarted, turn).event,
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

  it('holds skips with their reason, without a start, and nothing of nodes that never ended', () => {
    const status = statusOf({
      a: { state: 'skipped', reason: 'branch not taken' },
      b: { state: 'skipped' },
      c: { state: 'running' },
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
