/**
 * What lies between an event and whoever watches, side by side with what people write by hand.
 *
 * Measured, in turn within one run on one Redis, from the call that hands an event over to the callback of a Socket.IO client in another
 * process: (bare) Redis publish → Socket.IO emit; (adapter) the Redis adapter's recipe with two servers; (holdfast) publisher → script →
 * channel → gateway, as released. Latency at 200 events/s; many clients at rates that rise until the bare way is saturated; what 10,000 idle
 * clients hold of the gateway's memory; what a client that stops reading costs, and whether it comes back complete; the way from the end of
 * a real activity. Not measured: networks, TLS, several gateways. The two by hand authorise nobody and number, keep and repair nothing.
 *
 * `npm run bench events -- --part=idle --rounds=5`: parts are idle, rooms, room, clients, stalled and activities.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadConfig } from '../src/config/config';
import type { ExecutionContext } from '../src/events/build';
import { openWorld } from './support/bench-world';
import { ClientProcess } from './support/client-process';
import type { Counted } from './support/event-clients';
import { openAdapter, openBare, openHoldfast, type EventPath, type GatewayPath } from './support/event-paths';
import { barLine, machine, median, percentile, type Bar } from './support/figures';
import { activityChain } from './support/graphs';
import { NODES, lifetime, markedEvent } from './support/marks';
import { monotonic } from './support/monotonic';

const { values: options } = parseArgs({
  options: { part: { type: 'string', default: '' }, rounds: { type: 'string', default: '5' } },
});
const ROUNDS = Number(options.rounds);

const SMALL = 'x'.repeat(200);
const LARGE = 'x'.repeat(8_000);
const ROUND_S = 3;
/** At the load at which the bare way is saturated. */
const CROWD_ROUNDS = 3;
const IDLE_RATE = 200;
const CLIENTS = 10_000;
/** Beyond this nobody looks for the load at which the bare way is saturated. */
const MOST_RATE = 20_000;
const SATURATED_MS = 250;
/** After the last event of a round, for what is still under way; and without anything having come. */
const DRAIN_MS = 15_000;
const SILENCE_MS = 3_000;
const MIB = 2 ** 20;
const MB = 1e6;

interface World {
  readonly bare: EventPath;
  readonly adapter: EventPath;
  readonly holdfast: GatewayPath;
  readonly clients: ClientProcess;
}

/** So many clients in so many rooms. */
interface Shape {
  readonly name: string;
  readonly clients: number;
  readonly rooms: number;
}

const parts: Readonly<Record<string, (world: World) => Promise<readonly Bar[]>>> = {
  idle,
  rooms: (world) => crowd(world, { name: 'rooms', clients: 1_000, rooms: 50 }),
  room: (world) => crowd(world, { name: 'room', clients: 100, rooms: 1 }),
  stalled,
  clients: idleClients,
  activities,
};
let rounds = 0;

async function main(): Promise<void> {
  say(machine());
  const chosen = options.part === '' ? Object.keys(parts) : options.part.split(',');
  const unknown = chosen.filter((name) => parts[name] === undefined);
  if (unknown.length > 0)
    throw new Error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
  const bars: Bar[] = [];
  const started: { close(): Promise<void> }[] = [];
  const start = async <T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const part = await starting;
    started.push(part);
    return part;
  };
  try {
    const world = {
      ...{ bare: await start(openBare()), adapter: await start(openAdapter()), holdfast: await start(openHoldfast()) },
      clients: await start(Promise.resolve(new ClientProcess())),
    };
    for (const name of chosen) bars.push(...((await parts[name]?.(world)) ?? []));
  } finally {
    for (const each of started.reverse()) await each.close();
  }
  say(machine());
  for (const bar of bars) say(barLine(bar));
}

/** One client of the library, 200 events a second, each way in turn. */
async function idle(world: World): Promise<readonly Bar[]> {
  const shape = { name: 'idle', clients: 1, rooms: 1 };
  const [ours, bare, adapter] = [wayOf(world.holdfast), wayOf(world.bare), wayOf(world.adapter)];
  const ways = [bare, adapter, ours];
  for (const { path } of ways) await connect(world, path, { shape, library: true });
  // Once for nothing, so that no way is measured cold.
  for (const { path } of ways) await measure(world, path, { shape, rate: IDLE_RATE, seconds: 1 });
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { path, counted } of round % 2 === 0 ? ways : ways.toReversed()) {
      counted.push(await measure(world, path, { shape, rate: IDLE_RATE, seconds: ROUND_S }));
    }
  }
  for (const { path, counted } of ways) {
    await world.clients.leave(groupOf(path, shape));
    const [p50, p99] = [median(counted.map((each) => each.p50)), median(counted.map((each) => each.p99))];
    say(`idle, ${IDLE_RATE}/s, ${path.name}: p50 ${ms(p50)}, p99 ${ms(p99)}`);
  }
  return idleBars(ours.counted, bare.counted);
}

