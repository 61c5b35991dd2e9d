import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EventPublisher } from '../../src/event-log';
import type { Publication } from '../../src/events/build';
import type { GatewayLimits } from '../../src/gateway/limits';
import {
  askOf,
  askOnce,
  listen,
  refusalsOf,
  startGateway,
  type GatewayUnderTest,
  type Listener,
} from '../support/gateway-under-test';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { completed, context, node, nodeCompleted, nodeStarted, started } from '../support/sample-events';
import { until } from '../support/until';

/** Together more than the kernel keeps for a connection, 10 MB at most, and the gateway for a client. */
const EVENTS = 70;
const LARGE = 200_000;

let redis: OwnRedis;
let publisher: EventPublisher;

/** Each its own log: what a connection that was late has missed is read again, and these are large. */
beforeEach(async () => {
  redis = await startOwnRedis();
  publisher = new EventPublisher(redis.url);
  await until('the publisher is connected', () => publisher.stats().connected);
});

afterEach(async () => {
  await publisher.close({ deadline_ms: 0 });
  await redis.stop();
});

/** With one of the two rules alone in force. */
async function withGateway(limits: Partial<GatewayLimits>, test: (gateway: GatewayUnderTest) => Promise<void>) {
  const gateway = await startGateway({ redisUrl: redis.url, limits });
  try {
    await until('the gateway is ready', async () => (await fetch(`${gateway.url}/readyz`)).ok);
    await test(gateway);
  } finally {
    await gateway.close();
  }
}

/** The raw socket below a client: paused, it takes nothing from the kernel any more. */
function below({ socket }: Listener): { pause(): void; resume(): void } {
  const { transport } = socket.io.engine as unknown as {
    transport: { ws: { _socket: { pause(): void; resume(): void } } };
  };
  return transport.ws._socket;
}

const large = (execution: string, index: number): Publication =>
  node(context(execution, { bot_id: execution }), `n${index}`, {
    ...{ type: 'node_completed', status: 'success', duration_ms: 1 },
    outputs: { value: 'x'.repeat(LARGE) },
  });

const isWhole = ({ events }: Listener) => events.map(({ seq }) => seq).every((seq, index) => seq === index + 1);

describe('a client that stops reading', () => {
  it('is cut when too much waits for it, while others go on, and comes back by cursor with nothing missing', async () => {
    await withGateway({ unread: 1_000_000, stalled_ms: 3_600_000 }, async ({ url }) => {
      const [sleeper, other] = [await listen(url), await listen(url)];
      const cursors: Record<string, { log_epoch: string; seq: number }> = {};
      sleeper.socket.on('workflow_event', ({ stream, log_epoch, seq }) => (cursors[stream] = { log_epoch, seq }));
      for (const each of [sleeper, other]) await askOf(each, 'subscribe_bot', { bot_id: 'exec_large' });
      publisher.publish(started(context('exec_large', { bot_id: 'exec_large' }), Date.now()));
      await until('both have the first', () => sleeper.events.length + other.events.length === 2);

      const socket = below(sleeper);
      socket.pause();
      for (let index = 1; index < EVENTS; index += 1) {
        publisher.publish(large('exec_large', index));
        await until('the other has it', () => other.events.length === index + 1);
      }
      await until('it is cut', async () => (await refusalsOf(url, 'slow')) === 1);
      expect([isWhole(other), other.gaps, other.socket.connected]).toEqual([true, [], true]);

      const back = new Promise<void>((resolve) => sleeper.socket.once('connect', resolve));
      socket.resume();
      await back;
      let published = EVENTS;
      const answer = await until('it is answered', async () => {
        const asking = askOnce(sleeper, 'subscribe_bot', { bot_id: 'exec_large', cursors });
        // Comes while far more than the limit waits, which was asked for and does not count.
        publisher.publish(large('exec_large', published++));
        const { ok, ...body } = await asking;
        // To read as much as this at once, Redis may need longer than is waited for it.
        return ok === true && body;
      });
      expect(answer).toMatchObject({ recovered: true, mode: 'replay' });
      await until('all have arrived', () => sleeper.events.length >= published);
      expect([sleeper.events.length, isWhole(sleeper), sleeper.gaps]).toEqual([published, true, []]);
      expect(await refusalsOf(url, 'slow')).toBe(1);
      for (const each of [sleeper, other]) each.socket.close();
    });
  });

  it('is cut when it takes none of what waits for it for too long', async () => {
    await withGateway({ unread: 1_000_000_000 }, async ({ url }) => {
      const sleeper = await listen(url);
      await askOf(sleeper, 'subscribe_bot', { bot_id: 'exec_stalled' });
      below(sleeper).pause();
      for (let index = 0; index < EVENTS; index += 1) publisher.publish(large('exec_stalled', index));
      await until('it is cut', async () => (await refusalsOf(url, 'slow')) === 1);
      sleeper.socket.close();
    });
  });
});

