import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { EventPublisher } from '../../src/event-log';
import type { EventEnvelope } from '../../src/events/envelope';
import { Feed, FeedError, type FeedOptions, type FeedStatus } from '../../src/feed-client';
import { startGateway, token, type GatewayUnderTest } from '../support/gateway-under-test';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { completed, context, node, nodeCompleted, nodeStarted, started } from '../support/sample-events';
import { until } from '../support/until';

let redis: OwnRedis;
let gateway: GatewayUnderTest;
let publisher: EventPublisher;
let runs = 0;
const feeds: Feed[] = [];

beforeAll(async () => {
  redis = await startOwnRedis();
  gateway = await startGateway({ redisUrl: redis.url });
  publisher = new EventPublisher(redis.url);
  await until('the publisher is connected', () => publisher.stats().connected);
  await until('the gateway is ready', async () => (await fetch(`${gateway.url}/readyz`)).ok);
}, 60_000);

afterEach(() => {
  for (const feed of feeds.splice(0)) feed.close();
});

afterAll(async () => {
  await redis.stop();
  await publisher.close();
  await gateway.close();
}, 30_000);

function open(options: Partial<FeedOptions> = {}) {
  const feed = new Feed({ url: gateway.url, token: () => token(), ...options });
  feeds.push(feed);
  const events: EventEnvelope[] = [];
  const statuses: FeedStatus['state'][] = [];
  feed.on('event', (event) => events.push(event));
  feed.on('status', ({ state }) => statuses.push(state));
  return { feed, events, statuses };
}

const fresh = () => context(`exec_feed_${++runs}`, { workflow_id: `feed_${runs}`, bot_id: `bot_feed_${runs}` });
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
    60_000,
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
