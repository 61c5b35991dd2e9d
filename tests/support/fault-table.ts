/** What breaks between executions and clients. */
import { setTimeout as pause } from 'node:timers/promises';
import { STREAM_LENGTH } from '../../src/event-log/scripts';
import { atRedis, type Fault, type Scene } from './fault-trial';
import { refusalsOf } from './gateway-under-test';
import type { Road } from './road';
import { until } from './until';

export interface FaultTimes {
  /** How long Redis hangs, milliseconds. */
  readonly hang_ms: number;
  /** How long a client is offline that stays away for longer. */
  readonly offline_ms: number;
}

const DOWN_MS = 500;
const KILLS = 3;
/** Together more than the kernel keeps for two connections, and the gateway for a client: half of them are this large. */
const LARGE = { events: 240, characters: 200_000 };

export function faultTable({ hang_ms, offline_ms }: FaultTimes): readonly Fault[] {
  return [
    { row: 'a', what: 'the gateways’ subscriptions are killed', inflict: killSubscriptions },
    { row: 'b', what: 'Redis is killed and comes back empty', inflict: comeBackEmpty },
    { row: 'c', what: 'Redis is killed and comes back as it was before', inflict: comeBackOlder },
    { row: 'd', what: 'Redis is emptied', inflict: ({ world, note }) => note().then(() => atRedis(world, 'FLUSHALL')) },
    { row: 'e', what: `Redis hangs for ${hang_ms / 1_000} s`, inflict: (scene) => hang(scene, hang_ms) },
    { row: 'f', what: 'a gateway is killed, its clients go to others', inflict: loseGateway },
    {
      row: 'g',
      what: `clients are offline: 1 s, ${offline_ms / 1_000} s, past the window`,
      inflict: (scene) => goOffline(scene, offline_ms),
    },
    { row: 'h', what: 'a client stops reading', inflict: stopReading },
  ];
}

async function killSubscriptions({ world }: Scene): Promise<void> {
  for (let at = 0; at < KILLS; at += 1) {
    await atRedis(world, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    await pause(DOWN_MS);
  }
}

async function comeBackEmpty({ world, note }: Scene): Promise<void> {
  await note();
  await world.redis.kill();
  await pause(DOWN_MS);
  await world.redis.start();
}

async function comeBackOlder({ world, note }: Scene): Promise<void> {
  await world.redis.dump();
  await pause(DOWN_MS);
  await note();
  await world.redis.kill();
  await pause(DOWN_MS);
  await world.redis.restore();
}

async function hang({ world }: Scene, ms: number): Promise<void> {
  world.redis.freeze();
  await pause(ms);
  world.redis.thaw();
}

async function loseGateway({ world }: Scene): Promise<void> {
  await world.killGateway();
  await world.startGateway();
}

async function goOffline({ world, load, victim }: Scene, ms: number): Promise<void> {
  const [briefly, longer, past] = await Promise.all([victim('away 1 s'), victim('away longer'), victim('past window')]);
  const away = async (road: Road, for_ms: number) => {
    road.close();
    await pause(for_ms);
    road.reopen();
  };
  past.close();
  load.burst(load.ids[0] ?? '', STREAM_LENGTH + 100);
  await Promise.all([away(briefly, 1_000), away(longer, ms)]);
  await world.drained();
  past.reopen();
}

async function stopReading({ world, load, victim }: Scene): Promise<void> {
  const road = await victim('stops reading');
  const cut = async () => {
    const counts = await Promise.all(world.gateways.map((url) => refusalsOf(url, 'slow')));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const before = await cut();
  road.stop();
  load.burst(load.ids[0] ?? '', LARGE.events, LARGE.characters);
  await until('it is cut', async () => (await cut()) > before, 60_000);
  road.flow();
}
