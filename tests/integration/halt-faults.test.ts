import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { EventReader, type Cursor } from '../../src/event-log';
import { signClosing } from '../../src/event-log/closings';
import { closingsChannel } from '../../src/event-log/keys';
import { PERMIT_LIFETIME_MS } from '../../src/emergency/permits';
import { CLOSING_KEY, OrderingWorld, now, type GivenHalt, type Seal } from '../support/ordering-world';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { startOwnTemporal, type OwnTemporal } from '../support/own-temporal';
import { until } from '../support/until';
import type { WorkerProcess } from '../support/worker-process';

const WORKERS = 2;
const EXECUTIONS = 6;
/** After so long no request of before is on its way any more; usually it takes some milliseconds. */
const ON_ITS_WAY_MS = PERMIT_LIFETIME_MS;
/** A refused node is tried again after a second; a machine loaded with other tests takes its time. */
const SHORT_MS = 10_000;
/** Whoever hears a closing waits so long for its command. */
const DELIVERED_AFTER_MS = 1_000;
const DOWN_MS = 3_000;
const NOTHING = { held: '0', reserved: '0', open_orders: 0 };

interface Halt {
  readonly given: number;
  readonly epoch: number;
}

let redis: OwnRedis;
let world: OrderingWorld;
const figures: string[] = [];

async function openWorld(environment: Record<string, string>): Promise<OrderingWorld> {
  const opened = await OrderingWorld.open({ workers: WORKERS, journal: false, environment });
  await opened.startOrdering(EXECUTIONS);
  return opened;
}

async function halted(options: Parameters<OrderingWorld['halt']>[0] = {}): Promise<Halt & GivenHalt> {
  const halt = await world.halt(options);
  expect(halt.answer).toMatchObject({ ok: true, state: 'halt' });
  return { ...halt, epoch: halt.answer.epoch };
}

/** However the desk came to know of it. */
async function haltOfDesk() {
  return until('the desk is halted', async () => {
    const scope = await world.scope();
    return scope?.state === 'halt' && scope;
  });
}

const isOf = (symbol: string) => (order: { readonly scopes: readonly string[] }) =>
  order.scopes.includes(`symbol:${symbol}`);
const arrivalOf = (symbol: string) =>
  until(`an order of ${symbol} arrives`, () => world.venue.arrivals.find(isOf(symbol)));

/** What the venue is known to have may take another half minute when its worker was killed. */
async function nothingUnclear(): Promise<void> {
  await until('the desk knows of every order whether the venue has it', async () => {
    const { listed } = (await world.status()).open_permits;
    return listed.every(({ status, unknown }) => status !== 'granted' && status !== 'fenced' && unknown !== true);
  });
}

/** Until this symbol's permits have ended; then what it holds, `undefined` when nothing. */
async function heldOf(symbol: string) {
  await until(`the permit of ${symbol} has ended`, async () => {
    const { listed } = (await world.status()).open_permits;
    return listed.every((permit) => permit.symbol !== symbol);
  });
  const { held, reserved, open_orders } = (await world.scope(`symbol:${symbol}`)) ?? NOTHING;
  return { held, reserved, open_orders };
}

/** What every halt must show, whatever was done to it; then it is resumed, and orders flow again. */
async function holdsUntilResumed(name: string, { given, epoch }: Halt, seal: Seal): Promise<void> {
  await nothingUnclear();
  expect(world.mistakesSince(given, { epoch, sealedAt: seal.at })).toEqual([]);
  const [last, accepted] = [() => true, (order: { accepted: boolean }) => order.accepted].map((kept) =>
    world.lastArrivalAfter(given, kept).toFixed(0),
  );
  const sealed = (seal.at - given).toFixed(0);
  figures.push(`${name}: last arrival ${last} ms, last accepted ${accepted} ms, sealed ${sealed} ms after the halt`);
  await world.resume();
  await world.flowsAfter();
}

/** Without closings: what had its permit when the desk answered may still arrive, and be accepted as long as the permit lives. */
function expectEndOfPermits({ answered, epoch }: Halt & GivenHalt): void {
  const accepted = world.venue.accepted().filter((order) => order.at > answered && (order.epoch ?? 0) < epoch);
  const last = Math.max(0, ...accepted.map(({ at }) => at - answered));
  figures.push(`  last accepted ${last.toFixed(0)} ms after the answer`);
  expect(last).toBeLessThan(PERMIT_LIFETIME_MS);
}