function wayOf(path: EventPath): { readonly path: EventPath; readonly counted: Counted[] } {
  return { path, counted: [] };
}

function idleBars(ours: readonly Counted[], bare: readonly Counted[]): readonly Bar[] {
  const ratios = ours.map(({ p50 }, round) => p50 / (bare[round]?.p50 ?? NaN));
  return [
    { what: 'idle: enqueue to callback, p50', figure: median(ours.map(({ p50 }) => p50)), most: 2, unit: ' ms' },
    { what: 'idle: the same against the bare way', figure: median(ratios), most: 3, unit: '×' },
  ];
}

/** The same for all at 1,000 events/s, then the load at which the bare way is saturated, then Holdfast at that load, batched. */
async function crowd(world: World, shape: Shape): Promise<readonly Bar[]> {
  const { bare, adapter, holdfast } = world;
  for (const path of [bare, adapter, holdfast]) await connect(world, path, { shape, batches: true });
  for (const path of [bare, adapter, holdfast]) {
    const counted = await measure(world, path, { shape, rate: 1_000, seconds: ROUND_S });
    say(`${shapeName(shape)}, 1,000/s, ${path.name}: ${latency(counted)}`);
  }
  const rate = await saturation(world, shape);
  const [p99s, lost]: [number[], number[]] = [[], []];
  for (let round = 0; round < Math.min(ROUNDS, CROWD_ROUNDS); round += 1) {
    const byHand = await measure(world, bare, { shape, rate, seconds: ROUND_S });
    say(`${shapeName(shape)}, ${rate}/s, bare: ${latency(byHand)}`);
    const counted = await measure(world, holdfast, { shape, rate, seconds: ROUND_S });
    p99s.push(counted.p99);
    lost.push(counted.lost + counted.gaps);
    say(`${shapeName(shape)}, ${rate}/s, holdfast: ${latency(counted)}`);
  }
  for (const path of [bare, adapter, holdfast]) await world.clients.leave(groupOf(path, shape));
  const where = `${shapeName(shape)}, ${rate}/s`;
  return [
    { what: `${where}: p99`, figure: median(p99s), most: SATURATED_MS, unit: ' ms' },
    { what: `${where}: ends that did not arrive, gaps`, figure: Math.max(...lost), most: 0, unit: '' },
  ];
}

/** Events per second at which the bare way's p99 passes a quarter of a second, by steps of half as much again. */
async function saturation(world: World, shape: Shape): Promise<number> {
  for (let rate = 1_000; rate < MOST_RATE; rate = Math.round(rate * 1.5)) {
    const counted = await measure(world, world.bare, { shape, rate, seconds: ROUND_S });
    say(`${shapeName(shape)}, ${rate}/s, bare: ${latency(counted)}`);
    if (counted.p99 > SATURATED_MS || counted.lost > 0) return rate;
  }
  say(`the bare way is not saturated at ${MOST_RATE}/s`);
  return MOST_RATE;
}

/** What ten thousand clients that only listen make of the gateway's memory. */
async function idleClients({ holdfast, clients }: World): Promise<readonly Bar[]> {
  const files = Math.min(holdfast.openFiles ?? Infinity, clients.openFiles ?? Infinity);
  // What a process has open beside its clients.
  const count = Math.min(CLIENTS, files - 500);
  const before = holdfast.memory;
  const subscriptions = [['subscribe_bot', { bot_id: 'bench_nobody' }]] as const;
  const { url, auth } = holdfast;
  const startedAt = monotonic();
  await clients.connect('clients', { url, auth: { ...auth, batches: true }, subscriptions, count });
  const took = (monotonic() - startedAt) / 1_000;
  await sleep(10_000);
  const [{ open }, held] = [await clients.count('clients'), holdfast.memory];
  await clients.leave('clients');
  const each = (held - before) / count / 1_024;
  say(
    `${open} idle clients, connected in ${took.toFixed(0)} s: ${mib(before)} → ${mib(held)}, ${each.toFixed(1)} KiB each`,
  );
  if (count < CLIENTS) {
    say(`  the system allows ${files} open files: ${count} clients instead of ${CLIENTS}, so the bar is not judged`);
    return [];
  }
  return [{ what: `memory with ${CLIENTS} idle clients`, figure: held / MIB, most: 350, unit: ' MiB' }];
}

