import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import { EventPublisher, EventReader } from '../../src/event-log';
import { HINTS_CHANNEL, Partitions } from '../../src/event-log/keys';
import { MOVED_LENGTH } from '../../src/event-log/scripts';
import { emergencyEvent } from '../../src/events/build';
import type { EventEnvelope } from '../../src/events/envelope';
import { EventFeed } from '../../src/gateway/feed';
import type { GapNotice } from '../../src/gateway/protocol';
import { createLogger } from '../../src/logging';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { AT, context, node, nodeCompleted } from '../support/sample-events';
import { until } from '../support/until';

/** A reader whose answers can be held back. */
class HeldReader extends EventReader {
  replays = 0;
  opened: Promise<void> = Promise.resolve();
  override async replay(...of: Parameters<EventReader['replay']>): ReturnType<EventReader['replay']> {
    this.replays += 1;
    await this.opened;
    return super.replay(...of);
  }
}

const [partition] = new Partitions(1).all;
const run = context('exec_feed');
const heard: EventEnvelope[] = [];
const gaps: GapNotice[] = [];
const refused: string[] = [];
let hints = 0;
let redis: OwnRedis;
let raw: Redis;
let publisher: EventPublisher;
let reader: HeldReader;
let feed: EventFeed;

beforeEach(async () => {
  heard.length = 0;
  gaps.length = 0;
  refused.length = 0;
  hints = 0;
  redis = await startOwnRedis();
  raw = new Redis(redis.url);
  raw.on('error', () => undefined);
  publisher = new EventPublisher(redis.url);
  reader = new HeldReader(redis.url);
  feed = new EventFeed(redis.url, reader, createLogger('feed-test', { level: 'silent', pretty: false }), {
    onEvent: (event) => heard.push(event),
    onGap: (gap) => gaps.push(gap),
    onHint: () => (hints += 1),
    onRefused: (where) => refused.push(where),
  });
  await until('everything is connected', () => publisher.stats().connected && feed.listening);
});

afterEach(async () => {
  feed.close();
  reader.close();
  raw.disconnect();
  await publisher.close({ deadline_ms: 0 });
  await redis.stop();
});

const subscriberId = async () => /\bid=(\d+)/.exec(String(await raw.call('CLIENT', 'LIST', 'TYPE', 'pubsub')))?.[1];

/** Cuts the feed off and waits until it listens again. */
async function cutOff(): Promise<void> {
  const before = await subscriberId();
  await raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await until('listening again', async () => {
    const now = await subscriberId();
    return now !== undefined && now !== before && feed.listening;
  });
}

async function publish(count: number): Promise<void> {
  for (let i = 0; i < count; i++) publisher.publish(node(run, `n${heard.length}_${i}`, nodeCompleted));
  await until('all is published', () => publisher.stats().queued === 0);
}

/** What was published before has been heard once this has. */
async function hint(): Promise<void> {
  const before = hints;
  await raw.publish(HINTS_CHANNEL, JSON.stringify({ type: 'hint' }));
  await until('the hint', () => hints > before);
}

