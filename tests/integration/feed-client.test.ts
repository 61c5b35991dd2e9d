import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { EventPublisher } from '../../src/event-log';
import { Partitions } from '../../src/event-log/keys';
import type { EventEnvelope } from '../../src/events/envelope';
import { Feed, FeedError, type FeedOptions, type FeedStatus, type GapNotice } from '../../src/feed-client';
import { startGateway, token, type GatewayUnderTest } from '../support/gateway-under-test';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { completed, context, node, nodeCompleted, nodeStarted, started } from '../support/sample-events';
import { until } from '../support/until';

let redis: OwnRedis;
let gateway: GatewayUnderTest;
let publisher: EventPublisher;
let raw: Redis;
let runs = 0;
const [partition] = new Partitions(1).all;
const feeds: Feed[] = [];

beforeAll(async () => {
  redis = await startOwnRedis();
  gateway = await startGateway({ redisUrl: redis.url });
  publisher = new EventPublisher(redis.url);
  raw = new Redis(redis.url);
  raw.on('error', () => undefined);
  await until('the publisher is connected', () => publisher.stats().connected);
  await until('the gateway is ready', async () => (await fetch(`${gateway.url}/readyz`)).ok);
});

afterEach(() => {
  for (const feed of feeds.splice(0)) feed.close();
});

afterAll(async () => {
  raw.disconnect();
  await redis.stop();
  await publisher.close();
  await gateway.close();
});

function open(options: Partial<FeedOptions> = {}) {
  const feed = new Feed({ url: gateway.url, token: () => token(), ...options });
  feeds.push(feed);
  const events: EventEnvelope[] = [];
  const statuses: FeedStatus['state'][] = [];
  const gaps: GapNotice[] = [];
  feed.on('event', (event) => events.push(event));
  feed.on('status', ({ state }) => statuses.push(state));
  feed.on('gap', (gap) => gaps.push(gap));
  return { feed, events, statuses, gaps };
}

const fresh = () => context(`exec_feed_${++runs}`, { workflow_id: `feed_${runs}`, bot_id: `bot_feed_${runs}` });
/** As if an event had been taken by the log and lost on the way to the gateway. */
async function lose(id: string, of: ReturnType<typeof fresh>, after: EventEnvelope): Promise<void> {
  const event = { ...node(of, id, nodeCompleted).event, log_epoch: after.log_epoch, seq: after.seq };
  await raw.hset(partition.snapshot(of.execution_id), id, `1,1,1,6${JSON.stringify(event)}`);
}

async function announce(gap: Omit<GapNotice, 'reason'>): Promise<void> {
  await raw.publish(partition.channel, JSON.stringify({ type: 'gap', ...gap }));
}

const drained = () => until('all is published', () => publisher.stats().queued === 0);
const seqsOf = (events: readonly EventEnvelope[]) => events.map(({ seq }) => seq);

