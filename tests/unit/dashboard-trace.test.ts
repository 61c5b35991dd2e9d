import { describe, expect, it } from '@jest/globals';
import { awaiting, nodesOf, nodesShown } from '../../dashboard/src/execution/nodes';
import { SpanLog, criticalPath, merged, noteOf, stateOf, statesAt, timeOf } from '../../dashboard/src/execution/trace';
import { insideOf, moveIn, treeOf } from '../../dashboard/src/execution/tree-items';
import type { TraceEvent } from '../../dashboard/src/wire';

const BEGIN = Date.parse('2026-01-05T12:00:00.000Z');
let seq = 0;

function event(type: string, after_ms: number, more: Partial<TraceEvent> = {}): TraceEvent {
  seq += 1;
  return {
    ...{ event_id: `e${seq}`, stream: 'exec_1', log_epoch: 'one', seq, type },
    ...{ timestamp: new Date(BEGIN + after_ms).toISOString(), node_id: 'a', generation: 1, attempt: 1 },
    ...more,
  };
}

function spansOf(events: readonly TraceEvent[]) {
  return new SpanLog().take(events);
}

describe('events from the log and from the feed', () => {
  const [one, two, three] = [event('a', 0), event('b', 1), event('c', 2)];

  it('are each there once, in the order of the log, whichever came first', () => {
    expect(merged([three], [one, two, three])).toEqual([one, two, three]);
    expect(merged([one, two], [three])).toEqual([one, two, three]);
    expect(merged([one, two], [two])).toEqual([one, two]);
    expect(merged([], [one])).toEqual([one]);
    const known = [one];
    expect(merged(known, [])).toBe(known);
  });

  it('of a log that began anew come after those of the one before', () => {
    const anew = { ...event('d', 3), log_epoch: 'two', seq: 1 };
    expect(merged([one, two], [anew])).toEqual([one, two, anew]);
  });
});

describe('the spans of a node', () => {
  it('hold its attempts with what they failed with, from the first to its end', () => {
    const [span] = spansOf([
      event('execution_started', 0, { node_id: undefined as never }),
      event('node_started', 10),
      event('node_retrying', 20, { error: 'busy' }),
      event('node_started', 50, { attempt: 2 }),
      event('node_completed', 80),
    ]);
    expect(span).toMatchObject({
      ...{ key: 'a', state: 'completed', from: BEGIN + 10, to: BEGIN + 80 },
      attempts: [
        { attempt: 1, from: BEGIN + 10, to: BEGIN + 20, error: 'busy' },
        { attempt: 2, from: BEGIN + 50, to: BEGIN + 80 },
      ],
    });
    expect(timeOf(span!, BEGIN + 999)).toEqual({ running: 40, all: 70 });
  });

  it('go on while it runs, and are another one per generation and per iteration of a loop', () => {
    const spans = spansOf([
      event('node_started', 0, { frame: 'each[3]' }),
      event('node_started', 5, { generation: 2 }),
      event('node_waiting', 7, { generation: 1 }),
    ]);
    expect(spans.map(({ key, generation, to }) => [key, generation, to])).toEqual([
      ['each[3]/a', 1, undefined],
      ['a', 2, undefined],
      ['a', 1, undefined],
    ]);
    expect(timeOf(spans[0]!, BEGIN + 30)).toEqual({ running: 30, all: 30 });
  });
});

describe('spans of events that come bit by bit', () => {
  const events = [
    event('node_started', 10),
    event('node_started', 20, { node_id: 'b' }),
    event('node_retrying', 30, { error: 'busy' }),
    event('node_started', 40, { attempt: 2 }),
    event('node_completed', 50, { node_id: 'b' }),
    event('node_completed', 60),
  ];

  it.each([1, 2, 5])('are those of all of them at once, whatever comes together: %i', (size) => {
    const log = new SpanLog();
    const taken: unknown[] = [];
    for (let from = 0; from < events.length; from += size) taken.push(log.take(events.slice(from, from + size)));
    expect(taken.at(-1)).toEqual(spansOf(events));
    expect(log.take([])).toEqual(spansOf(events));
  });

  it('are the latest of them where there are more than are kept', () => {
    const log = new SpanLog(2);
    log.take(['a', 'b', 'c'].map((node_id, at) => event('node_started', at, { node_id })));
    expect(log.take([event('node_started', 9, { node_id: 'd' })]).map(({ key }) => key)).toEqual(['c', 'd']);
  });
});

describe('the critical path', () => {
  const of = (node_id: string, to: number, type = 'node_completed') => event(type, to, { node_id });
  const link = (from: string, to: string) => ({ from, to, label: '', control: false });

  it('leads back from what ended last over whom it waited for last', () => {
    const spans = spansOf([of('fast', 10), of('slow', 50), of('join', 60), of('aside', 40)]);
    const edges = [link('fast', 'join'), link('slow', 'join'), link('fast', 'aside')];
    expect([...criticalPath(spans, edges)]).toEqual(['join', 'slow']);
  });

  it('has nothing that was skipped or has not ended, and ends in a circle too', () => {
    const spans = spansOf([of('a', 10), of('b', 20), of('c', 30, 'node_skipped'), of('d', 40, 'node_started')]);
    expect([...criticalPath(spans, [link('a', 'b'), link('b', 'a')])]).toEqual(['b', 'a']);
    expect(criticalPath([], [])).toEqual(new Set());
  });
});

