/** A publisher at one node of a Redis cluster while the slot of its events is on its way to another node, there, or nowhere. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { EventPublisher, EventReader } from '../../src/event-log';
import { Partitions } from '../../src/event-log/keys';
import { freePort } from '../../src/local-stack/ports';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { context, node, nodeCompleted, started } from '../support/sample-events';
import { until } from '../support/until';

const PARTITIONS = 2;
const run = context('exec_cluster');
const { epoch } = new Partitions(PARTITIONS).of(run.execution_id);
const errors: string[] = [];
const nodes: OwnRedis[] = [];
let mine: Redis;
let other: Redis;
let publisher: EventPublisher;
let reader: EventReader;
let slot: string;
let ids: { readonly mine: string; readonly other: string };

const cluster = async (redis: Redis, ...words: string[]) => String(await redis.call('CLUSTER', ...words));

/** By itself the port of the bus is ten thousand above the first, which need not exist. */
async function startNode(): Promise<{ readonly redis: OwnRedis; readonly port: string; readonly bus: string }> {
  const bus = String(await freePort());
  const settings = ['--cluster-enabled', 'yes', '--cluster-port', bus, '--cluster-require-full-coverage', 'no'];
  const redis = await startOwnRedis(settings);
  nodes.push(redis);
  return { redis, port: new URL(redis.url).port, bus };
}

beforeAll(async () => {
  const first = await startNode();
  const second = await startNode();
  mine = new Redis(first.redis.url);
  other = new Redis(second.redis.url);
  await cluster(mine, 'ADDSLOTSRANGE', '0', '16383');
  await cluster(mine, 'MEET', '127.0.0.1', second.port, second.bus);
  ids = { mine: await cluster(mine, 'MYID'), other: await cluster(other, 'MYID') };
  await until('they know each other', async () => {
    const known = await Promise.all([cluster(mine, 'NODES'), cluster(other, 'NODES')]);
    return known.every((text) => text.includes(ids.mine) && text.includes(ids.other) && !text.includes('handshake'));
  });
  await until('it serves', async () => (await cluster(mine, 'INFO')).includes('cluster_state:ok'));
  slot = await cluster(mine, 'KEYSLOT', epoch);
  publisher = new EventPublisher(first.redis.url, {
    partitions: PARTITIONS,
    onError: ({ message }) => errors.push(message),
  });
  reader = new EventReader(first.redis.url, { partitions: PARTITIONS });
  await reader.ready(30_000);
  await until('the publisher is connected', () => publisher.stats().connected);
});

afterAll(async () => {
  await publisher.close({ deadline_ms: 0 });
  reader.close();
  for (const redis of [mine, other]) redis.disconnect();
  for (const redis of nodes) await redis.stop();
});

/** Hears this answer, keeps the event, and sends it again once `mend` has been said. */
async function keepsDuring(answer: RegExp, mend: readonly string[]): Promise<void> {
  await until(`it is answered with ${String(answer)}`, () => errors.some((message) => answer.test(message)));
  expect(publisher.stats()).toMatchObject({ queued: 1, dropped: 0, refused: 0 });
  await cluster(mine, ...mend);
  await until('it is taken', () => publisher.stats().queued === 0);
}

describe('a publisher at a node of a cluster', () => {
  it('keeps what it is answered to ask elsewhere, or again, and sends it once the slot is back', async () => {
    await cluster(mine, 'SETSLOT', slot, 'MIGRATING', ids.other);
    publisher.publish(started(run));
    // Nothing of the slot is here, so all of it is taken to be there already.
    await until('it is answered with ASK', () => errors.some((message) => message.startsWith('ASK ')));
    await cluster(mine, 'SETSLOT', slot, 'NODE', ids.other);
    await keepsDuring(/^MOVED /, ['SETSLOT', slot, 'NODE', ids.mine]);

    // Now some keys of an event are here and others, those of a new stream, are not.
    await cluster(mine, 'SETSLOT', slot, 'MIGRATING', ids.other);
    const next = sameSlot();
    publisher.publish(started(next));
    await keepsDuring(/^TRYAGAIN /, ['SETSLOT', slot, 'STABLE']);

    await cluster(mine, 'DELSLOTS', slot);
    publisher.publish(node(run, 'n', nodeCompleted));
    await keepsDuring(/^CLUSTERDOWN /, ['ADDSLOTS', slot]);

    expect(publisher.stats()).toMatchObject({ published: 3, queued: 0, dropped: 0, refused: 0 });
    const { events } = await reader.replay(run.execution_id, undefined, 10);
    expect(events.map(({ type, seq }) => [type, seq])).toEqual([
      ['execution_started', 1],
      ['node_completed', 2],
    ]);
    const { events: others } = await reader.replay(next.execution_id, undefined, 10);
    expect(others).toHaveLength(1);
  });
});

/** Another execution in the partition of the first. */
function sameSlot() {
  const partitions = new Partitions(PARTITIONS);
  const names = Array.from({ length: 20 }, (_, index) => `exec_other_${index}`);
  return context(names.find((name) => partitions.of(name).epoch === epoch)!);
}