/** Orders go on after what is published, whether or not the gates were closed by it for a moment; and go on after its command was due. */
async function expectOrdersGoOn(name: string, publish: () => Promise<number>): Promise<void> {
  const published = now();
  expect(await publish()).toBe(WORKERS);
  await world.flowsAfter(published + 2 * DELIVERED_AFTER_MS);
  const moments = world.venue.accepted().map(({ at }) => at);
  const pauses = moments.map((at, index) => (at > published ? at - (moments[index - 1] ?? at) : 0));
  const longest = Math.max(...pauses);
  figures.push(`${name}: longest pause between two orders ${longest.toFixed(0)} ms`);
  expect(longest).toBeLessThan(SHORT_MS);
}

/** A worker listens to a desk from the first node it is given of it, and again when Redis is back. */
async function allListen(): Promise<void> {
  const raw = new Redis(redis.url);
  const channel = closingsChannel(world.desk);
  await until('all hear closings', async () => (await raw.pubsub('NUMSUB', channel))[1] === WORKERS);
  raw.disconnect();
}

async function killAll(): Promise<void> {
  await Promise.all(world.workers.map((worker) => worker.kill()));
}

async function startMissing(): Promise<void> {
  await Promise.all(Array.from({ length: WORKERS - world.workers.length }, () => world.startWorker()));
}

/** Resolves when a node of the execution was dispatched again. */
async function refusedByGate(execution: string): Promise<void> {
  await until('a gate has refused a node', async () => {
    const { nodes } = await world.executionStatus(execution);
    return Object.values(nodes).some(({ type, dispatch }) => type === 'test_order' && dispatch > 1);
  });
}

/** More than 1 where a gate that had not read the desk yet refused it first. */
async function dispatchOf(execution: string): Promise<number | undefined> {
  const { nodes } = await world.executionStatus(execution);
  return Object.values(nodes)[0]?.dispatch;
}

/** Nobody knows what its one attempt did, so there is no dispatch after that: not at the resume either. */
async function givenUp(execution: string, dispatch: number | undefined): Promise<void> {
  const { nodes } = await until('the execution has ended', async () => {
    const status = await world.executionStatus(execution);
    return status.state === 'completed' && status;
  });
  const [order] = Object.values(nodes);
  expect(order).toMatchObject({ state: 'failed', dispatch, error_type: 'AttemptsExhausted' });
}

async function durablyHalted(execution: string): Promise<void> {
  await until('the execution knows of the halt', async () => {
    return (await world.executionStatus(execution)).state === 'halted';
  });
}

/** Where the event log of each execution that orders stands. */
async function positions(reader: EventReader): Promise<ReadonlyMap<string, Cursor>> {
  const ids = world.executions.slice(0, EXECUTIONS);
  return new Map(await Promise.all(ids.map(async (id) => [id, (await reader.snapshot(id)).position] as const)));
}

/** Attempts at an order that were begun since, as the event log has them. */
async function startsSince(reader: EventReader, before: ReadonlyMap<string, Cursor>): Promise<readonly unknown[]> {
  const replays = await Promise.all([...before].map(([id, cursor]) => reader.replay(id, cursor)));
  expect(replays.every(({ recovered }) => recovered)).toBe(true);
  return replays.flatMap(({ events }) =>
    events.filter((event) => event.type === 'node_started' && event.node_type === 'test_order'),
  );
}

/** A worker that came to the point of `stops_before_write`. */
async function stoppedWorker(): Promise<WorkerProcess> {
  return until('a worker stands still', () => world.workers.find(({ isStopped }) => isStopped));
}

beforeAll(async () => {
  redis = await startOwnRedis();
  world = await openWorld({ REDIS_URL: redis.url });
});
beforeEach(async () => {
  await startMissing();
  await world.flowsAfter();
  await allListen();
});
/** What a test that failed left behind must not fail the next. */
afterEach(async () => {
  redis.thaw();
  for (const worker of world.workers) worker.signal('SIGCONT');
  await startMissing();
  if ((await world.scope())?.can_trade === false) await world.resume();
});
afterAll(async () => {
  await world.close();
  await redis.stop();
  process.stdout.write(`${figures.join('\n')}\n`);
});

