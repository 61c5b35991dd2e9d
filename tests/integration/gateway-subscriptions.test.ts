import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';
import { EventPublisher, EventReader } from '../../src/event-log';
import type { EventEnvelope } from '../../src/events/envelope';
import { Session } from '../../src/gateway/session';
import { subscribe } from '../../src/gateway/subscriptions';
import {
  askOf,
  listen,
  listenBriefly,
  startGateway,
  token,
  type GatewayUnderTest,
  type Listener,
} from '../support/gateway-under-test';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { completed, context, node, nodeCompleted, nodeStarted, started } from '../support/sample-events';
import { answered, until } from '../support/until';

let redis: OwnRedis;
let gateway: GatewayUnderTest;
let publisher: EventPublisher;
const listeners: Listener[] = [];
let runs = 0;

beforeAll(async () => {
  redis = await startOwnRedis();
  gateway = await startGateway({ redisUrl: redis.url });
  publisher = new EventPublisher(redis.url);
  await until('the publisher is connected', () => publisher.stats().connected);
  await until('the gateway is ready', async () => (await fetch(`${gateway.url}/readyz`)).ok);
});

afterEach(() => {
  for (const { socket } of listeners.splice(0)) socket.close();
});

afterAll(async () => {
  // First, because it is there even when something else did not come up.
  await redis.stop();
  await publisher.close();
  await gateway.close();
});

async function client(request: Parameters<typeof token>[0] = {}): Promise<Listener> {
  const listener = await listen(gateway.url, request);
  listeners.push(listener);
  return listener;
}

const fresh = (rest: Parameters<typeof context>[1] = {}) => context(`exec_sub_${++runs}`, rest);
const drained = () => until('all is published', () => publisher.stats().queued === 0);
const idsOf = (events: readonly EventEnvelope[]) => events.map(({ event_id }) => event_id);

