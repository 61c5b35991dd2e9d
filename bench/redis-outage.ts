/**
 * What a dark Redis costs an execution: it must be nothing.
 *
 * Measured: wall time of a chain of activities with events published, Redis up, then stopped, then hung (SIGSTOP), in turn, in
 * pairs with a run beside it while Redis is up. Not measured: how long events take to flow again; a test shows that they do.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../src/config/config';
import { EventPublisher } from '../src/event-log';
import { freePort, listens } from '../src/local-stack/ports';
import { openWorld } from './support/bench-world';
import { median, spread } from './support/figures';
import { activityChain } from './support/graphs';

const LENGTH = 50;
const PAIRS = 16;

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
  const world = await openWorld({
    address: loadConfig().temporal.address,
    publish: (each) => {
      publisher.publish(each);
    },
  });
  const run = () => world.holdfast(activityChain(LENGTH));
  try {
    await run();
    await compare('stopped', run, {
      darken: () => redis.kill(),
      lighten: () => redis.start(),
    });
    await compare('hung', run, {
      darken: () => {
        redis.signal('SIGSTOP');
        return Promise.resolve();
      },
      lighten: () => {
        redis.signal('SIGCONT');
        return Promise.resolve();
      },
    });
  } finally {
    await world.close();
    await publisher.close();
    await redis.kill();
  }
}

interface Outage {
  readonly darken: () => Promise<void>;
  readonly lighten: () => Promise<void>;
}

/** Each pair in the other order than the one before, so that a machine that slows down favours neither. */
async function compare(name: string, run: () => Promise<number>, { darken, lighten }: Outage): Promise<void> {
  const up: number[] = [];
  const dark: number[] = [];
  const inTheDark = async (): Promise<void> => {
    await darken();
    dark.push(await run());
    await lighten();
    await sleep(300);
  };
  for (let pair = 0; pair < PAIRS; pair += 1) {
    if (pair % 2 === 0) up.push(await run());
    await inTheDark();
    if (pair % 2 === 1) up.push(await run());
  }
  const ratios = up.map((each, index) => (dark[index] ?? 0) / each);
  const figures = `up ${spread(up)}   ${name} ${spread(dark)}   ratio of medians ${(median(dark) / median(up)).toFixed(3)}`;
  process.stdout.write(
    `${PAIRS} pairs, chain of ${LENGTH}, ms   ${figures}   median of ratios ${median(ratios).toFixed(3)}\n`,
  );
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