describe('a halt holds', () => {
  it('against a worker that was stopped between its last check and the write, and goes on after the seal', async () => {
    await world.startOrder({ symbol: 'STOPPED/USDT', stops_before_write: true });
    const stopped = await stoppedWorker();
    const halt = await halted();
    const seal = await world.sealed();
    expect(world.venue.arrivals.filter(isOf('STOPPED/USDT'))).toEqual([]);
    stopped.signal('SIGCONT');
    const { at, accepted, epoch, issued_at, expires_in_ms } = await arrivalOf('STOPPED/USDT');
    expect({ accepted, isOld: (epoch ?? 0) < halt.epoch, isLate: at > seal.at }).toEqual({
      ...{ accepted: false, isOld: true, isLate: true },
    });
    // Not by luck: it was sealed when the venue had to refuse it, and not before.
    expect(seal.at).toBeGreaterThanOrEqual(issued_at + expires_in_ms);
    await holdsUntilResumed('stopped before the write', halt, seal);
  });

  it('when a worker is killed whose order has arrived: another asks the venue what became of it', async () => {
    const execution = await world.startOrder({
      symbol: 'ARRIVED/USDT',
      quantity: '3',
      filled: '2',
      answer_after_ms: 30_000,
    });
    const { id, pid, issued_at, expires_in_ms } = await arrivalOf('ARRIVED/USDT');
    const dispatch = await dispatchOf(execution);
    await world.workers.find((worker) => worker.pid === pid)?.kill();
    expect(world.workers).toHaveLength(WORKERS - 1);
    const halt = await halted();
    expect((await world.scope())?.sealed_at).toBeUndefined();
    const seal = await world.sealed();
    expect(seal.at).toBeGreaterThanOrEqual(issued_at + expires_in_ms);
    await until('the venue was asked', () => world.venue.asked.has(id));
    expect(await heldOf('ARRIVED/USDT')).toEqual({ ...NOTHING, held: '200' });
    await holdsUntilResumed('killed after the write', halt, seal);
    await givenUp(execution, dispatch);
    expect(world.venue.arrivals.filter(isOf('ARRIVED/USDT'))).toHaveLength(1);
  });

  it('when a worker is killed whose order never leaves: it holds nothing back once the venue was asked', async () => {
    const execution = await world.startOrder({ symbol: 'UNSENT/USDT', stops_before_write: true });
    const stopped = await stoppedWorker();
    const dispatch = await dispatchOf(execution);
    await stopped.kill();
    const { open_permits } = await world.status();
    const permit = open_permits.listed.find(({ symbol }) => symbol === 'UNSENT/USDT');
    expect(permit).toMatchObject({ status: 'granted', quantity: '1' });
    const halt = await halted();
    const seal = await world.sealed();
    expect(await heldOf('UNSENT/USDT')).toEqual(NOTHING);
    expect(world.venue.asked).toContain(permit?.client_order_id);
    await holdsUntilResumed('killed before the write', halt, seal);
    await givenUp(execution, dispatch);
    expect(world.venue.arrivals.filter(isOf('UNSENT/USDT'))).toEqual([]);
  });

  it('without Redis, by permits that end', async () => {
    await redis.kill();
    await world.flowsAfter();
    const halt = await halted();
    const seal = await world.sealed();
    await redis.start();
    await holdsUntilResumed('Redis killed', halt, seal);
    expectEndOfPermits(halt);
    await allListen();
  });

  it('while Redis hangs, by permits that end', async () => {
    redis.freeze();
    const halt = await halted();
    const seal = await world.sealed();
    redis.thaw();
    await holdsUntilResumed('Redis hung', halt, seal);
    expectEndOfPermits(halt);
  });

  it('when the commander is killed between closing and command: who heard the one delivers the other', async () => {
    const command = world.newHalt();
    const given = now();
    expect(await world.closings.publish(world.closingOf(command))).toBe(WORKERS);
    const { causes, epoch } = await haltOfDesk();
    const delivered = now() - given;
    expect(delivered).toBeLessThan(5_000);
    expect(causes).toMatchObject([{ reason: command.reason, actor: command.actor }]);
    expect(await world.client.deskKnowsCommand(command.command_id, world.desk)).toBe(true);
    expect(world.lastArrivalAfter(given)).toBeLessThan(ON_ITS_WAY_MS);
    figures.push(`commander killed: delivered after ${delivered.toFixed(0)} ms`);
    await holdsUntilResumed('commander killed', { given, epoch }, await world.sealed());
  });

  it('when all workers are killed before the seal: new ones find out what became of every order', async () => {
    await world.startOrder({ symbol: 'LAST/USDT', quantity: '3', filled: '1', answer_after_ms: 30_000 });
    await arrivalOf('LAST/USDT');
    const halt = await halted();
    // Nothing is dispatched any more that would bring a new worker to this desk.
    await Promise.all(world.executions.slice(0, EXECUTIONS).map(durablyHalted));
    expect((await world.scope())?.sealed_at).toBeUndefined();
    await killAll();
    await startMissing();
    const scope = await world.scope();
    expect(scope).toMatchObject({ state: 'halt', epoch: halt.epoch });
    expect(await heldOf('LAST/USDT')).toEqual({ ...NOTHING, held: '100' });
    await holdsUntilResumed('all workers killed', halt, await world.sealed());
  });

  it('when it is given while no worker runs: new ones let nothing begin before they have read the desk', async () => {
    await killAll();
    const killed = now();
    const reader = new EventReader(redis.url);
    await reader.ready(60_000);
    const before = await positions(reader);
    await world.client.raiseAtDesk(world.newHalt(), world.desk);
    // This one finds the executions, and nobody who answers for the desk.
    await world.startWorker({ HOLDFAST_DESK_TASK_QUEUE: `${world.desk}-nobody` });
    await Promise.all(world.executions.slice(0, EXECUTIONS).map(refusedByGate));
    expect(await startsSince(reader, before)).toEqual([]);
    expect(world.lastArrivalAfter(killed)).toBe(0);
    await world.startWorker();
    const { epoch } = await haltOfDesk();
    const seal = await world.sealed();
    expect(await startsSince(reader, before)).toEqual([]);
    reader.close();
    await holdsUntilResumed('halted without workers', { given: killed, epoch }, seal);
  });
});

