/**
 * What the engine costs beside the same work written by hand.
 *
 * Measured: wall time from the start call to the result at the caller, Holdfast and the hand-written workflow in turn within one
 * process, against one server, each with a worker of its own and the same settings. What is written by hand tells nobody what it
 * does, so Holdfast is compared with events off, its emergency desk asked all the same; one line says what events add, published
 * to a real Redis. A figure is the median of the rounds' ratios. Then the time to validate and to plan a graph.
 * Not measured: venues, networks, several workers.
 *
 * `npm run bench engine -- --rounds=5 --size=1000`: a smaller size only shows that it works.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { loadConfig } from '../src/config/config';
import { EventPublisher } from '../src/event-log';
import type { Publication } from '../src/events/build';
import { GraphRun } from '../src/graph/graph-run';
import { planGraph } from '../src/graph/plan';
import { openWorld, type BenchWorld } from './support/bench-world';
import { barLine, machine, median, spread, type Bar } from './support/figures';
import { activityChain, branches, fan, mixed } from './support/graphs';
import { prepare } from './support/prepare';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, size: { type: 'string', default: '1000' } },
});
const ROUNDS = Number(options.rounds);
const SIZE = Number(options.size);

/** One branch is a single slow step; the others are four quick ones. Level by level that takes 1,500 ms, by edges 900. */
const SLOW = [[900], ...Array.from({ length: 4 }, () => [200, 200, 200, 200])];

async function main(): Promise<void> {
  say(machine());
  // First: it keeps this process from answering anyone.
  const bars: Bar[] = [compileAndValidate()];
  const { temporal, redis } = loadConfig();
  const publisher = new EventPublisher(redis.url);
  const publish = (each: Publication): void => {
    publisher.publish(each);
  };
  const silent = await openWorld({ address: temporal.address });
  const telling = await openWorld({ address: temporal.address, publish });
  const worlds = { silent, telling };
  try {
    await warmUp(silent);
    await warmUp(telling);
    bars.push(...(await compareRounds(worlds)));
  } finally {
    await Promise.all([silent.close(), telling.close()]);
    await publisher.close();
  }
  say(machine());
  for (const bar of bars) say(barLine(bar));
}

async function warmUp(world: BenchWorld): Promise<void> {
  await world.holdfast(activityChain(20));
  await world.plain('plainChain', 20);
  await world.holdfast(fan(100));
  await world.plain('plainFan', 100);
}

type Worlds = Readonly<Record<'silent' | 'telling', BenchWorld>>;

interface Comparison {
  readonly what: string;
  /** Absent where the figure is only told. */
  readonly most?: number;
  readonly ours: (worlds: Worlds) => Promise<number>;
  readonly byHand: (worlds: Worlds) => Promise<number>;
}

const comparisons: readonly Comparison[] = [
  {
    what: 'uneven diamond against wave scheduling',
    most: 0.65,
    ours: ({ silent }) => silent.holdfast(branches(SLOW)),
    byHand: ({ silent }) => silent.plain('plainWaves', SLOW),
  },
  {
    what: `chain of ${SIZE} against a loop`,
    most: 1.05,
    ours: ({ silent }) => silent.holdfast(activityChain(SIZE)),
    byHand: ({ silent }) => silent.plain('plainChain', SIZE),
  },
  {
    what: 'the same, events published',
    ours: ({ telling }) => telling.holdfast(activityChain(SIZE)),
    byHand: ({ silent }) => silent.plain('plainChain', SIZE),
  },
  {
    what: `1 → ${SIZE} → 1, ${SIZE} in flight, against Promise.all`,
    most: 1.1,
    ours: ({ silent }) => silent.holdfast(fan(SIZE), { max_in_flight: SIZE }),
    byHand: ({ silent }) => silent.plain('plainFan', SIZE),
  },
  {
    what: `1 → ${SIZE} → 1, default settings, against Promise.all`,
    most: 1.6,
    ours: ({ silent }) => silent.holdfast(fan(SIZE)),
    byHand: ({ silent }) => silent.plain('plainFan', SIZE),
  },
];

/** Each round runs every comparison, in the other order than the round before, so that a machine that slows down favours neither. */
async function compareRounds(worlds: Worlds): Promise<Bar[]> {
  const pairs = comparisons.map(() => [] as { ours: number; byHand: number }[]);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [index, each] of comparisons.entries()) pairs[index]?.push(await pairOf(worlds, each, round % 2 === 0));
  }
  return comparisons.flatMap(({ what, most }, index) => {
    const measured = pairs[index] ?? [];
    const ratios = measured.map(({ ours, byHand }) => ours / byHand);
    const times = (['ours', 'byHand'] as const).map((side) => spread(measured.map((each) => each[side])));
    say(`${what.padEnd(60)} ms ${times[0] ?? ''} by hand ${times[1] ?? ''}   ratios ${spread(ratios, 3)}`);
    return most === undefined ? [] : [{ what, figure: median(ratios), most, unit: '×' }];
  });
}

async function pairOf(worlds: Worlds, { ours, byHand }: Comparison, oursFirst: boolean) {
  if (oursFirst) return { ours: await ours(worlds), byHand: await byHand(worlds) };
  const second = await byHand(worlds);
  return { ours: await ours(worlds), byHand: second };
}

const LARGEST = 10_000;
/** Rounds; the first is told apart, because the JavaScript engine has optimised nothing then. */
const COMPILED = 25;

/** From the parsed document to the first decisions. */
function compileAndValidate(): Bar {
  const nodes = mixed(LARGEST);
  const validate: number[] = [];
  const plan: number[] = [];
  for (let round = 0; round < COMPILED; round += 1) {
    const startedAt = performance.now();
    const { graph, kinds } = prepare(nodes);
    const preparedAt = performance.now();
    GraphRun.create(planGraph(graph, kinds), { inputs: {}, variables: {}, output_limit: 1_000_000 });
    validate.push(preparedAt - startedAt);
    plan.push(performance.now() - preparedAt);
  }
  const both = validate.map((each, round) => each + (plan[round] ?? 0));
  const what = `${LARGEST} nodes validated and planned`;
  const parts = `validated ${spread(validate)}   planned ${spread(plan)}   cold ${(both[0] ?? 0).toFixed(0)}`;
  say(`${what.padEnd(60)} ms ${spread(both)}   ${parts}`);
  return { what, figure: median(both), most: 150, unit: ' ms' };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
