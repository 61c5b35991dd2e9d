/** A log of four partitions, on a Redis in cluster mode that holds all slots: it refuses every script whose keys lie in more than one. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { EventPublisher, EventReader } from '../../src/event-log';
import { Partitions } from '../../src/event-log/keys';
import { emergencyEvent, type ExecutionContext } from '../../src/events/build';
import { freePort } from '../../src/local-stack/ports';
import { askOf, listen, startGateway, type GatewayUnderTest, type Listener } from '../support/gateway-under-test';
import { emptied, startOwnRedis, type OwnRedis } from '../support/own-redis';
import { startUnworked } from '../support/raw-execution';
import { AT, completed, context, node, nodeCompleted, nodeStarted, started } from '../support/sample-events';
import { until } from '../support/until';

const PARTITIONS = 4;
const log = new Partitions(PARTITIONS);
let redis: OwnRedis;
let raw: Redis;
let publisher: EventPublisher;
let reader: EventReader;
let gateway: GatewayUnderTest;

beforeAll(async () => {
  // By itself the second port is ten thousand above the first, which need not exist.
  redis = await startOwnRedis(['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())]);
  raw = new Redis(redis.url);
  await raw.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await until('it serves all slots', async () =>
    String(await raw.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
  );
  publisher = new EventPublisher(redis.url, { partitions: PARTITIONS });
  reader = new EventReader(redis.url, { partitions: PARTITIONS });
  await reader.ready(60_000);
  await until('the publisher is connected', () => publisher.stats().connected);
  gateway = await startGateway({ redisUrl: redis.url, partitions: PARTITIONS });
  await until('the gateway is ready', async () => (await fetch(`${gateway.url}/readyz`)).ok);
});

afterAll(async () => {
  await gateway.close();
  await publisher.close({ deadline_ms: 0 });
  reader.close();
  raw.disconnect();
  await redis.stop();
});

const published = () => until('all is published', () => publisher.stats().queued === 0);
const ran = (name: string, count: number): ExecutionContext[] =>
  Array.from({ length: count }, (_, index) => context(`exec_${name}_${index}`, { bot_id: name }));
const seqsOf = ({ events }: Listener, { execution_id }: ExecutionContext) =>
  events.filter(({ stream }) => stream === execution_id).map(({ seq }) => seq);
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

/** The events `from` on of each, in turn: the first is its start, all others are ends of nodes. */
function tell(runs: readonly ExecutionContext[], from: number, nodes: number): void {
  for (let at = from; at < from + nodes; at += 1) {
    for (const run of runs) publisher.publish(at === 0 ? started(run, Date.now()) : node(run, `n${at}`, nodeCompleted));
  }
}