describe('looking back', () => {
  it('shows each node as it stood at that moment', () => {
    const events = [
      event('node_started', 0),
      event('node_completed', 10),
      event('node_started', 20, { generation: 2 }),
    ];
    const at = (ms: number) => nodesOf(statesAt(events, BEGIN + ms))['a']?.state;
    expect([at(-1), at(5), at(10), at(30)]).toEqual([undefined, 'running', 'completed', 'running']);
  });

  it('is not undone by what is told late of an earlier generation', () => {
    const events = [event('node_started', 0, { generation: 2 }), event('node_failed', 1, { generation: 1 })];
    expect(nodesOf(statesAt(events, BEGIN + 5))['a']?.state).toBe('running');
    expect(stateOf(event('order_filled', 0))).toBe('pending');
  });
});

describe('what is shown of a node', () => {
  const waits = { kind: 'approval', message: 'Sell?' };

  it('is the feed’s word, and the execution’s own where the feed has none', () => {
    const started = event('node_started', 0);
    const nodes = nodesShown(
      { a: { event: started } },
      {
        a: { state: 'completed', type: 'x' },
        b: { state: 'failed', type: 'x', error: 'no' },
        c: { state: 'pending', type: 'x' },
        'each[1]/d': { state: 'waiting', type: 'x', frame: 'each[1]', waits_for: waits },
      },
      {},
    );
    expect(Object.entries(nodes).map(([key, { state }]) => [key, state])).toEqual([
      ['b', 'failed'],
      ['each[1]/d', 'awaiting approval'],
      ['a', 'running'],
    ]);
    expect(nodes['each[1]/d']).toMatchObject({ node_id: 'd', frame: 'each[1]' });
    expect(awaiting(nodes).map(({ key }) => key)).toEqual(['each[1]/d']);
  });

  it('stays the same object while nothing new is told of it', () => {
    const told = { a: { event: event('node_started', 0) } };
    const status = { b: { state: 'running', type: 'x' } };
    const first = nodesShown(told, status, {});
    const again = nodesShown(told, status, first);
    expect([again['a'] === first['a'], again['b'] === first['b']]).toEqual([true, true]);
    expect(nodesShown({ a: { event: event('node_completed', 1) } }, status, first)['a']).not.toBe(first['a']);
  });

  it('says what it waits for once the execution has said so', () => {
    const told = { a: { event: event('approval_requested', 0) } };
    const first = nodesShown(told, {}, {});
    expect(first['a']?.waits_for).toBeUndefined();
    const status = { a: { state: 'waiting', type: 'approval', waits_for: waits } };
    const second = nodesShown(told, status, first);
    expect(second['a']?.waits_for).toBe(waits);
    expect(nodesShown(told, status, second)['a']).toBe(second['a']);
  });
});

describe('the tree of a graph', () => {
  const graph = { nodes: { each: { type: 'map' }, last: { type: 'math', name: 'Last' } } };
  const nodes = nodesOf({ 'each[0]/p': event('node_started', 0, { node_id: 'p', frame: 'each[0]' }) });
  const closed = treeOf(graph, nodes, new Set());
  const opened = treeOf(graph, nodes, new Set(['each']));

  it('has the nodes in their order, and below a loop that is open what it went through', () => {
    expect(closed.map(({ key, name, expanded }) => [key, name, expanded])).toEqual([
      ['each', 'each', false],
      ['last', 'Last', undefined],
    ]);
    expect(insideOf(nodes)).toBe('each[0]/p');
    expect(insideOf(nodesOf({ each: event('node_started', 0, { node_id: 'each' }) }))).toBe('');
    expect(opened.map(({ key, level }) => [key, level])).toEqual([
      ['each', 1],
      ['each[0]/p', 2],
      ['last', 1],
    ]);
  });

  it.each([
    [closed, 'each', 'ArrowDown', { to: 'last' }],
    [closed, 'each', 'ArrowUp', undefined],
    [closed, 'last', 'ArrowUp', { to: 'each' }],
    [closed, 'each', 'ArrowRight', { open: 'each' }],
    [opened, 'each', 'ArrowRight', { to: 'each[0]/p' }],
    [opened, 'each', 'ArrowLeft', { close: 'each' }],
    [opened, 'each[0]/p', 'ArrowLeft', { to: 'each' }],
    [closed, 'last', 'ArrowRight', undefined],
    [closed, 'last', 'ArrowLeft', undefined],
    [closed, 'last', 'Home', { to: 'each' }],
    [closed, 'each', 'End', { to: 'last' }],
    [closed, 'each', 'a', undefined],
    [closed, 'nobody', 'ArrowDown', undefined],
  ])('%# moves as trees do', (items, from, key, move) => {
    expect(moveIn(items, from, key)).toEqual(move);
  });
});

describe('what is said of an event', () => {
  it.each([
    [{ error: 'no', error_type: 'Bad' }, 'Bad: no'],
    [{ error: 'no' }, 'no'],
    [{ new_state: 'halt', reason: 'odd' }, '→ halt: odd'],
    [{ new_state: 'open' }, '→ open'],
    [{ reason: 'took fail' }, 'took fail'],
    [{ duration_ms: 8 }, '8 ms'],
    [{ attempt: 2 }, 'attempt 2'],
    [{}, ''],
  ])('%j is %s', (more, words) => {
    expect(noteOf(event('node_started', 0, more))).toBe(words);
  });
});
