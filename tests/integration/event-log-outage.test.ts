import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventPublisher, EventReader, EventSubscriber, isAfter, type Cursor, type Gap } from '../../src/event-log';
import type { EventEnvelope } from '../../src/events/envelope';
import { emptied, startOwnRedis, type OwnRedis } from '../support/own-redis';
import { context, node, nodeCompleted, nodeStarted, started } from '../support/sample-events';
import { until } from '../support/until';

const run = context('exec_outage');
const heard: EventEnvelope[] = [];
const gaps: Gap[] = [];
let holes = 0;
let redis: OwnRedis;
let publisher: EventPublisher;
let reader: EventReader;
let subscriber: EventSubscriber;

beforeEach(async () => {
  heard.length = 0;
  gaps.length = 0;
  holes = 0;
  redis = await startOwnRedis();
  publisher = new EventPublisher(redis.url, { max_events: 1_000 });
  reader = new EventReader(redis.url);
  subscriber = new EventSubscriber(redis.url, {
    onEvent: (event) => heard.push(event),
    onGap: (gap) => gaps.push(gap),
    onHole: () => (holes += 1),
  });
  await until('everything is connected', () => publisher.stats().connected && subscriber.listening);
});

afterEach(async () => {
  redis.thaw();
  await publisher.close({ deadline_ms: 0 });
  reader.close();
  subscriber.close();
  await redis.stop();
});

describe('a publisher whose Redis fails', () => {
  it('loses and doubles nothing when Redis hangs for longer than several time-outs, and never holds up its caller', async () => {
    publisher.publish(started(run));
    await until('the first event', () => heard.length === 1);
    redis.freeze();
    const begun = performance.now();
    for (let i = 0; i < 500; i++) publisher.publish(node(run, `n${i}`, nodeStarted));
    expect(performance.now() - begun).toBeLessThan(2_000);
    await until('the publisher notices', () => !publisher.stats().connected);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(publisher.stats()).toMatchObject({ queued: 500, dropped: 0 });
    redis.thaw();
    await until('the queue drains', () => publisher.stats().queued === 0);
    const { events } = await until('the reader is back', () =>
      reader.replay(run.execution_id, undefined, 2_000).catch(() => undefined),
    );
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 501 }, (_, i) => i + 1));
    expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(501);
  });

  it('keeps facts before progress when it must drop, and says how much is missing', async () => {
    redis.freeze();
    for (let i = 0; i < 800; i++) publisher.publish(node(run, `n${i}`, nodeStarted));
    for (let i = 0; i < 900; i++) publisher.publish(node(run, `n${i}`, nodeCompleted));
    const { dropped, queued } = publisher.stats();
    expect(dropped).toBe(1_700 - queued);
    expect(queued).toBeLessThanOrEqual(1_200);
    redis.thaw();
    await until('the queue drains', () => publisher.stats().queued === 0);
    await until('the gap is announced', () => gaps.length === 1);
    expect(gaps[0]).toEqual({ type: 'gap', dropped, streams: [run.execution_id], complete: true });
    const kept = await until('the reader is back', () => reader.gapsWithin(600_000).catch(() => undefined));
    expect(kept).toEqual({ found: gaps, complete: true });
    const { nodes } = await until('the reader is back', () => reader.snapshot(run.execution_id).catch(() => undefined));
    expect(Object.values(nodes).every(({ type }) => type === 'node_completed')).toBe(true);
    expect(Object.keys(nodes)).toHaveLength(900);
  });

  it('goes on under a new log epoch after Redis was killed and came back empty', async () => {
    publisher.publish(started(run));
    await until('the first event', () => heard.length === 1);
    await redis.kill();
    publisher.publish(node(run, 'a', nodeStarted));
    await redis.start();
    // What was told before the subscriber was back is in the log; what comes after it is heard.
    await until('the subscriber is back', () => holes === 1);
    publisher.publish(node(run, 'b', nodeStarted));
    await until('an event after the hole', () => heard.at(-1)?.node_id === 'b');
    const { events } = await until('the reader is back', () => reader.replay(run.execution_id).catch(() => undefined));
    expect(events.map(({ node_id }) => node_id)).toEqual(['a', 'b']);
    expect(heard.at(-1)!.log_epoch).not.toBe(heard[0]!.log_epoch);
    const cursor = { log_epoch: heard[0]!.log_epoch, seq: 1 };
    const replay = await until('the reader is back', () =>
      reader.replay(run.execution_id, cursor).catch(() => undefined),
    );
    expect(replay).toMatchObject({ recovered: false, events: [] });
  });

  it('goes on after where it was, however often an older dump is put back', async () => {
    publisher.publish(started(run));
    await until('the first event', () => heard.length === 1);
    await redis.dump();
    publisher.publish(node(run, 'lost', nodeCompleted));
    await until('the second event', () => heard.length === 2);
    let before: Cursor = heard[1]!;
    for (const id of ['a', 'b', 'c']) {
      await redis.kill();
      await redis.restore();
      const found = await until('the reader is back', () => reader.replay(run.execution_id).catch(() => undefined));
      expect(found.position.seq).toBe(1);
      // The log looks as if nothing had come after this, and yet something had.
      expect(await reader.replay(run.execution_id, found.position)).toMatchObject({ recovered: false });
      publisher.publish(node(run, id, nodeCompleted));
      await until('it is published', () => publisher.stats().connected && publisher.stats().queued === 0);
      const { position } = await reader.snapshot(run.execution_id);
      expect([position.seq, isAfter(position, before)]).toEqual([2, true]);
      before = position;
    }
  });

  it('has another id whenever the log may have lost something, and the same while it has not', async () => {
    const ids = new Set<string>();
    const seen = async () => {
      publisher.publish(node(run, `n${ids.size}`, nodeCompleted));
      await until('it is published', () => publisher.stats().connected && publisher.stats().queued === 0);
      const id = await until('the reader is back', () => reader.logId().catch(() => undefined));
      ids.add(id);
      return id;
    };
    expect(await seen()).toBe(await seen());
    await redis.dump();
    await emptied(redis.url);
    await seen();
    await redis.kill();
    await redis.restore();
    await seen();
    expect(ids.size).toBe(3);
  });

  it('can be begun before its first event, which then makes no other log of it', async () => {
    await emptied(redis.url);
    const empty = await reader.logId();
    await publisher.begin();
    const begun = await reader.logId();
    expect(begun).not.toBe(empty);
    await publisher.begin();
    await publisher.deliver([node(run, 'first', nodeCompleted)], 60_000);
    expect(await reader.logId()).toBe(begun);
    const other = new EventReader(redis.url, { partitions: 2 });
    await expect(other.ready(60_000).then(() => other.recent({ all: true }))).rejects.toThrow(
      'The event log has 1 part',
    );
    other.close();
  });

  it('flushes on close, and closes at its deadline when Redis hangs', async () => {
    for (let i = 0; i < 300; i++) publisher.publish(node(run, `n${i}`, nodeCompleted));
    await publisher.close({ deadline_ms: 60_000 });
    expect(publisher.stats().queued).toBe(0);
    const second = new EventPublisher(redis.url);
    await until('connected', () => second.stats().connected);
    redis.freeze();
    second.publish(node(run, 'late', nodeStarted));
    const begun = Date.now();
    await second.close({ deadline_ms: 300 });
    expect(Date.now() - begun).toBeLessThan(1_000);
    second.publish(node(run, 'later', nodeStarted));
    expect(second.stats().queued).toBe(1);
  });
});