describe('a log of four partitions', () => {
  it('tells a client every event of every partition once and in order, live and from the past', async () => {
    const runs = ran('told', 24);
    expect(new Set(runs.map(({ execution_id }) => log.of(execution_id)))).toEqual(new Set(log.all));
    const live = await listen(gateway.url);
    await askOf(live, 'subscribe_bot', { bot_id: 'told' });
    await askOf(live, 'subscribe_desk', { desk_id: 'default' });
    tell(runs, 0, 10);
    const halted = { type: 'emergency_state_changed', scope: 'global', desk_epoch: 7 } as never;
    publisher.publish(emergencyEvent('default', 'paper', halted, AT));
    await until('all have arrived', () => live.events.length === 10 * runs.length + 1);
    for (const run of runs) expect(seqsOf(live, run)).toEqual(upTo(10));
    expect(publisher.stats().refused).toBe(0);

    const late = await listen(gateway.url);
    const [one] = runs;
    expect(await askOf(late, 'subscribe_execution', { execution_id: one!.execution_id })).toMatchObject({
      ...{ ok: true, recovered: true, mode: 'replay' },
    });
    expect([seqsOf(late, one!), live.gaps]).toEqual([upTo(10), []]);
    for (const each of [live, late]) each.socket.close();
  });

  it('fills the hole of a subscription that broke, in every partition', async () => {
    const runs = ran('hole', 24);
    const to = await listen(gateway.url);
    await askOf(to, 'subscribe_bot', { bot_id: 'hole' });
    tell(runs, 0, 2);
    await until('the first have arrived', () => to.events.length === 2 * runs.length);
    const killed = await raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    expect(killed).toBe(1);
    tell(runs, 2, 8);
    await published();
    await until('all have arrived', () => to.events.length >= 10 * runs.length);
    tell(runs, 10, 1);
    await until('what is live again', () => to.events.length >= 11 * runs.length);
    for (const run of runs) expect(seqsOf(to, run)).toEqual(upTo(11));
    expect(to.gaps).toEqual([]);
    to.socket.close();
  });

  it('reads lists over all partitions: latest first, quietest first, and what each execution came to', async () => {
    const runs = ran('listed', 12);
    const begun = Date.now();
    runs.forEach((run, index) => {
      publisher.publish(started(run, begun + index));
    });
    publisher.publish(completed(runs[0]!, begun + 100));
    await published();
    const ids = runs.map(({ execution_id }) => execution_id);
    const [ended = '', ...open] = ids;
    expect(await reader.recent({ bot_id: 'listed' })).toEqual([ended, ...open.toReversed()]);
    expect(await reader.recent({ bot_id: 'listed' }, 3)).toEqual([ended, ...open.slice(-2).reverse()]);
    expect(await reader.recent({ bot_id: 'listed' }, 50, begun + 100)).toEqual([ended]);
    expect(await reader.amongRecent({ bot_id: 'listed' }, [...ids, 'exec_other'])).toEqual(new Set(ids));
    const listed = (await reader.openExecutions()).filter(({ execution_id }) => ids.includes(execution_id));
    expect(listed).toEqual(open.map((execution_id, index) => ({ execution_id, last_event_ms: begun + index + 1 })));
    const progress = await reader.progressOf(ids);
    expect(ids.map((id) => progress.get(id))).toMatchObject(ids.map((id) => ({ started: true, ended: id === ended })));
  });

  it('is reconciled with Temporal', async () => {
    const ids = [0, 1, 2, 3].map((at) => `exec_parts_${process.pid}_${Date.now()}_${at}`);
    const graph = { holdfast: 1, id: 'parts', nodes: { a: { type: 'constant', params: { value: 1 } } } };
    for (const id of ids) {
      const execution = await startUnworked(id, graph);
      await execution.terminate('for the test');
      await execution.close();
    }
    for (const id of ids) {
      const told = await until(`start and end of ${id}`, async () => {
        const { events } = await reader.replay(id);
        return events.length === 2 && events;
      });
      expect(told.map(({ type }) => type)).toEqual(['execution_started', 'execution_failed']);
    }
  });

  it('is told apart from one of another number of partitions by who writes and by who reads', async () => {
    const own = await startOwnRedis();
    const first = new EventPublisher(own.url, { partitions: PARTITIONS });
    await until('the first is connected', () => first.stats().connected);
    await first.deliver([node(context('exec_first'), 'a', nodeStarted)], 10_000);
    const errors: string[] = [];
    const onError = ({ message }: Error) => errors.push(message);
    const other = new EventPublisher(own.url, { partitions: 2, onError });
    const blind = new EventReader(own.url, { partitions: 2 });
    try {
      await blind.ready(60_000);
      other.publish(node(context('exec_other'), 'a', nodeStarted));
      await until('it says why', () => errors.some((message) => /4 partitions.*is 2 here/.test(message)));
      expect(other.stats()).toMatchObject({ connected: false, queued: 1, dropped: 0, published: 0 });
      await expect(blind.recent({ all: true })).rejects.toMatchObject({ code: 'ConfigurationInvalid' });
      await expect(blind.ping()).rejects.toMatchObject({ code: 'ConfigurationInvalid' });

      // Of an empty log whoever writes first says how it is divided.
      await emptied(own.url);
      await until('it writes', () => other.stats().published === 1, 60_000);
      expect((await blind.replay('exec_other')).events).toMatchObject([{ node_id: 'a', seq: 1 }]);
    } finally {
      await Promise.all([first, other].map((each) => each.close({ deadline_ms: 0 })));
      blind.close();
      await own.stop();
    }
  });
});