describe('a closing', () => {
  it('that arrives after the halt was resumed closes for no longer than one look at the desk', async () => {
    const halt = await halted({ closes: false });
    await holdsUntilResumed('without a closing', halt, await world.sealed());
    const { state, epoch } = await world.status();
    await expectOrdersGoOn('a late closing', () => world.closings.publish(world.closingOf(halt.command)));
    expect(await world.status()).toMatchObject({ state, epoch });
  });

  it('that arrives twice halts once, and changes nothing after the resume', async () => {
    const command = world.newHalt();
    const closing = world.closingOf(command);
    const given = now();
    expect(await world.closings.publish(closing)).toBe(WORKERS);
    const { epoch } = await world.give(command);
    expect(await world.closings.publish(closing)).toBe(WORKERS);
    await holdsUntilResumed('closed twice', { given, epoch }, await world.sealed());
    const resumed = (await world.status()).epoch;
    await expectOrdersGoOn('a third closing', () => world.closings.publish(closing));
    expect(await world.status()).toMatchObject({ state: 'normal', epoch: resumed });
  });

  it('that is forged is not obeyed: orders go on, and nobody delivers its command', async () => {
    const [foreign, changed] = [world.newHalt(), world.newHalt()];
    const narrow = signClosing({ ...world.closingOf(changed), scope: 'symbol:OTHER/USDT' }, CLOSING_KEY);
    const forgeries = [signClosing(world.closingOf(foreign), 'x'.repeat(32)), { ...narrow, scope: 'global' }];
    const before = await world.status();
    const raw = new Redis(redis.url);
    for (const forgery of forgeries) {
      await expectOrdersGoOn('a forged closing', () =>
        raw.publish(closingsChannel(world.desk), JSON.stringify(forgery)),
      );
    }
    raw.disconnect();
    const { state, epoch } = await world.status();
    expect({ state, epoch }).toEqual({ state: 'normal', epoch: before.epoch });
    for (const { command_id } of [foreign, changed])
      expect(await world.client.deskKnowsCommand(command_id, world.desk)).toBe(false);
  });
});

describe('a Temporal server that is killed between closing and command', () => {
  let temporal: OwnTemporal;
  const shared = () => sharedWorld;
  let sharedWorld: OrderingWorld;

  beforeAll(async () => {
    sharedWorld = world;
    temporal = await startOwnTemporal();
    world = await openWorld({ REDIS_URL: redis.url, TEMPORAL_ADDRESS: temporal.address });
  });
  afterAll(async () => {
    await world.close();
    await temporal.stop();
    world = shared();
  });

  it('finds the gates closed when it is back, until the desk has decided', async () => {
    const command = world.newHalt();
    const given = now();
    expect(await world.closings.publish(world.closingOf(command))).toBe(WORKERS);
    await temporal.kill();
    await pause(DOWN_MS);
    await temporal.start();
    const back = now();
    const { causes, epoch } = await haltOfDesk();
    figures.push(
      `Temporal killed: back ${(back - given).toFixed(0)} ms, halted ${(now() - given).toFixed(0)} ms after`,
    );
    expect(causes).toMatchObject([{ reason: command.reason, actor: command.actor }]);
    await holdsUntilResumed('Temporal killed', { given, epoch }, await world.sealed());
    const late = world.venue.arrivals.filter(
      ({ at, ...order }) => at > given + ON_ITS_WAY_MS && (order.epoch ?? 0) < epoch,
    );
    expect(late).toEqual([]);
  });
});
