/**
 * What a node costs.
 *
 * Measured: wall time from the start call to the result at the caller, of chains whose nodes do nothing; executions per second;
 * the same with events published to a real Redis. Everything compared runs in turn within one process, against one server.
 * Not measured: venues, networks, several workers. Against: a hand-written Temporal workflow, and the stock development server.
 */
import { loadConfig } from '../src/config/config';
import { EventPublisher } from '../src/event-log';
import { openWorld, type BenchWorld } from './support/bench-world';
import { machine, median, spread } from './support/figures';
import { activityChain, pureChain } from './support/graphs';
import { onStockServer } from './support/stock-server';

const LENGTH = 100;
const ROUNDS = 9;

async function main(): Promise<void> {
  const config = loadConfig();
  process.stdout.write(`${machine()}\n`);
  const publisher = new EventPublisher(config.redis.url);
  const silent = await openWorld({ address: config.temporal.address });
  const telling = await openWorld({
    address: config.temporal.address,
    publish: (each) => {
      publisher.publish(each);
    },
  });
  try {
    await warmUp(silent, telling);
    const chain = await againstByHand(telling);
    await againstStockServer(chain);
    await pure(telling);
    await eventsOnAndOff(silent, telling);
    await throughput(telling);
  } finally {
    await Promise.all([silent.close(), telling.close()]);
    await publisher.close();
  }
}

async function warmUp(...worlds: BenchWorld[]): Promise<void> {
  for (const world of worlds) {
    await world.holdfast(activityChain(20));
    await world.plain('plainChain', 20);
  }
}

async function againstByHand(world: BenchWorld): Promise<number> {
  const ours: number[] = [];
  const byHand: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    // Each round in the other order than the one before, so that a machine that slows down favours neither.
    if (round % 2 === 0) ours.push(await world.holdfast(activityChain(LENGTH)));
    byHand.push(await world.plain('plainChain', LENGTH));
    if (round % 2 === 1) ours.push(await world.holdfast(activityChain(LENGTH)));
  }
  const ratio = median(ours) / median(byHand);
  print(`chain of ${LENGTH} activities, ms`, spread(ours), `by hand ${spread(byHand)}`, `ratio ${ratio.toFixed(3)}`);
  return median(ours);
}

async function againstStockServer(chain: number): Promise<void> {
  await onStockServer(async (address) => {
    const world = await openWorld({ address });
    await world.holdfast(activityChain(5));
    const stock = await world.holdfast(activityChain(LENGTH));
    await world.close();
    print(`the same on the stock server, ms`, stock.toFixed(0), `share ${((100 * chain) / stock).toFixed(1)} %`);
  });
}

async function pure(world: BenchWorld): Promise<void> {
  const nodes = 500;
  const [each, byHand]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    each.push((await world.holdfast(pureChain(nodes))) / nodes);
    byHand.push((await world.plain('plainLocalChain', nodes)) / nodes);
  }
  const ratio = median(each) / median(byHand);
  print(
    `chain of ${nodes} pure nodes, ms per node`,
    spread(each, 2),
    `local activities by hand ${spread(byHand, 2)}`,
    `ratio ${ratio.toFixed(3)}`,
  );
}

async function eventsOnAndOff(silent: BenchWorld, telling: BenchWorld): Promise<void> {
  const off: number[] = [];
  const on: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    off.push(await silent.holdfast(activityChain(LENGTH)));
    on.push(await telling.holdfast(activityChain(LENGTH)));
  }
  print('events off → on, ms', `${spread(off)} → ${spread(on)}`, `ratio ${(median(on) / median(off)).toFixed(3)}`);
}

async function throughput(world: BenchWorld): Promise<void> {
  for (const atOnce of [1, 10, 50, 200]) {
    const total = Math.max(20, atOnce * 2);
    const startedAt = performance.now();
    const queue = Array.from({ length: total }).values();
    const lane = async (): Promise<void> => {
      while (queue.next().done !== true) await world.holdfast(activityChain(5));
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
    const perSecond = (1_000 * total) / (performance.now() - startedAt);
    print(`executions of 5 activities, ${atOnce} at once`, `${perSecond.toFixed(1)} per second`);
  }
}

function print(what: string, ...figures: string[]): void {
  process.stdout.write(`${what.padEnd(46)} ${figures.join('   ')}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
