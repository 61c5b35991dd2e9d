import { describe, expect, it } from '@jest/globals';
import { historyEvents } from '../../src/gateway/history-account';
import type { TimelineEntry } from '../../src/temporal-client/timeline';
import type { TimelineMark } from '../../src/temporal-client/timeline-marks';
import { context } from '../support/sample-events';

const of = context('exec_1');
const [T0, T1, T2] = [0, 1, 2].map((s) => `2026-01-05T12:00:0${s}.000Z`) as [string, string, string];

const entry = (node: string, more: Partial<TimelineEntry>): TimelineEntry => ({
  ...{ node, node_type: 'notify', generation: 0, dispatch: 1, where: 'worker', state: 'completed' },
  ...{ scheduled_at: T0, ...more },
});
const run = (entries: readonly TimelineEntry[], marks: readonly TimelineMark[] = []) => ({ entries, marks });
const told = (runs: readonly ReturnType<typeof run>[], state: 'running' | 'halted' = 'running') =>
  historyEvents(of, { state, started_at: T0 }, runs).map(({ event }) => event);

describe('what a history says of nodes', () => {
  it('is how each ended or that it began, with its place and times', () => {
    const entries = [
      entry('done', { started_at: T1, ended_at: T2, ran_ms: 1_000, attempt: 2 }),
      entry('each[3]/bad', { state: 'failed', ended_at: T2, error: 'no', error_type: 'BadRequest', ran_ms: 5 }),
      entry('slow', { state: 'timed_out', ended_at: T2 }),
      entry('busy', { state: 'running', started_at: T1 }),
      entry('again', { state: 'retrying' }),
      entry('lost', { state: 'abandoned', started_at: T1 }),
      entry('later', { state: 'deferred', ended_at: T2, error: 'the circuit is open', error_type: 'CircuitOpen' }),
    ];
    expect(told([run(entries)])).toMatchObject([
      {
        node_id: 'done',
        type: 'node_completed',
        duration_ms: 1_000,
        attempt: 2,
        outputs: {},
        truncated: true,
        timestamp: T2,
      },
      { node_id: 'bad', frame: 'each[3]', type: 'node_failed', error: 'no', error_type: 'BadRequest', duration_ms: 5 },
      { node_id: 'slow', type: 'node_failed', error: '', error_type: 'Unexpected', duration_ms: 0 },
      { node_id: 'busy', type: 'node_started', timestamp: T1 },
      { node_id: 'again', type: 'node_started', timestamp: T0 },
      { node_id: 'lost', type: 'node_started', timestamp: T1 },
      { node_id: 'later', type: 'node_waiting', reason: 'the circuit is open' },
    ]);
  });

  it('is nothing where nothing is known yet, or what a gate keeps back', () => {
    const entries = [
      entry('handed_out', { state: 'scheduled' }),
      entry('never_begun', { state: 'abandoned' }),
      entry('taken_back', { state: 'cancelled', started_at: T1, ended_at: T2 }),
      entry('kept_back', { state: 'deferred', ended_at: T2, error: 'halted', error_type: 'EmergencyHalted' }),
    ];
    expect(told([run(entries)])).toEqual([]);
  });

  it('is the last turn of each, whichever run it was in', () => {
    const latest = run([entry('a', { dispatch: 2, ended_at: T2 }), entry('b', { dispatch: 3, state: 'scheduled' })]);
    const before = run([
      entry('a', { generation: 1, state: 'failed', error: 'again', ended_at: T1 }),
      entry('b', { dispatch: 2, ended_at: T1 }),
      entry('c', { ended_at: T1 }),
    ]);
    expect(told([latest, before])).toMatchObject([
      { node_id: 'a', generation: 1, type: 'node_failed', error: 'again' },
      { node_id: 'c', type: 'node_completed' },
    ]);
  });
});

describe('of a halted execution', () => {
  const marks: readonly TimelineMark[] = [
    { at: T0, type: 'started' },
    { at: T1, type: 'halt', reason: 'mine' },
    { at: T1, type: 'emergency', scope: 'bot/b', state: 'halt', reason: 'theirs' },
    { at: T2, type: 'emergency', scope: 'global', state: 'normal', reason: 'over' },
    { at: T2, type: 'resume', reason: 'on' },
  ];

  it('the last halt it was told of is told', () => {
    expect(told([run([]), run([], marks)], 'halted')).toMatchObject([
      { type: 'execution_halted', scope: 'bot/b', reason: 'theirs', timestamp: T1 },
    ]);
    expect(told([run([], marks)])).toEqual([]);
  });

  it('only that it holds is told where the halt is of an earlier run', () => {
    expect(told([run([])], 'halted')).toMatchObject([
      { type: 'execution_halted', scope: 'execution', reason: 'unspecified', timestamp: T0 },
    ]);
  });
});