describe('a feed', () => {
  it('tells the past and the present once and in order, and shows what they come to', async () => {
    const of = fresh();
    publisher.publish(started(of));
    publisher.publish(node(of, 'a', nodeStarted));
    await drained();
    const { feed, events, statuses } = open();
    await feed.watch({ execution_id: of.execution_id });
    expect(feed.status).toEqual({ state: 'live' });
    expect(statuses).toEqual(['catching up', 'live']);
    publisher.publish(node(of, 'a', nodeCompleted));
    publisher.publish(completed(of));
    await until('the end is shown', () => feed.execution(of.execution_id)?.has_ended);
    expect(seqsOf(events)).toEqual([1, 2, 3, 4]);
    expect(feed.execution(of.execution_id)).toMatchObject({ state: 'completed', nodes: { a: { state: 'completed' } } });
  });

  it.each(['workflow_id', 'bot_id'] as const)(
    'asks by %s for what it missed while its gateway was gone, and for no more',
    async (key) => {
      const of = fresh();
      const other = context(`exec_feed_other_${runs}`);
      publisher.publish(started(of));
      publisher.publish(started(other));
      await drained();
      const port = Number(new URL(gateway.url).port);
      const { feed, events, statuses } = open();
      await feed.watch({ [key]: of[key] } as unknown as { workflow_id: string });
      await feed.watch({ execution_id: other.execution_id });
      await gateway.close();
      await until('the feed is stale', () => feed.status.state === 'stale');
      for (let at = 0; at < 50; at += 1) publisher.publish(node(of, `n${at}`, nodeCompleted));
      publisher.publish(node(other, 'b', nodeCompleted));
      await drained();
      gateway = await startGateway({ redisUrl: redis.url, port });
      await until('the feed is live again', () => feed.status.state === 'live');
      const seqs = seqsOf(events.filter(({ stream }) => stream === of.execution_id));
      expect(seqs.length).toBeGreaterThanOrEqual(51);
      // The reconciler may have ended what Temporal knows nothing of.
      expect(seqs).toEqual(seqs.map((_, at) => at + 1));
      expect(feed.execution(other.execution_id)?.nodes['b']?.state).toBe('completed');
      expect(statuses.filter((state) => state === 'live')).toHaveLength(2);
    },
  );

  it('shows by a snapshot what can no longer be told event by event', async () => {
    const of = fresh();
    publisher.publish(started(of));
    for (let at = 0; at < 400; at += 1) publisher.publish(node(of, `n${at}`, nodeCompleted));
    await drained();
    const { feed, events } = open();
    await feed.watch({ execution_id: of.execution_id });
    const view = feed.execution(of.execution_id);
    expect(Object.values(view?.nodes ?? {}).filter(({ state }) => state === 'completed')).toHaveLength(400);
    expect(events.length).toBeLessThan(400);
    publisher.publish(node(of, 'last', nodeStarted));
    await until('what follows is told', () => feed.execution(of.execution_id)?.nodes['last']);
    expect(events.at(-1)).toMatchObject({ node_id: 'last', seq: 402 });
  });

  it('is stale while it cannot learn what a gap has cost, and right once it can', async () => {
    const of = fresh();
    const { feed, events, statuses } = open();
    await feed.watch({ execution_id: of.execution_id });
    publisher.publish(started(of));
    const first = await until('the start', () => events[0]);
    await lose('b', of, first);
    await announce({ dropped: 1, streams: [of.execution_id], complete: true });
    redis.freeze();
    await until('the feed is stale', () => feed.status.state === 'stale');
    expect(feed.execution(of.execution_id)?.nodes).toEqual({});
    redis.thaw();
    await until('it is live again', () => feed.status.state === 'live');
    await until('what was lost is shown', () => feed.execution(of.execution_id)?.nodes['b']?.state === 'completed');
    expect(statuses.slice(0, 3)).toEqual(['catching up', 'live', 'stale']);
  });

  it('learns what a gap has cost of more executions than it may ask for at once', async () => {
    const all = Array.from({ length: 110 }, () => ({ ...fresh(), bot_id: 'bot_of_many' }));
    const { feed, events } = open();
    await feed.watch({ bot_id: 'bot_of_many' });
    for (const of of all) publisher.publish(started(of, Date.now()));
    await until('all have begun', () => events.length === all.length);
    for (const [at, of] of all.entries()) await lose('b', of, events[at]!);
    await announce({ dropped: 110, streams: [], complete: false });
    await until('all are right', () => all.every((of) => feed.execution(of.execution_id)?.nodes['b']), 60_000);
    expect(feed.status.state).toBe('live');
  });

  it('keeps what is told while it asks for a state', async () => {
    const of = fresh();
    const { feed, events } = open();
    await feed.watch({ execution_id: of.execution_id });
    publisher.publish(started(of, Date.now()));
    await until('the start', () => events.length === 1);
    const ids = Array.from({ length: 1_000 }, (_, at) => `n${at}`);
    for (const [at, id] of ids.entries()) {
      publisher.publish(node(of, id, nodeCompleted));
      if (at % 50 > 0) continue;
      await announce({ dropped: 1, streams: [of.execution_id], complete: true });
    }
    await until('all is shown', () => Object.keys(feed.execution(of.execution_id)?.nodes ?? {}).length === ids.length);
  });

  it('shows an execution whole that was too quiet to be told of when it came, and says what it was not told', async () => {
    const quiet = { ...fresh(), bot_id: 'bot_of_quiet' };
    publisher.publish(started(quiet, Date.now() - 5_000));
    publisher.publish(node(quiet, 'a', nodeCompleted));
    for (let at = 0; at < 20; at += 1) publisher.publish(started({ ...fresh(), bot_id: 'bot_of_quiet' }, Date.now()));
    await drained();
    const { feed, gaps } = open();
    await feed.watch({ bot_id: 'bot_of_quiet' });
    expect(feed.execution(quiet.execution_id)).toBeUndefined();
    publisher.publish(node(quiet, 'b', nodeCompleted));
    await until('it is whole', () => Object.keys(feed.execution(quiet.execution_id)?.nodes ?? {}).length === 2);
    expect(gaps).toContainEqual({ reason: 'out_of_reach', dropped: 2, streams: [quiet.execution_id], complete: true });
  });

  it('begins an execution anew with its log, and says so', async () => {
    const of = fresh();
    const { feed, events, gaps } = open();
    await feed.watch({ execution_id: of.execution_id });
    publisher.publish(started(of));
    publisher.publish(node(of, 'a', nodeCompleted));
    await until('both are told', () => events.length === 2);
    await raw.flushall();
    publisher.publish(node(of, 'b', nodeStarted));
    await until('the new log is told', () => feed.execution(of.execution_id)?.nodes['b']);
    await until('the gap is told', () => gaps.some(({ reason }) => reason === 'log_restarted'));
    publisher.publish(started(of));
    publisher.publish(node(of, 'a', nodeCompleted));
    await until('it is whole', () => Object.keys(feed.execution(of.execution_id)?.nodes ?? {}).length === 2);
    expect(seqsOf(events).slice(0, 3)).toEqual([1, 2, 1]);
  });

  it('says why the gateway refuses it, and does not go on trying', async () => {
    const { feed, statuses } = open({ token: 'nonsense' });
    await expect(feed.watch({ all: true })).rejects.toMatchObject({ code: 'Unauthenticated' });
    expect(feed.status).toMatchObject({ state: 'refused', reason: expect.stringMatching(/./) as unknown });
    expect(statuses).toEqual(['refused']);
  });

  it('throws what a room is refused with, and follows the others all the same', async () => {
    const of = fresh();
    const { feed } = open({ token: () => token({ bots: [of.bot_id ?? ''] }) });
    await feed.watch({ bot_id: of.bot_id ?? '' });
    const refused = feed.watch({ bot_id: 'bot_of_another' });
    await expect(refused).rejects.toBeInstanceOf(FeedError);
    await expect(refused).rejects.toMatchObject({ code: 'Forbidden' });
    publisher.publish(started(of));
    await until('its own is shown', () => feed.execution(of.execution_id));
  });

  it('throws it also where the room was asked for before there was a connection', async () => {
    const { feed } = open({ token: () => token({ bots: ['bot_mine'] }) });
    const refused = feed.watch({ bot_id: 'bot_of_another' });
    await expect(refused).rejects.toMatchObject({ code: 'Forbidden' });
    await feed.watch({ bot_id: 'bot_mine' });
    expect(feed.status.state).toBe('live');
  });

  it('tells no more of what it is no longer to watch', async () => {
    const [first, second] = [fresh(), fresh()];
    const { feed, events } = open();
    await feed.watch({ execution_id: first.execution_id });
    await feed.watch({ execution_id: second.execution_id });
    await feed.unwatch({ execution_id: first.execution_id });
    publisher.publish(started(first));
    publisher.publish(started(second));
    await until('the other is shown', () => feed.execution(second.execution_id));
    expect(events.map(({ stream }) => stream)).toEqual([second.execution_id]);
  });

  it('gives the answer to a message, a refusal too', async () => {
    const { feed } = open();
    await feed.watch({ all: true });
    const halt = { scope: 'global', action: 'halt', reason: 'r' } as const;
    expect(await feed.ask('emergency_command', halt)).toMatchObject({ ok: false, error: { code: 'Forbidden' } });
  });

  it('forgets of many executions those that ended first, and none that is open', async () => {
    const { feed } = open({ most_executions: 2 });
    await feed.watch({ all: true });
    const all = [fresh(), fresh(), fresh()];
    publisher.publish(started(all[0]!));
    publisher.publish(started(all[1]!));
    publisher.publish(completed(all[1]!));
    await until('one has ended', () => feed.execution(all[1]!.execution_id)?.has_ended);
    publisher.publish(started(all[2]!));
    await until('the third is shown', () => feed.execution(all[2]!.execution_id));
    expect(feed.execution(all[1]!.execution_id)).toBeUndefined();
    expect(feed.execution(all[0]!.execution_id)).toBeDefined();
  });
});
