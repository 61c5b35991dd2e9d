import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { EventPublisher, EventReader, isAfter } from '../../src/event-log';
import { circuitEvent, executionEvent, type Publication } from '../../src/events/build';
import type { EventEnvelope, NodeFact } from '../../src/events/envelope';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { AT, completed, context, node, nodeCompleted, nodeStarted, started } from '../support/sample-events';
import { until } from '../support/until';

let redis: OwnRedis;
let publisher: EventPublisher;
let reader: EventReader;
let raw: Redis;
let runs = 0;

beforeAll(async () => {
  redis = await startOwnRedis();
  publisher = new EventPublisher(redis.url);
  reader = new EventReader(redis.url);
  raw = new Redis(redis.url);
  await until('everything is connected', () => publisher.stats().connected);
  await reader.ready(60_000);
});

afterAll(async () => {
  await publisher.close();
  reader.close();
  raw.disconnect();
  await redis.stop();
});

const fresh = () => context(`exec_${++runs}`);

async function publish(...publications: Publication[]): Promise<void> {
  for (const each of publications) publisher.publish(each);
  await until('all are published', () => publisher.stats().queued === 0);
}

const facts: Record<string, NodeFact> = {
  waiting: { type: 'node_waiting', reason: 'breaker open' },
  started: nodeStarted,
  retrying: { type: 'node_retrying', error: 'x', error_type: 'ConnectionError', next_attempt_ms: 5 },
  failed: { type: 'node_failed', error: 'x', error_type: 'TimeoutError', duration_ms: 4 },
  completed: nodeCompleted,
};
const rank: Record<string, number> = { started: 1, retrying: 2, waiting: 3, completed: 6, failed: 7 };

const turnArbitrary = fc.record({
  nodeId: fc.constantFrom('a', 'b', 'c'),
  fact: fc.constantFrom(...Object.keys(facts)),
  generation: fc.integer({ min: 1, max: 2 }),
  dispatch: fc.integer({ min: 1, max: 2 }),
  attempt: fc.integer({ min: 1, max: 12 }),
});
type Turn = typeof turnArbitrary extends fc.Arbitrary<infer T> ? T : never;

/** What must stand in the snapshot: the highest place. */
function standing(turns: readonly Turn[]): Record<string, string> {
  const best = new Map<string, { place: number; id: string }>();
  for (const turn of turns) {
    const { generation, dispatch, attempt } = turn;
    const place = ((generation * 10 + dispatch) * 100 + attempt) * 10 + rank[turn.fact]!;
    const id = publicationOf(context('x'), turn).event.event_id;
    const old = best.get(turn.nodeId);
    if (old === undefined || place > old.place) best.set(turn.nodeId, { place, id });
  }
  return Object.fromEntries([...best].map(([key, { id }]) => [key, id.replace(/^x\|/, '')]));
}

const publicationOf = (of: ReturnType<typeof context>, turn: Turn) => node(of, turn.nodeId, facts[turn.fact]!, turn);

