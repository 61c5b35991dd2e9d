/** Timelines of recorded executions. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { temporal } from '@temporalio/proto';
import { nodeEntries, type HistoryEvent, type TimelineEntry } from '../../src/temporal-client/timeline';
import { hasEnded, marksOf } from '../../src/temporal-client/timeline-marks';
import { insideEntries } from '../../src/temporal-client/timelines';
import type { NodeStatus } from '../../src/workflows/messages';
import { nodeOfSummary, nodeSummary } from '../../src/workflows/node-summary';

function recorded(name: string): readonly HistoryEvent[] {
  const text = readFileSync(join(__dirname, '../replay', `${name}.json`), 'utf8');
  return temporal.api.history.v1.History.fromObject(JSON.parse(text) as object).events;
}

function entriesOf(name: string): readonly TimelineEntry[] {
  const events = recorded(name);
  return nodeEntries(events, { is_closed: hasEnded(events) });
}

const brief = ({ node, generation, dispatch, state, attempt }: TimelineEntry) =>
  [node, generation, dispatch, state, attempt].join(' ');

describe('a timeline from a history', () => {
  it('holds each node of a chain of local activities once, in order, with when and for how long it ran', () => {
    const entries = entriesOf('pure-chain');
    expect(entries.map(({ node }) => node)).toEqual(Array.from({ length: 80 }, (_, at) => `n${at}`));
    for (const entry of entries) {
      expect(entry).toMatchObject({ where: 'workflow_task', node_type: 'constant', state: 'completed', attempt: 1 });
      const { scheduled_at = '', started_at = '', ended_at = '', waited_ms = -1, ran_ms = -1 } = entry;
      expect([scheduled_at <= started_at, started_at <= ended_at]).toEqual([true, true]);
      expect(Date.parse(started_at) - Date.parse(scheduled_at)).toBe(waited_ms);
      expect(Date.parse(ended_at) - Date.parse(started_at)).toBe(ran_ms);
    }
  });

  it('counts the attempts of a node that was retried, and says how the one before the last failed', () => {
    expect(entriesOf('retry')).toEqual([
      {
        ...{ node: 'flaky', node_type: 'test_failing', generation: 0, dispatch: 1, where: 'worker' },
        ...{ state: 'completed', attempt: 3 },
        ...{ scheduled_at: expect.any(String), started_at: expect.any(String), ended_at: expect.any(String) },
        ...{ waited_ms: expect.any(Number), ran_ms: expect.any(Number) },
        before: { error: 'refused, run 2', error_type: 'ConnectionError' },
      },
    ]);
    const [{ waited_ms = 0, ran_ms = 0 } = {}] = entriesOf('retry');
    // Two delays, of 20 and of 40 ms.
    expect(waited_ms).toBeGreaterThanOrEqual(60);
    expect(ran_ms).toBeLessThan(waited_ms);
  });

  it('tells failures in their own words, on workers and in workflow tasks', () => {
    const entries = entriesOf('failure');
    expect(entries.map(brief)).toEqual([
      'handled 0  failed 1',
      'on_error 0  completed 1',
      'runs 0 1 completed 1',
      'breaks 0 1 failed 1',
    ]);
    expect(entries[0]).toMatchObject({ error: 'b: is zero and cannot divide', error_type: 'InvalidInput' });
    expect(entries[3]).toMatchObject({ error: 'as told', error_type: 'InvalidInput' });
  });

  it('has an entry for each time a node was handed out: taken back by a halt, deferred, begun anew', () => {
    expect(entriesOf('halt-and-resume').map(brief)).toEqual([
      'flaky 0 1 cancelled ',
      'runs 0 1 completed 1',
      'after 0  completed 1',
      'flaky 0 2 completed 1',
    ]);
    expect(entriesOf('deferred').map(brief).sort()).toEqual([
      'first 0 1 completed 1',
      'second 0 1 deferred 1',
      'second 0 2 completed 1',
    ]);
    expect(entriesOf('steered').map(brief)).toEqual(['breaks 0 1 failed 1', 'breaks 1 1 failed 1']);
  });

  it('shows a subgraph by its child, whose own word is its end where Temporal’s never came', () => {
    expect(entriesOf('subgraph-halted')).toMatchObject([
      {
        ...{ node: 'other', node_type: 'subgraph', where: 'child', state: 'failed' },
        ...{ child_id: 'exec_test_9c794d02.other', error_type: 'ExecutionCancelled' },
      },
    ]);
  });

  it('leaves out what is no node, and finds nodes inside loops by their keys', () => {
    const keys = new Set(entriesOf('every-construct').map(({ node }) => node));
    expect([...keys].filter((key) => key.includes('['))).not.toEqual([]);
    expect([...keys].join()).not.toMatch(/assertCanOperate|undefined/);
  });

  it('goes by what Temporal says of activities while they have not ended', () => {
    const all = recorded('failure');
    const until = all.findIndex(({ activityTaskStartedEventAttributes: started }, at) => at > 8 && started != null);
    const events = all.slice(0, until);
    const [activityId] = events.flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
      scheduled?.activityType?.name === 'test_slow' ? [scheduled.activityId ?? ''] : [],
    );
    const lastStartedTime = { seconds: 1_795_497_933 as never, nanos: 5_000_000 };
    const lastFailure = { message: 'busy', applicationFailureInfo: { type: 'ServiceError' } };
    const one = (pending: object) =>
      nodeEntries(events, { pending: [{ activityId: activityId ?? '', ...pending }], is_closed: false }).find(
        ({ node }) => node === 'runs',
      );
    expect(one({ state: 2, attempt: 2, lastStartedTime, lastFailure })).toMatchObject({
      ...{ state: 'running', attempt: 2, started_at: '2026-11-24T05:25:33.005Z' },
      before: { error: 'busy', error_type: 'ServiceError' },
    });
    expect(one({ state: 1, attempt: 3, lastFailure })).toMatchObject({ state: 'retrying', attempt: 2 });
    expect(one({ state: 1, attempt: 1 })).toMatchObject({ state: 'scheduled', attempt: 0 });
    expect(nodeEntries(events, { is_closed: true }).find(({ node }) => node === 'runs')).toMatchObject({
      state: 'abandoned',
    });
  });

  it('passes over what it cannot read', () => {
    const broken = { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{') }] };
    const events = [
      { activityTaskScheduledEventAttributes: { input: broken } },
      { markerRecordedEventAttributes: { markerName: 'core_local_activity', details: { data: broken } } },
      { activityTaskCompletedEventAttributes: { result: broken } },
      { workflowExecutionSignaledEventAttributes: { signalName: 'child_ended', input: broken } },
      { workflowExecutionUpdateAcceptedEventAttributes: { acceptedRequest: { input: { name: 'approve' } } } },
      { workflowExecutionSignaledEventAttributes: { signalName: 'halt', input: broken }, eventTime: { nanos: 0 } },
    ];
    expect(nodeEntries(events, { is_closed: true })).toEqual([]);
    expect(marksOf(events)).toEqual([{ at: '1970-01-01T00:00:00.000Z', type: 'halt', reason: 'unspecified' }]);
  });
});

describe('the marks of a history', () => {
  const typesOf = (name: string) => marksOf(recorded(name)).map(({ type }) => type);

  it('are its start, what it was told, and its end', () => {
    expect(typesOf('halt-and-resume')).toEqual(['started', 'halt', 'resume', 'completed']);
    expect(marksOf(recorded('halt-and-resume'))).toMatchObject([{}, { reason: 'look' }, { reason: 'looked' }, {}]);
    expect(marksOf(recorded('halted-by-the-desk'))).toContainEqual(
      expect.objectContaining({ type: 'emergency', scope: 'global', state: 'halt' }),
    );
    expect(typesOf('continued-first-run').at(-1)).toBe('continued');
    expect(marksOf(recorded('failure')).at(-1)).toMatchObject({ type: 'failed', error_type: 'NodeFailed' });
    expect(typesOf('cancel')).toEqual(['started', 'cancel', 'cancelled']);
  });

  it('name who steered which node', () => {
    expect(marksOf(recorded('steered')).slice(1, -1)).toMatchObject([
      { type: 'retry_node', node: 'breaks', actor: 'ann' },
      { type: 'retry_node', node: 'nap', actor: 'ann' },
      { type: 'skip_node', node: 'nap', actor: 'ann' },
      { type: 'skip_node', node: 'ask', actor: 'ann' },
    ]);
  });
});

describe('what an execution’s own account adds', () => {
  const kinds = { wait: { effect: 'control' }, map: { effect: 'control' }, notify: { effect: 'notify' } } as never;
  const common = { generation: 0, dispatch: 1 };
  const first_at = '2026-01-05T12:00:00.000Z';
  const inside = (nodes: Record<string, NodeStatus>) => insideEntries({ entries: [], kinds }, { nodes });

  it('is nodes that run inside the workflow, with their times: waits wait, loops run', () => {
    expect(
      inside({
        nap: { ...common, type: 'wait', state: 'completed', first_at, duration_ms: 1_000 },
        each: { ...common, type: 'map', state: 'running', first_at },
        later: { ...common, type: 'wait', state: 'pending' },
        told: { ...common, type: 'notify', state: 'completed', duration_ms: 5 },
      }),
    ).toEqual([
      {
        ...{ node: 'nap', node_type: 'wait', generation: 0, where: 'workflow', state: 'completed', waited_ms: 1_000 },
        ...{ scheduled_at: first_at, started_at: first_at, ended_at: '2026-01-05T12:00:01.000Z' },
      },
      {
        ...{ node: 'each', node_type: 'map', generation: 0, where: 'workflow', state: 'running' },
        ...{ scheduled_at: first_at, started_at: first_at },
      },
    ]);
  });

  it('is what was skipped, and what was refused because its inputs were too old', () => {
    const error = { error: 'too old', error_type: 'StaleInput' };
    expect(
      inside({
        not: { ...common, type: 'notify', state: 'skipped', reason: 'no' },
        old: { ...common, type: 'notify', state: 'failed', ...error },
      }),
    ).toMatchObject([
      { node: 'not', state: 'skipped' },
      { node: 'old', state: 'failed', ...error },
    ]);
  });

  it('is nothing the history has already', () => {
    const entries = [{ ...common, node: 'nap', node_type: 'wait', where: 'child', state: 'completed' }] as const;
    const nodes = { nap: { ...common, type: 'wait', state: 'completed' } } as const;
    expect(insideEntries({ entries, kinds }, { nodes })).toEqual([]);
  });
});

describe('the summary of a node in the history', () => {
  it('is its key, and its generation where it is not the first', () => {
    expect(nodeSummary('', 'price', 0)).toBe('price');
    expect(nodeSummary('each[3]', 'price', 2)).toBe('each[3]/price~2');
    expect(nodeOfSummary('each[3]/price~2')).toEqual({ node: 'each[3]/price', generation: 2 });
    expect(nodeOfSummary('price')).toEqual({ node: 'price', generation: 0 });
  });

  it('stays below what the server takes: a key that is too long gives way to the node’s id', () => {
    expect(nodeSummary('each[3]/'.repeat(40), 'price', 1)).toBe('price~1');
  });

  it('is nothing else', () => {
    for (const other of [undefined, '', '~1', 'a~b', 7]) expect(nodeOfSummary(other)).toBeUndefined();
  });
});