describe('a subscription', () => {
  it('gives by bot id the whole past and then everything live, in order, to a plain socket.io client', async () => {
    const of = fresh({ bot_id: 'bot_plain' });
    publisher.publish(started(of));
    publisher.publish(node(of, 'a', nodeStarted));
    await drained();
    const to = await client();
    const answer = await askOf(to, 'subscribe_bot', { bot_id: 'bot_plain' });
    expect(answer).toMatchObject({
      ok: true,
      recovered: true,
      mode: 'replay',
      cursors: { [of.execution_id]: { seq: 2 } },
    });
    publisher.publish(node(of, 'a', nodeCompleted));
    publisher.publish(completed(of));
    await until('the end', () => to.events.length === 4);
    expect(to.events.map(({ type }) => type)).toEqual([
      'execution_started',
      'node_started',
      'node_completed',
      'execution_completed',
    ]);
    expect(to.events.every((each) => each.bot_id === 'bot_plain' && each.strategy_id === 'arb_btc')).toBe(true);
    expect(Object.keys(to.events[2]!).sort()).toEqual(
      [
        ...['attempt', 'bot_id', 'duration_ms', 'event_id', 'execution_id', 'generation', 'graph_version', 'log_epoch'],
        ...['mode', 'node_id', 'node_type', 'outputs', 'seq', 'status', 'strategy_id', 'stream', 'timestamp', 'type'],
        ...['v', 'workflow_id'],
      ].sort(),
    );
  });

  it('to one room more than a connection may be in is refused, until it leaves another', async () => {
    const small = await startGateway({ redisUrl: redis.url, limits: { rooms: 2 } });
    try {
      const to = await listen(small.url);
      listeners.push(to);
      const enter = async (bot_id: string) => (await askOf(to, 'subscribe_bot', { bot_id }))['ok'];
      expect([await enter('a'), await enter('b'), await enter('c')]).toEqual([true, true, false]);
      expect(await askOf(to, 'subscribe_bot', { bot_id: 'c' })).toMatchObject({ error: { code: 'RateLimited' } });
      expect(await enter('a')).toBe(true);
      await askOf(to, 'unsubscribe', { bot_id: 'a' });
      expect([await enter('c'), await enter('a')]).toEqual([true, false]);
    } finally {
      await small.close();
    }
  });

  it('gives every event exactly once and in order to a client that subscribes while events pour in', async () => {
    const of = Array.from({ length: 4 }, () => fresh({ bot_id: 'bot_race', workflow_id: 'race' }));
    const all: string[] = [];
    const pouring = (async () => {
      for (let i = 0; i < 70; i++) {
        for (const each of of) {
          const publication = node(each, `n${i}`, nodeCompleted);
          all.push(publication.event.event_id);
          publisher.publish(publication);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const to = await Promise.all(Array.from({ length: 6 }, () => client()));
    await Promise.all(
      to.map(async (each) => {
        const answers = await Promise.all([
          askOf(each, 'subscribe_bot', { bot_id: 'bot_race' }),
          askOf(each, 'subscribe_workflow', { workflow_id: 'race' }),
          askOf(each, 'subscribe_all', {}),
        ]);
        expect(answers.map(({ ok, mode }) => [ok, mode])).toEqual(Array(3).fill([true, 'replay']));
      }),
    );
    await pouring;
    await drained();
    // The reconciler may have ended what Temporal knows nothing of.
    const own = (each: Listener) =>
      each.events.filter(({ bot_id, type }) => bot_id === 'bot_race' && type === 'node_completed');
    for (const each of to) {
      await until('everything has arrived', () => own(each).length >= all.length);
      expect(new Set(idsOf(own(each)))).toEqual(new Set(all));
      expect(own(each)).toHaveLength(all.length);
      for (const { execution_id } of of) {
        const seqs = each.events.filter((event) => event.execution_id === execution_id).map(({ seq }) => seq);
        expect(seqs).toEqual(seqs.map((_, index) => index + 1));
      }
    }
  });

  it('sends a snapshot with its position where the past is longer than 300 events, and goes on from there', async () => {
    const of = fresh({ workflow_id: 'long' });
    for (let i = 0; i < 400; i++) publisher.publish(node(of, `n${i}`, nodeCompleted));
    await drained();
    const to = await client();
    const answer = await askOf(to, 'subscribe_workflow', { workflow_id: 'long' });
    expect(answer).toMatchObject({ ok: true, recovered: false, mode: 'snapshot' });
    expect(to.snapshots).toHaveLength(1);
    expect(Object.keys(to.snapshots[0]!.nodes)).toHaveLength(400);
    expect(to.snapshots[0]!.position.seq).toBe(400);
    publisher.publish(node(of, 'last', nodeCompleted));
    await until('the live event', () => to.events.length === 1);
    expect(to.events[0]!.seq).toBe(401);
  });

  it('resumes from cursors without a repeat, and says when it cannot', async () => {
    const of = fresh({ workflow_id: 'cursors' });
    for (let i = 0; i < 10; i++) publisher.publish(node(of, `n${i}`, nodeCompleted));
    await drained();
    const first = await client();
    const { cursors } = (await askOf(first, 'subscribe_execution', { execution_id: of.execution_id })) as {
      cursors: Record<string, { log_epoch: string; seq: number }>;
    };
    const place = cursors[of.execution_id]!;
    const back = await client();
    const message = { workflow_id: 'cursors', cursors: { [of.execution_id]: { ...place, seq: 7 } } };
    expect(await askOf(back, 'subscribe_workflow', message)).toMatchObject({ recovered: true, mode: 'replay' });
    expect(back.events.map(({ seq }) => seq)).toEqual([8, 9, 10]);
    const lost = await client();
    const foreign = { workflow_id: 'cursors', cursors: { [of.execution_id]: { log_epoch: '9-x-1', seq: 7 } } };
    expect(await askOf(lost, 'subscribe_workflow', foreign)).toMatchObject({ recovered: false, mode: 'snapshot' });
    const unknown = { workflow_id: 'cursors', cursors: { ...cursors, gone: place } };
    expect(await askOf(await client(), 'subscribe_workflow', unknown)).toMatchObject({ recovered: false });
  });

  it('ends with unsubscribe, and a later one on the same connection brings what was missed', async () => {
    const of = fresh({ workflow_id: 'leaving' });
    const to = await client();
    await askOf(to, 'subscribe_workflow', { workflow_id: 'leaving' });
    publisher.publish(started(of));
    await until('the first', () => to.events.length === 1);
    expect(await askOf(to, 'unsubscribe', { workflow_id: 'leaving' })).toEqual({ ok: true, rooms: [] });
    publisher.publish(node(of, 'a', nodeStarted));
    await drained();
    await askOf(to, 'subscribe_execution', { execution_id: of.execution_id });
    expect(to.events.map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it('that fails gives nothing of its room, so that the next one brings all of it', async () => {
    const of = fresh({ bot_id: 'bot_failing' });
    for (let at = 0; at < 3; at += 1) publisher.publish(node(of, `n${at}`, nodeCompleted));
    await drained();
    const to = await client();
    await askOf(to, 'subscribe_bot', { bot_id: 'bot_failing' });
    await until('all three', () => to.events.length === 3);
    const last = to.events[2]!;
    const seqs: number[] = [];
    const ignore = (): void => undefined;
    const outlet = { event: ({ seq }: EventEnvelope) => seqs.push(seq), snapshot: ignore, gap: ignore };
    const session = new Session({ subject: 's', role: 'viewer', expires_at: Infinity }, outlet);
    const rooms = new Set<string>();
    const room = {
      ...{ session, target: { bot_id: 'bot_failing' }, cursors: new Map<string, never>() },
      join: () => {
        rooms.add('bot:bot_failing');
        session.offer(last);
      },
      leave: () => void rooms.delete('bot:bot_failing'),
      isHeard: () => rooms.size > 0,
    };
    const nowhere = new EventReader('redis://127.0.0.1:1');
    const reader = new EventReader(redis.url);
    try {
      await expect(subscribe(nowhere, room)).rejects.toMatchObject({ code: 'RedisUnavailable' });
      expect([seqs, rooms.size]).toEqual([[], 0]);
      await reader.ready(60_000);
      expect(await answered(() => subscribe(reader, room))).toMatchObject({ recovered: true, mode: 'replay' });
      expect(seqs).toEqual([1, 2, 3]);
    } finally {
      nowhere.close();
      reader.close();
    }
  });

  it('answers request_state with nodes and position', async () => {
    const of = fresh();
    publisher.publish(started(of));
    publisher.publish(node(of, 'a', nodeCompleted));
    await drained();
    const answer = await askOf(await client(), 'request_state', { execution_id: of.execution_id });
    expect(answer).toMatchObject({
      ok: true,
      snapshot: {
        started: true,
        ended: false,
        node_count: 2,
        position: { seq: 2 },
        nodes: { a: { outputs: { value: [] } } },
      },
    });
  });

  it.each([
    ['subscribe_bot', {}],
    ['subscribe_bot', null],
    ['subscribe_bot', 'bot_001'],
    ['subscribe_bot', { bot_id: 7 }],
    ['subscribe_bot', { bot_id: 'a b' }],
    ['subscribe_bot', { bot_id: 'x', room: 'all' }],
    ['subscribe_workflow', { workflow_id: 'x', cursors: { s: { seq: -1, log_epoch: '' } } }],
    ['request_state', []],
    ['unsubscribe', { all: false }],
    ['constructor', {}],
    ['emergency', { scope: 'global' }],
  ])('refuses %s with %j as BadRequest and goes on serving', async (name, message) => {
    const to = await client();
    expect(await askOf(to, name, message)).toMatchObject({ ok: false, error: { code: 'BadRequest' } });
    to.socket.emit('subscribe_bot', undefined as never);
    expect(await askOf(to, 'subscribe_bot', { bot_id: 'x' })).toMatchObject({ ok: true });
  });

  it('limits how many messages one client may send', async () => {
    const to = await client();
    const answers = await Promise.all(Array.from({ length: 150 }, () => askOf(to, 'unsubscribe', {})));
    expect(answers.filter(({ ok }) => ok).length).toBeGreaterThanOrEqual(100);
    expect(answers.at(-1)).toMatchObject({ ok: false, error: { code: 'RateLimited' } });
  });
});

describe('who is let in', () => {
  const refused = async (auth: object, extraHeaders: Record<string, string> = {}) => {
    const socket = io(gateway.url, {
      auth,
      extraHeaders,
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
    });
    const error = await new Promise<Error & { data?: { code: string } }>((resolve, reject) => {
      socket.on('connect_error', resolve);
      socket.on('connect', () => {
        reject(new Error('let in'));
      });
    });
    socket.close();
    return error.data?.code ?? error.message;
  };

  it('refuses no token, nonsense, an expired one, a foreign Origin and a foreign Host', async () => {
    expect(await refused({})).toBe('Unauthenticated');
    expect(await refused({ token: 'nonsense' })).toBe('Unauthenticated');
    expect(await refused({ token: await token({ expires_in_s: -1 }) })).toBe('Unauthenticated');
    const good = { token: await token() };
    expect(await refused(good, { origin: 'http://evil.example' })).toBe('websocket error');
    expect(await refused(good, { host: 'evil.example' })).toBe('websocket error');
  });

  it('ends a connection when its token expires, and does not let it back in', async () => {
    const to = await listenBriefly(gateway.url);
    listeners.push(to);
    const told = new Promise<Error & { data?: { code: string } }>((resolve) => to.socket.on('connect_error', resolve));
    const reason = await new Promise((resolve) => to.socket.once('disconnect', resolve));
    expect(reason).toBe('transport close');
    expect((await told).data?.code).toBe('Unauthenticated');
  });

  it('shows a restricted token only its bots and strategies', async () => {
    const mine = fresh({ bot_id: 'mine', strategy_id: 's1' });
    const theirs = fresh({ bot_id: 'theirs', strategy_id: 's2' });
    publisher.publish(started(theirs));
    publisher.publish(started(mine));
    await drained();
    const to = await client({ bots: ['mine'] });
    const forbidden = { ok: false, error: { code: 'Forbidden' } };
    expect(await askOf(to, 'subscribe_bot', { bot_id: 'theirs' })).toMatchObject(forbidden);
    expect(await askOf(to, 'subscribe_execution', { execution_id: theirs.execution_id })).toMatchObject(forbidden);
    expect(await askOf(to, 'request_state', { execution_id: theirs.execution_id })).toMatchObject(forbidden);
    expect(await askOf(to, 'subscribe_all', {})).toMatchObject({ ok: true });
    publisher.publish(node(theirs, 'a', nodeStarted));
    publisher.publish(node(mine, 'a', nodeStarted));
    await until('mine', () => to.events.some(({ type, bot_id }) => type === 'node_started' && bot_id === 'mine'));
    expect(new Set(to.events.map(({ bot_id }) => bot_id))).toEqual(new Set(['mine']));
    const other = await client({ strategies: ['s2'] });
    expect(await askOf(other, 'subscribe_strategy', { strategy_id: 's1' })).toMatchObject(forbidden);
    expect(await askOf(other, 'subscribe_strategy', { strategy_id: 's2' })).toMatchObject({ ok: true, mode: 'replay' });
  });
});