/** Large events, so that what the kernel keeps for a connection is soon full. */
async function stalled(world: World): Promise<readonly Bar[]> {
  const { holdfast, clients } = world;
  const [rate, seconds] = [500, 5];
  const others = { name: 'stalled', clients: 10, rooms: 1 };
  const group = await connect(world, holdfast, { shape: others });
  const sleeper = {
    url: holdfast.url,
    auth: holdfast.auth,
    subscriptions: subscriptionsOf(holdfast, others),
    count: 1,
  };
  await clients.connect('sleeper', sleeper);
  const load = { shape: others, rate, fill: LARGE };
  await measure(world, holdfast, { ...load, seconds: 1 });
  const before = await measure(world, holdfast, { ...load, seconds });

  const round = rounds + 1;
  await clients.begin('sleeper', round, rate * 2 * seconds);
  const memory = holdfast.memory;
  const cuts: { at: number; waiting: number }[] = [];
  let peak = memory;
  holdfast.onCut = (waiting) => cuts.push({ at: monotonic(), waiting });
  await clients.pause('sleeper');
  const pausedAt = monotonic();
  const watching = setInterval(() => (peak = Math.max(peak, cuts.length === 0 ? holdfast.memory : peak)), 50);
  const during = await measure(world, holdfast, { ...load, seconds: 2 * seconds });
  clearInterval(watching);
  await clients.comeBack('sleeper');
  const missing = await settled(() => clients.count('sleeper', rate * 2 * seconds - NODES));
  await clients.leave('sleeper');
  await clients.leave(group);

  const [cut] = cuts;
  const waiting = (cut?.waiting ?? Infinity) / MB;
  const after = ((cut?.at ?? Infinity) - pausedAt) / 1_000;
  say(
    `a client that stops reading, ${rate}/s of 8 kB: cut after ${after.toFixed(1)} s, ${waiting.toFixed(1)} MB waited`,
  );
  say(`  the gateway's memory ${mib(memory)} → ${mib(peak)} (collected or not) until it was cut`);
  say(`  ten others: before ${latency(before)}; meanwhile ${latency(during)}`);
  return [
    { what: 'a client that stops reading: what waits for it', figure: waiting, most: 5, unit: ' MB' },
    { what: 'a client that stops reading: until it is cut', figure: after, most: 5, unit: ' s' },
    {
      what: 'a client that stops reading: others’ p99 against before',
      figure: during.p99 / before.p99,
      most: 1.3,
      unit: '×',
    },
    { what: 'a client that stops reading: others’ lost ends', figure: during.lost, most: 0, unit: '' },
    { what: 'a client that came back: nodes whose last end it lacks', figure: missing.lost, most: 0, unit: '' },
  ];
}

/** The interceptor hands the event over in the turn in which the activity ends, while Temporal is told of that end. */
async function activities({ holdfast, clients }: World): Promise<readonly Bar[]> {
  const ended = new Map<string, number>();
  const world = await openWorld({
    address: loadConfig().temporal.address,
    publish: (publication) => {
      if (publication.event.type === 'node_completed') ended.set(publication.event.event_id, monotonic());
      holdfast.publish(publication);
    },
  });
  try {
    await world.holdfast(activityChain(20));
    const { url, auth } = holdfast;
    const subscriptions = [['subscribe_all', {}]] as const;
    await clients.connect('activities', { url, auth, subscriptions, count: 1, library: true });
    await clients.begin('activities', (rounds += 1), 0);
    ended.clear();
    for (let run = 0; run < ROUNDS; run += 1) await world.holdfast(activityChain(50));
    await holdfast.sent();
    await sleep(1_000);
    const { unmarked } = await clients.count('activities');
    const arrived = new Map(unmarked);
    const took = [...ended].flatMap(([id, at]) => {
      const came = arrived.get(id);
      return came === undefined ? [] : [came - at];
    });
    say(
      `end of an activity to callback, ${took.length} of ${ended.size}: p50 ${ms(median(took))}, p99 ${ms(percentile(took, 0.99))}`,
    );
    return [{ what: 'ends of activities nobody was told', figure: ended.size - took.length, most: 0, unit: '' }];
  } finally {
    await clients.leave('activities');
    await world.close();
  }
}

