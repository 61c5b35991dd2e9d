/**
 * What a dark Redis costs an execution: it must be nothing.
 *
 * Measured: wall time of a chain of activities with events published, Redis up, then stopped, then hung (SIGSTOP), in turn, in
 * pairs with a run beside it while Redis is up; and how long the call takes that hands an event to the publisher, which is all a node waits
 * for. Not measured: how long events take to flow again; a test shows that they do.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../src/config/config';
import { EventPublisher } from '../src/event-log';
import { freePort, listens } from '../src/local-stack/ports';
import { openWorld } from './support/bench-world';
import { barLine, machine, median, percentile, spread, upperBoundOfMedian, type Bar } from './support/figures';
import { activityChain } from './support/graphs';

const LENGTH = 50;
const PAIRS = 16;
const ENQUEUE_MS = 0.1;

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
  const run: Run = async () => {
    enqueued.length = 0;
    const took = await world.holdfast(activityChain(LENGTH));
    return { took, enqueued: [...enqueued] };
  };
  process.stdout.write(`${machine()}\n`);
  const bars: Bar[] = [];
  try {
    await run();
    const stopped = await compare('stopped', run, {
      darken: () => redis.kill(),
      lighten: () => redis.start(),
    });
    const hung = await compare('hung', run, {
      darken: () => {
        redis.signal('SIGSTOP');
        return Promise.resolve();
      },
      lighten: () => {
        redis.signal('SIGCONT');
        return Promise.resolve();
      },
    });
    bars.push(...stopped, ...hung);
  } finally {
    await world.close();
    await publisher.close();
    await redis.kill();
  }
  for (const bar of bars) process.stdout.write(`${barLine(bar)}\n`);
}

/** Milliseconds of the execution, and of each call that handed over an event. */
type Run = () => Promise<{ readonly took: number; readonly enqueued: readonly number[] }>;

interface Outage {
  readonly darken: () => Promise<void>;
  readonly lighten: () => Promise<void>;
}

/** Each pair in the other order than the one before, so that a machine that slows down favours neither. */
async function compare(name: string, run: Run, { darken, lighten }: Outage): Promise<readonly Bar[]> {
  const [up, dark]: [number[], number[]] = [[], []];
  const [calls, darkCalls]: [number[], number[]] = [[], []];
  const inTheLight = async (): Promise<void> => {
    const { took, enqueued } = await run();
    up.push(took);
    calls.push(...enqueued);
  };
  const inTheDark = async (): Promise<void> => {
    await darken();
    const { took, enqueued } = await run();
    dark.push(took);
    darkCalls.push(...enqueued);
    await lighten();
    await sleep(300);
  };
  for (let pair = 0; pair < PAIRS; pair += 1) {
    if (pair % 2 === 0) await inTheLight();
    await inTheDark();
    if (pair % 2 === 1) await inTheLight();
  }
  const ratios = up.map((each, index) => (dark[index] ?? 0) / each);
  const figures = `up ${spread(up)}   ${name} ${spread(dark)}   ratio of medians ${(median(dark) / median(up)).toFixed(3)}`;
  const bound = `median of ratios ${median(ratios).toFixed(3)}, with 95 % confidence at most ${upperBoundOfMedian(ratios).toFixed(3)}`;
  process.stdout.write(`${PAIRS} pairs, chain of ${LENGTH}, ms   ${figures}   ${bound}\n`);
  return [
    {
      what: `handing over an event, Redis up, p99 of ${calls.length}`,
      figure: percentile(calls, 0.99),
      most: ENQUEUE_MS,
      unit: ' ms',
    },
    {
      what: `the same, Redis ${name}, p99 of ${darkCalls.length}`,
      figure: percentile(darkCalls, 0.99),
      most: ENQUEUE_MS,
      unit: ' ms',
    },
  ];
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