describe('a client that takes batches', () => {
  it('gets of many events fewer messages, in order, with the end of every node, and the past as ever', async () => {
    await withGateway({}, async ({ url }) => {
      const of = context('exec_batches', { bot_id: 'exec_batches' });
      publisher.publish(started(of, Date.now()));
      await until('the past is published', () => publisher.stats().queued === 0);
      const [plain, batched] = [await listen(url), await listen(url, {}, { batches: true })];
      for (const each of [plain, batched]) await askOf(each, 'subscribe_bot', { bot_id: 'exec_batches' });
      const nodes = Array.from({ length: 200 }, (_, index) => `n${index}`);
      for (const id of nodes) for (const fact of [nodeStarted, nodeCompleted]) publisher.publish(node(of, id, fact));
      publisher.publish(completed(of));
      const hasEnd = ({ events }: Listener) => events.some(({ type }) => type === 'execution_completed');
      await until('both have the end', () => hasEnd(plain) && hasEnd(batched));
      expect([plain.events.length, plain.batches, isWhole(plain)]).toEqual([402, 0, true]);
      expect(batched.batches).toBeGreaterThan(0);
      expect(batched.batches).toBeLessThan(200);
      const seqs = batched.events.map(({ seq }) => seq);
      expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
      const ends = batched.events.filter(({ type }) => type === 'node_completed').map(({ node_id }) => node_id);
      expect(ends).toEqual(nodes);
      expect(await askOf(batched, 'request_state', { execution_id: 'exec_batches' })).toMatchObject({
        snapshot: { ended: true, position: { seq: 402 } },
      });
      for (const each of [plain, batched]) each.socket.close();
    });
  });
});

describe('a gateway that closes', () => {
  it('tells its clients, who go on with the next one by cursor', async () => {
    const of = context('exec_draining', { bot_id: 'exec_draining' });
    const first = await startGateway({ redisUrl: redis.url });
    await until('the gateway is ready', async () => (await fetch(`${first.url}/readyz`)).ok);
    const to = await listen(first.url);
    await askOf(to, 'subscribe_bot', { bot_id: of.bot_id });
    publisher.publish(started(of, Date.now()));
    const { stream, log_epoch, seq } = await until('the first event', () => to.events[0]);
    const told = new Promise((resolve) => to.socket.once('draining', resolve));
    const back = new Promise<void>((resolve) => to.socket.once('connect', resolve));
    await first.close();
    expect(await told).toEqual({ reconnect_in_ms: 500 });
    publisher.publish(completed(of));
    await until('it is published', () => publisher.stats().queued === 0);
    const second = await startGateway({ redisUrl: redis.url, port: Number(new URL(first.url).port) });
    await back;
    const cursors = { [stream]: { log_epoch, seq } };
    const answer = await askOf(to, 'subscribe_bot', { bot_id: of.bot_id, cursors });
    expect(answer).toMatchObject({ recovered: true, mode: 'replay' });
    expect(to.events.map(({ type }) => type)).toEqual(['execution_started', 'execution_completed']);
    to.socket.close();
    await second.close();
  });
});