interface Connection {
  readonly shape: Shape;
  readonly library?: boolean;
  readonly batches?: boolean;
}

/** Returns the name of its group. */
async function connect({ clients }: World, path: EventPath, { shape, library, batches }: Connection): Promise<string> {
  await clients.connect(groupOf(path, shape), {
    ...{ url: path.url, auth: { ...path.auth, ...(batches === true && { batches }) }, count: shape.clients },
    ...{ subscriptions: subscriptionsOf(path, shape), ...(library === true && { library }) },
  });
  return groupOf(path, shape);
}

/** `processor`: seconds of processor time the server took, which does not depend on what else the machine does. */
type Measured = Counted & { readonly processor: number };

interface Load {
  readonly shape: Shape;
  readonly rate: number;
  readonly seconds: number;
  readonly fill?: string;
}

/** Hands the events over at an even rate, and counts what the clients got once nothing comes any more. */
async function measure({ clients }: World, path: EventPath, load: Load): Promise<Measured> {
  const { shape, rate, seconds, fill = SMALL } = load;
  const round = (rounds += 1);
  const perRoom = Math.ceil((rate * seconds) / shape.rooms);
  const executions = Array.from({ length: shape.rooms }, (_, room) => contextOf(path, { shape, room, round }));
  for (const each of executions.flatMap(lifetime)) path.publish(each);
  await path.sent();
  await clients.begin(groupOf(path, shape), round, perRoom);
  const total = perRoom * shape.rooms;
  const processor = path.processorTime();
  const startedAt = monotonic();
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.ceil(((monotonic() - startedAt) * rate) / 1_000));
    for (; sent < due; sent += 1) {
      const index = Math.floor(sent / shape.rooms);
      path.publish(markedEvent(executions[sent % shape.rooms]!, { round, index }, fill));
    }
    await sleep(1);
  }
  await path.sent();
  const counted = await settled(() => clients.count(groupOf(path, shape)));
  return { ...counted, processor: path.processorTime() - processor };
}

/** Until nothing is missing, or nothing has come for a while, or it takes too long. */
async function settled(count: () => Promise<Counted>): Promise<Counted> {
  const deadline = monotonic() + DRAIN_MS;
  let last = await count();
  let since = monotonic();
  while (last.lost > 0 && monotonic() < deadline && monotonic() - since < SILENCE_MS) {
    await sleep(100);
    const next = await count();
    if (next.received !== last.received) since = monotonic();
    last = next;
  }
  return last;
}

interface Place {
  readonly shape: Shape;
  readonly room: number;
  readonly round: number;
}

function contextOf(path: EventPath, { shape, room, round }: Place): ExecutionContext {
  const execution_id = `exec_bench_${path.name}_${shape.name}_${room}_${round}`;
  return { execution_id, workflow_id: 'bench', bot_id: botOf(path, shape, room), mode: 'paper' };
}

function subscriptionsOf(path: EventPath, shape: Shape) {
  return Array.from(
    { length: shape.rooms },
    (_, room) => ['subscribe_bot', { bot_id: botOf(path, shape, room) }] as const,
  );
}

function botOf({ name }: EventPath, shape: Shape, room: number): string {
  return `bench_${name}_${shape.name}_${room}`;
}

function groupOf({ name }: EventPath, shape: Shape): string {
  return `${name} ${shape.name}`;
}

function shapeName({ clients, rooms }: Shape): string {
  return `${clients} clients in ${rooms} ${rooms === 1 ? 'room' : 'rooms'}`;
}

function latency({ p50, p99, most, received, lost, gaps, processor }: Measured): string {
  const missing = `${lost} of ${received + lost} did not arrive${gaps > 0 ? `, ${gaps} gaps` : ''}`;
  return `p50 ${ms(p50)}, p99 ${ms(p99)}, most ${ms(most)}, ${missing}, server busy for ${processor.toFixed(2)} s`;
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
