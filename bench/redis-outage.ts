/**
 * What a dark Redis costs an execution: it must be nothing.
 *
 * Measured: wall time of a chain of activities (their duration) and of as many side by side (their throughput) with events published, Redis
 * up, then stopped, then hung (SIGSTOP), in turn, in pairs with a run beside it while Redis is up; and how long the call takes that hands an
 * event to the publisher, which is all a node waits for. Not measured: how long events take to flow again; a test shows that they do.
 *
 * `npm run bench redis-outage -- --pairs=40`: more pairs narrow what is said with confidence.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadConfig } from '../src/config/config';
import { EventPublisher } from '../src/event-log';
import { freePort, listens } from '../src/local-stack/ports';
import { openWorld } from './support/bench-world';
import { barLine, machine, median, percentile, spread, upperBoundOfMedian, type Bar } from './support/figures';
import { activityChain, fan, type Nodes } from './support/graphs';

const { values: options } = parseArgs({ options: { pairs: { type: 'string', default: '16' } } });
const PAIRS = Number(options.pairs);
const LENGTH = 50;
const WIDTH = 100;
const WORK: Readonly<Record<string, Nodes>> = {
  [`duration, chain of ${LENGTH}`]: activityChain(LENGTH),
  [`throughput, ${WIDTH} at once`]: fan(WIDTH),
};
const ENQUEUE_MS = 0.1;
const MOST_RATIO = 1.05;

class DarkRedis {
  readonly port: number;
  #child: ChildProcess | undefined;

  constructor(port: number) {
    this.port = port;
  }

  async start(): Promise<void> {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    this.#child = spawn('redis-server', args, { stdio: 'ignore' });
    while (!(await listens('127.0.0.1', this.port))) await sleep(20);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }
}

async function main(): Promise<void> {
  const redis = new DarkRedis(await freePort());
  await redis.start();
  const publisher = new EventPublisher(`redis://127.0.0.1:${redis.port}`);
  const enqueued: number[] = [];
  const world = await openWorld({
    address: loadConfig().temporal.address,
    publish: (each) => {
      const began = performance.now();
      publisher.publish(each);
      enqueued.push(performance.now() - began);
    },
  });
  const run: Run = async (nodes) => {
    enqueued.length = 0;
    const took = await world.holdfast(nodes);
    return { took, enqueued: [...enqueued] };
  };
  // Before the next run, or it would carry what the dark one left behind.
  const caughtUp = async (): Promise<void> => {
    while (!publisher.stats().connected || publisher.stats().queued > 0) await sleep(20);
  };
  const stopped: Outage = {
    name: 'stopped',
    darken: () => redis.kill(),
    lighten: async () => {
      await redis.start();
      await caughtUp();
    },
  };
  const hung: Outage = {
    name: 'hung',
    darken: async () => {
      redis.signal('SIGSTOP');
      await Promise.resolve();
    },
    lighten: async () => {
      redis.signal('SIGCONT');
      await caughtUp();
    },
  };
  process.stdout.write(`${machine()}\n`);
  const bars: Bar[] = [];
  try {
    for (const outage of [stopped, hung]) bars.push(...(await compareAll(outage, run)));
  } finally {
    await world.close();
    await publisher.close();
    await redis.kill();
  }
  for (const bar of bars) process.stdout.write(`${barLine(bar)}\n`);
}

/** Milliseconds of the execution, and of each call that handed over an event. */
type Run = (nodes: Nodes) => Promise<{ readonly took: number; readonly enqueued: readonly number[] }>;

interface Outage {
  readonly name: string;
  readonly darken: () => Promise<void>;
  readonly lighten: () => Promise<void>;
}

interface Calls {
  readonly up: number[];
  readonly dark: number[];
}

async function compareAll(outage: Outage, run: Run): Promise<readonly Bar[]> {
  const calls: Calls = { up: [], dark: [] };
  const bars: Bar[] = [];
  for (const [what, nodes] of Object.entries(WORK)) {
    await run(nodes);
    const ratios = await compare(() => run(nodes), { what, outage, calls });
    const figure = upperBoundOfMedian(ratios);
    bars.push({ what: `${what}, Redis ${outage.name}, at most`, figure, most: MOST_RATIO, unit: '×' });
  }
  const handing = (when: string, of: readonly number[]): Bar => {
    const what = `handing over an event, Redis ${when}, p99 of ${of.length}`;
    return { what, figure: percentile(of, 0.99), most: ENQUEUE_MS, unit: ' ms' };
  };
  return [...bars, handing('up', calls.up), handing(outage.name, calls.dark)];
}

interface Comparison {
  readonly what: string;
  readonly outage: Outage;
  readonly calls: Calls;
}

/** Each pair in the other order than the one before, so that a machine that slows down favours neither. Returns dark against light. */
async function compare(run: () => ReturnType<Run>, { what, outage, calls }: Comparison): Promise<readonly number[]> {
  const [up, dark]: [number[], number[]] = [[], []];
  const inTheLight = async (): Promise<void> => {
    const { took, enqueued } = await run();
    up.push(took);
    calls.up.push(...enqueued);
  };
  const inTheDark = async (): Promise<void> => {
    await outage.darken();
    const { took, enqueued } = await run();
    dark.push(took);
    calls.dark.push(...enqueued);
    await outage.lighten();
  };
  for (let pair = 0; pair < PAIRS; pair += 1) {
    if (pair % 2 === 0) await inTheLight();
    await inTheDark();
    if (pair % 2 === 1) await inTheLight();
  }
  const ratios = up.map((each, index) => (dark[index] ?? 0) / each);
  const figures = `up ${spread(up)}   ${outage.name} ${spread(dark)}   median of ratios ${median(ratios).toFixed(3)}`;
  process.stdout.write(`${what}, ${PAIRS} pairs, ms   ${figures}\n`);
  return ratios;
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