describe('the feed', () => {
  it('reads one hole at a time and lets nothing past until the last is filled', async () => {
    await publish(1);
    await until('the first', () => heard.length === 1);
    const opens: (() => void)[] = [];
    const hold = () => {
      reader.opened = new Promise((resolve) => opens.push(resolve));
    };
    hold();
    await raw.publish(partition.channel, JSON.stringify({ ...heard[0], seq: 3 }));
    await until('the first hole is read', () => reader.replays === 1);
    expect(feed.backfills).toBe(1);
    await cutOff();
    await publish(3);
    await hint();
    expect([heard.length, reader.replays]).toEqual([1, 1]);
    hold();
    opens[0]?.();
    await until('the second hole is read', () => reader.replays === 2);
    await publish(1);
    await hint();
    expect(heard.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    opens[1]?.();
    await until('everything', () => heard.length >= 5);
    await publish(1);
    await until('what is live', () => heard.at(-1)?.seq === 6);
    expect([heard.map(({ seq }) => seq), gaps]).toEqual([[1, 2, 3, 4, 5, 6], []]);
  });

  it.each([
    ['', 0],
    [', also by a clock that is far ahead of that of Redis', 600_000],
  ])('brings what any desk said during a hole%s', async (_also, ahead_ms) => {
    publisher.publish(
      emergencyEvent('second', 'paper', { type: 'emergency_state_changed', desk_epoch: 1 } as never, AT),
    );
    await until('the desk is heard', () => heard.length === 1);
    const fresh: EventEnvelope[] = [];
    const now = Date.now;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + ahead_ms);
    const late = new EventFeed(redis.url, reader, createLogger('late', { level: 'silent', pretty: false }), {
      onEvent: (event) => fresh.push(event),
      onGap: () => undefined,
      onHint: () => undefined,
      onRefused: () => undefined,
    });
    try {
      await until('the second listens', () => late.listening);
      const before = late.backfills;
      await raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await until('a hole is read', () => late.backfills > before);
      await until('the desk is brought', () => fresh.some(({ stream }) => stream === 'desk/second'));
    } finally {
      late.close();
      clock.mockRestore();
    }
  });

  it('tells a gap when more streams moved during a hole than the log remembers', async () => {
    const members = Array.from({ length: MOVED_LENGTH }, (_, i) => [Date.now(), `exec_${i}`]).flat();
    await raw.zadd(partition.moved, ...members);
    await cutOff();
    await until('the gap', () => gaps.some(({ complete, reason }) => !complete && reason === 'out_of_reach'));
  });

  it('brings facts of long ago that were told during a hole, of streams it has not heard of', async () => {
    const [late, between] = [context('exec_late'), context('exec_between')];
    await publish(1);
    await until('the first', () => heard.length === 1);
    redis.freeze();
    await until('the feed notices', () => !feed.listening);
    publisher.publish(node(late, 'a', nodeCompleted));
    publisher.publish(node(between, 'a', nodeCompleted));
    redis.thaw();
    await until('both have come', () => heard.length === 3);
    expect(
      heard
        .slice(1)
        .map(({ stream }) => stream)
        .sort(),
    ).toEqual(['exec_between', 'exec_late']);
    expect(gaps).toEqual([]);
  });

  it('tells once it listens again what a publisher said it had dropped meanwhile', async () => {
    const told = { type: 'gap', dropped: 3, streams: ['exec_gone'], complete: true } as const;
    const frozen = new EventPublisher(redis.url, { max_events: 1 });
    try {
      await until('it is connected', () => frozen.stats().connected);
      redis.freeze();
      await until('the feed notices', () => !feed.listening);
      for (const id of ['a', 'b', 'c', 'd']) frozen.publish(node(context('exec_gone'), id, nodeCompleted));
      redis.thaw();
      await until('the gap is told', () => gaps.length > 0);
      const { type: _, ...rest } = told;
      expect(gaps[0]).toMatchObject({ ...rest, dropped: expect.any(Number) as unknown as number, reason: 'dropped' });
    } finally {
      await frozen.close({ deadline_ms: 0 });
    }
  });

  it('refuses what others publish on its channels', async () => {
    const [events, hintTexts] = [
      ['hi', 'null', '7', '[]', '{}', '{"type":"node_started"}', '{"type":"gap"}', 'x'.repeat(2 ** 20 + 1)],
      ['hi', '{}', '{"type":"hint","execution_id":7}'],
    ];
    for (const text of events) await raw.publish(partition.channel, text);
    for (const text of hintTexts) await raw.publish(HINTS_CHANNEL, text);
    await raw.publish(partition.channel, '{"type":"gap","dropped":2,"streams":[7],"complete":true}');
    await raw.publish(partition.channel, '{"type":"gap","dropped":2,"streams":["a"],"complete":true}');
    await publish(1);
    await until('a real one', () => heard.length === 1);
    expect(heard[0]?.execution_id).toBe(run.execution_id);
    expect([refused.length, gaps]).toEqual([12, [{ reason: 'dropped', dropped: 2, streams: ['a'], complete: true }]]);
  });

  it('believes no event the log does not hold, and goes on with the stream', async () => {
    await publish(1);
    await until('the first', () => heard.length === 1);
    const { log_epoch, ...event } = heard[0]!;
    await raw.publish(partition.channel, JSON.stringify({ ...event, log_epoch, seq: 1_000 }));
    const forged = { ...event, log_epoch: '99999999999999-forged-99999999999999', seq: 1 };
    await raw.publish(partition.channel, JSON.stringify(forged));
    await until('both are refused', () => refused.length === 2);
    await publish(2);
    await until('what is real', () => heard.length === 3);
    expect([heard.map(({ seq }) => seq), gaps]).toEqual([[1, 2, 3], []]);
  });

  it('says when it has begun to listen, and that it has not', async () => {
    const log = createLogger('begins', { level: 'silent', pretty: false });
    const listeners = { onEvent: () => undefined, onGap: () => undefined, onHint: () => undefined };
    const nowhere = new EventFeed('redis://127.0.0.1:1', reader, log, { ...listeners, onRefused: () => undefined });
    try {
      await expect(nowhere.begun(50)).rejects.toMatchObject({ code: 'RedisUnavailable' });
      await feed.begun(5_000);
    } finally {
      nowhere.close();
    }
  });

  it('ends quietly when it is closed while holes are read', async () => {
    await publish(1);
    await until('the first', () => heard.length === 1);
    let open: () => void = () => undefined;
    reader.opened = new Promise((resolve) => (open = resolve));
    await raw.publish(partition.channel, JSON.stringify({ ...heard[0], seq: 3 }));
    await until('the hole is read', () => reader.replays === 1);
    feed.close();
    reader.close();
    open();
    await new Promise((resolve) => setImmediate(resolve));
    expect(gaps).toEqual([]);
  });
});