describe('the log script', () => {
  it('takes each event once, numbers without holes, and keeps the highest place of every node, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(turnArbitrary, { maxLength: 60 }), async (turns) => {
        const of = fresh();
        await publish(...turns.map((turn) => publicationOf(of, turn)));
        const { events, recovered } = await reader.replay(of.execution_id);
        const ids = [...new Set(turns.map((turn) => publicationOf(of, turn).event.event_id))];
        expect(recovered).toBe(true);
        expect(events.map(({ event_id }) => event_id)).toEqual(ids);
        expect(events.map(({ seq }) => seq)).toEqual(ids.map((_, index) => index + 1));
        const { nodes, position } = await reader.snapshot(of.execution_id);
        expect(position.seq).toBe(ids.length);
        const shown = Object.entries(nodes).map(([key, event]) => [
          key,
          event.event_id.slice(of.execution_id.length + 1),
        ]);
        expect(Object.fromEntries(shown)).toEqual(standing(turns));
      }),
      { numRuns: 60 },
    );
  });

  it('adds log_epoch and seq to an event and changes nothing else, empty lists included', async () => {
    const of = fresh();
    const publication = node(of, 'a', nodeCompleted);
    await publish(publication);
    const [event] = (await reader.replay(of.execution_id)).events;
    expect(event).toEqual({ ...publication.event, log_epoch: expect.stringMatching(/^\d+-\w{8}-\d+$/), seq: 1 });
  });

  it('shows the last state change of an execution however they arrive, and its end for good', async () => {
    const of = fresh();
    const change = (ordinal: number, type: 'execution_halted' | 'execution_resumed') =>
      executionEvent(of, ordinal, { type, reason: 'test', scope: 'execution' }, AT + ordinal);
    await publish(change(2, 'execution_resumed'), change(1, 'execution_halted'), started(of));
    expect((await reader.snapshot(of.execution_id)).latest?.type).toBe('execution_resumed');
    await publish(completed(of, AT + 10), change(3, 'execution_halted'));
    const snapshot = await reader.snapshot(of.execution_id);
    expect(snapshot).toMatchObject({ started: true, ended: true, latest: { type: 'execution_completed' } });
    expect(snapshot.position.seq).toBe(5);
  });

  it('says which execution a workflow ran last, in which state, and when it last moved', async () => {
    const of = context(`exec_${++runs}`, { workflow_id: 'told' });
    await publish(started(of), node(of, 'a', nodeStarted));
    const read = () => raw.hgetall('workflow:told:status');
    expect(await read()).toEqual({
      execution_id: of.execution_id,
      state: 'running',
      last_event_at: '2026-01-05T12:00:00.000Z',
    });
    await publish(completed(of, AT + 1_000));
    expect(await read()).toMatchObject({ state: 'completed', last_event_at: '2026-01-05T12:00:01.000Z' });
    const older = context(`exec_${++runs}`, { workflow_id: 'told' });
    await publish(started(older, AT - 60_000));
    expect(await read()).toMatchObject({ execution_id: of.execution_id });
  });

  it('knows which executions are open, and which are recent by workflow, bot, strategy and over all', async () => {
    const of = context(`exec_${++runs}`, { workflow_id: 'w1', bot_id: 'b1', strategy_id: 's1' });
    const open = async () => (await reader.openExecutions()).map(({ execution_id }) => execution_id);
    await publish(started(of));
    expect(await open()).toContain(of.execution_id);
    await publish(completed(of, AT + 86_400_000), node(of, 'late', nodeStarted));
    expect(await open()).not.toContain(of.execution_id);
    for (const scope of [{ workflow_id: 'w1' }, { bot_id: 'b1' }, { strategy_id: 's1' }]) {
      expect(await reader.recent(scope)).toEqual([of.execution_id]);
    }
    expect((await reader.recent({ all: true }))[0]).toBe(of.execution_id);
    expect(await reader.recent({ all: true }, 10, AT + 86_400_001)).toEqual([]);
    expect(await reader.amongRecent({ bot_id: 'b1' }, [of.execution_id, 'other'])).toEqual(new Set([of.execution_id]));
  });

  it('keeps the latest 2,000 events, and says so to a reader that is further behind', async () => {
    const of = fresh();
    const many = Array.from({ length: 2_100 }, (_, i) => node(of, `n${i}`, nodeCompleted));
    await publish(...many);
    const position = (await reader.snapshot(of.execution_id)).position;
    expect(position.seq).toBe(2_100);
    const near = await reader.replay(of.execution_id, { ...position, seq: 100 }, 2_000);
    expect([near.recovered, near.events.length]).toEqual([true, 2_000]);
    const far = await reader.replay(of.execution_id, { ...position, seq: 99 }, 3_000);
    expect(far.recovered).toBe(false);
    const tooMany = await reader.replay(of.execution_id, { ...position, seq: 1_000 }, 300);
    expect([tooMany.recovered, tooMany.events.length]).toEqual([false, 0]);
    expect((await reader.replay(of.execution_id, { ...position, seq: 2_101 })).recovered).toBe(false);
  });

  it('does not take a stream that began anew for its former self, also within one second', async () => {
    const of = fresh();
    await publish(started(of));
    const before = (await reader.snapshot(of.execution_id)).position;
    await raw.del(`holdfast:meta:${of.execution_id}`);
    await publish(node(of, 'a', nodeStarted), node(of, 'a', nodeCompleted));
    const replay = await reader.replay(of.execution_id, before);
    expect(replay).toMatchObject({ recovered: false, position: { seq: 2 } });
  });

  it('shows a node that waits, or whose approval is asked for, as that and not as one that has begun', async () => {
    const of = fresh();
    const asked = node(of, 'b', { type: 'approval_requested', approvers: ['lead'] });
    await publish(node(of, 'a', nodeStarted), node(of, 'a', { type: 'node_waiting', reason: 'waits for 1h' }));
    await publish(node(of, 'b', nodeStarted), node(of, 'b', { type: 'node_waiting', reason: 'waits' }), asked);
    const { nodes } = await reader.snapshot(of.execution_id);
    expect([nodes['a']?.type, nodes['b']?.type]).toEqual(['node_waiting', 'approval_requested']);
    await publish(
      node(of, 'a', nodeCompleted),
      node(of, 'b', { type: 'approval_given', actor: 'ann', decision: 'approved' }),
    );
    const later = (await reader.snapshot(of.execution_id)).nodes;
    expect([later['a']?.type, later['b']?.type]).toEqual(['node_completed', 'approval_given']);
  });

  it('takes a repair where it stands above what the log has, and never after something newer', async () => {
    const of = fresh();
    const repair = (publication: Publication): Publication => ({ ...publication, repairs: true });
    await publish(repair(started(of)), repair(node(of, 'a', nodeStarted)), node(of, 'b', nodeCompleted));
    await publish(repair(node(of, 'a', nodeCompleted)), repair(node(of, 'b', nodeStarted)));
    await publish(repair(node(of, 'b', nodeStarted, { dispatch: 2 })));
    const { events } = await reader.replay(of.execution_id);
    expect(events.map(({ type, node_id }) => [type, node_id])).toEqual([
      ['execution_started', undefined],
      ['node_started', 'a'],
      ['node_completed', 'b'],
      ['node_completed', 'a'],
      ['node_started', 'b'],
    ]);
    const halted = executionEvent(of, 1, { type: 'execution_halted', reason: 'r', scope: 'execution' }, AT);
    const other = fresh();
    await publish({
      ...halted,
      event: { ...halted.event, stream: other.execution_id, execution_id: other.execution_id },
    });
    await publish(repair(started(other)));
    expect(await reader.progressOf([other.execution_id])).toMatchObject(
      new Map([[other.execution_id, { started: true, ended: false, position: { seq: 2 } }]]),
    );
  });

  it('begins a stream anew once for each run a reset made, and takes what was known before again', async () => {
    const of = fresh();
    await publish(started(of), node(of, 'a', nodeCompleted), completed(of));
    const before = (await reader.snapshot(of.execution_id)).position;
    expect(await publisher.renew(of.execution_id, 'run-2')).toBe(true);
    expect(await publisher.renew(of.execution_id, 'run-2')).toBe(false);
    expect(await reader.snapshot(of.execution_id)).toMatchObject({ started: false, ended: false, nodes: {} });
    await publish(started(of), node(of, 'a', nodeStarted), node(of, 'a', nodeCompleted));
    const replay = await reader.replay(of.execution_id, before);
    expect(replay).toMatchObject({ recovered: false, position: { seq: 3 } });
    expect(isAfter(replay.position, before)).toBe(true);
    expect(await publisher.renew(of.execution_id, 'run-2')).toBe(false);
    expect(await publisher.renew(of.execution_id, 'run-3')).toBe(true);
  });

  it('gives a stream to one gateway at a time, and to the same again', async () => {
    const { execution_id } = fresh();
    expect(await publisher.claim(execution_id, 'first')).toBe(true);
    expect(await publisher.claim(execution_id, 'second')).toBe(false);
    expect(await publisher.claim(execution_id, 'first')).toBe(true);
    await raw.del(`holdfast:claim:${execution_id}`);
    expect(await publisher.claim(execution_id, 'second')).toBe(true);
    expect(await raw.ttl(`holdfast:claim:${execution_id}`)).toBeGreaterThan(0);
  });

  it('keeps and passes on the change of a circuit breaker, once, and shows it as no state of its node or execution', async () => {
    const of = fresh();
    await publish(started(of), node(of, 'a', nodeStarted));
    const before = await reader.snapshot(of.execution_id);
    const listener = new Redis(redis.url);
    const heard: EventEnvelope[] = [];
    await listener.subscribe('workflow_events');
    listener.on('message', (_, text) => heard.push(JSON.parse(text) as EventEnvelope));
    const place = { ...of, node_id: 'a', node_type: 'ticker', frame: '' };
    const fact = { type: 'circuit_state_changed', resource: 'r', previous_state: 'closed', new_state: 'open' } as const;
    const change = circuitEvent(place, fact, { worker_id: 'w', ordinal: 1 }, AT);
    await publish(change, change, node(of, 'a', nodeCompleted));
    await until('what comes after it', () => heard.length === 2);
    listener.disconnect();
    expect(heard).toMatchObject([
      { ...change.event, seq: 3 },
      { type: 'node_completed', seq: 4 },
    ]);
    const { events } = await reader.replay(of.execution_id);
    expect(events.map(({ type }) => type)).toContain('circuit_state_changed');
    const after = await reader.snapshot(of.execution_id);
    expect([after.latest, Object.keys(after.nodes)]).toEqual([before.latest, ['a']]);
    expect(after.nodes['a']).toMatchObject({ type: 'node_completed' });
  });

  it('passes a hint on without numbering it', async () => {
    const of = fresh();
    const listener = new Redis(redis.url);
    const hints: EventEnvelope[] = [];
    await listener.subscribe('execution_hints');
    listener.on('message', (_, text) => hints.push(JSON.parse(text) as EventEnvelope));
    await publish(executionEvent(of, 'ending', { type: 'execution_ending' }, AT));
    await until('the hint', () => hints.length === 1);
    expect(hints[0]).toMatchObject({ type: 'execution_ending', execution_id: of.execution_id });
    expect((await reader.snapshot(of.execution_id)).position.seq).toBe(0);
    listener.disconnect();
  });

  it('passes over what others put into a stream or a snapshot, counts it, and loses no event to it', async () => {
    const of = fresh();
    const refused: string[] = [];
    const wary = new EventReader(redis.url, { onRefused: (stream) => refused.push(stream) });
    await wary.ready(60_000);
    await publish(started(of), node(of, 'a', nodeCompleted));
    const stream = `holdfast:stream:${of.execution_id}`;
    await raw.hset(`holdfast:snapshot:${of.execution_id}`, 'x', 'junk', 'y', '1,1,1,1{"type":"node_completed"}');
    expect(Object.keys((await wary.snapshot(of.execution_id)).nodes)).toEqual(['a']);
    expect(refused).toEqual([of.execution_id, of.execution_id]);

    // Behind the last entry, with a number no event will reach: Redis takes none after it.
    await raw.xadd(stream, '*', 'e', '{"type":"forged"}');
    expect(await wary.replay(of.execution_id)).toMatchObject({ recovered: true, events: [{ seq: 1 }, { seq: 2 }] });
    await publish(node(of, 'b', nodeCompleted));
    const { log_epoch } = (await wary.snapshot(of.execution_id)).position;
    const { position, ...after } = await wary.replay(of.execution_id, { log_epoch, seq: 2 });
    expect([position.seq, after]).toMatchObject([3, { recovered: true, events: [{ node_id: 'b', seq: 3 }] }]);
    expect(await wary.replay(of.execution_id)).toMatchObject({ recovered: false });

    // Between two: it is no entry of the log's.
    await publish(node(of, 'c', nodeCompleted));
    await raw.xdel(stream, '4-0');
    await raw.xadd(stream, '4-1', 'e', '{"type":"forged"}');
    expect(await wary.replay(of.execution_id, { ...position, seq: 3 })).toMatchObject({ recovered: false, events: [] });
    wary.close();
  });

  it('gives no event of another stream for one of this', async () => {
    const [mine, theirs] = [fresh(), fresh()];
    const refused: string[] = [];
    const wary = new EventReader(redis.url, { onRefused: (stream) => refused.push(stream) });
    await wary.ready(60_000);
    await publish(started(mine), started(theirs));
    const [[, [, event]]] = (await raw.xrange(`holdfast:stream:${theirs.execution_id}`, '-', '+')) as [
      [string, string[]],
    ];
    await raw.del(`holdfast:stream:${mine.execution_id}`);
    await raw.xadd(`holdfast:stream:${mine.execution_id}`, '1-0', 'e', event!);
    expect(await wary.replay(mine.execution_id)).toMatchObject({ recovered: false, events: [] });
    expect(refused).toEqual([mine.execution_id]);
    wary.close();
  });
});
