import { describe, expect, it } from '@jest/globals';
import type { Ui } from '../../src/cli/io';
import { progressOf } from '../../src/cli/progress';
import {
  circuitEvent,
  executionEvent,
  nodeEvent,
  type ExecutionContext,
  type Publication,
} from '../../src/events/build';
import type { EventEnvelope, NodeFact } from '../../src/events/envelope';
import type { ExecutionStatus, NodeStatus } from '../../src/workflows/messages';

const context: ExecutionContext = { execution_id: 'exec_a', workflow_id: 'a', mode: 'paper' };
const at = Date.parse('2026-01-02T03:04:05.678Z');

function numbered({ event }: Publication): EventEnvelope {
  return { ...event, log_epoch: 'e', seq: 1 };
}

function node(fact: NodeFact, turn: { dispatch?: number; attempt?: number } = {}): EventEnvelope {
  const place = { node_id: 'price', node_type: 'ticker', frame: '', generation: 0, dispatch: 0, attempt: 1, ...turn };
  return numbered(nodeEvent(context, place, fact, at));
}

function status(state: ExecutionStatus['state'], price: Partial<NodeStatus>): ExecutionStatus {
  const nodes: Record<string, NodeStatus> = {
    price: { state: 'pending', type: 'ticker', generation: 0, dispatch: 0, ...price },
  };
  const halts = state === 'halted' ? [{ scope: 'execution', reason: 'odd prices', since: '' }] : [];
  const known = { execution_id: 'exec_a', workflow_id: 'a', graph_version: 'v', mode: 'paper', ordinal: 0 } as const;
  return { ...known, state, halts, started_at: '', nodes };
}

function recorder(json = false) {
  const lines: string[] = [];
  const ui: Ui = {
    json,
    line: (text = '') => lines.push(text),
    data: (value) => lines.push(JSON.stringify(value)),
    note: (text) => lines.push(text),
    paint: (_tone, text) => text,
  };
  return { lines, progress: progressOf(ui) };
}

describe('the progress of an execution', () => {
  it('tells each event once, however often a replay repeats it', () => {
    const { lines, progress } = recorder();
    const started = node({ type: 'node_started' });
    progress.event(started);
    progress.event(started);
    progress.event(node({ type: 'node_completed', status: 'success', duration_ms: 8.4, outputs: { last: '17000' } }));
    expect(lines).toEqual([
      '03:04:05.678  node_started        price             ticker',
      '03:04:05.678  node_completed      price             8 ms  {"last":"17000"}',
    ]);
  });

  it('says why a node failed, and when it is tried again', () => {
    const { lines, progress } = recorder();
    progress.event(
      node({ type: 'node_retrying', error: 'no route', error_type: 'ConnectionError', next_attempt_ms: 2_000 }),
    );
    progress.event(node({ type: 'node_failed', error: 'no route', error_type: 'ConnectionError', duration_ms: 3 }));
    expect(lines[0]).toMatch(/ConnectionError: no route; again in 2s$/);
    expect(lines[1]).toMatch(/ConnectionError: no route$/);
  });

  it('tells how the circuit breaker of a resource changed, beside what its node does', () => {
    const { lines, progress } = recorder();
    const place = { ...context, node_id: 'price', node_type: 'ticker', frame: '' };
    const fact = {
      type: 'circuit_state_changed',
      resource: 'binance',
      previous_state: 'closed',
      new_state: 'open',
    } as const;
    progress.event(node({ type: 'node_started' }));
    progress.event(numbered(circuitEvent(place, fact, { worker_id: 'w', ordinal: 1 }, at)));
    progress.snapshot(status('running', { state: 'running' }));
    expect(lines.slice(1)).toEqual(['03:04:05.678  circuit_state_changed  price             binance: closed → open']);
  });

  it('adds from a snapshot only what the events have not told', () => {
    const { lines, progress } = recorder();
    progress.event(node({ type: 'node_started' }));
    progress.snapshot(status('running', { state: 'running' }));
    expect(lines).toHaveLength(1);
    progress.snapshot(status('running', { state: 'completed', duration_ms: 5, outputs: { last: '1' } }));
    progress.snapshot(status('running', { state: 'completed', duration_ms: 5, outputs: { last: '1' } }));
    expect(lines.slice(1)).toEqual([expect.stringMatching(/node_completed +price +5 ms {2}{"last":"1"}$/)]);
  });

  it('tells from snapshots that the execution halted and went on, and that the node started again', () => {
    const { lines, progress } = recorder();
    progress.snapshot(status('running', { state: 'running' }));
    progress.snapshot(status('halted', {}));
    progress.snapshot(status('halted', {}));
    progress.snapshot(status('running', { state: 'running', dispatch: 1 }));
    expect(lines.map((line) => line.split(/ +/)[1])).toEqual([
      'node_started',
      'execution_halted',
      'node_started',
      'execution_resumed',
    ]);
  });

  it('knows the end by the terminal event and not by the workflow’s own hint', () => {
    const { lines, progress } = recorder();
    progress.event(numbered(executionEvent(context, 'ending', { type: 'execution_ending' }, at)));
    expect(progress.ended()).toBe(false);
    const fact = { type: 'execution_completed', status: 'completed', duration_ms: 9 } as const;
    progress.event(numbered(executionEvent(context, 'end', fact, at)));
    expect(progress.ended()).toBe(true);
    expect(lines).toEqual([]);
  });

  it('gives programs the envelope itself, and marks what comes from a snapshot', () => {
    const { lines, progress } = recorder(true);
    const started = node({ type: 'node_started' });
    progress.event(started);
    progress.snapshot(status('running', { state: 'skipped', reason: 'not taken' }));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      started,
      expect.objectContaining({ type: 'node_skipped', node_id: 'price', execution_id: 'exec_a', source: 'status' }),
    ]);
  });
});
