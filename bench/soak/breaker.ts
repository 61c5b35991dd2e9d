/**
 * A dead resource with 50 executions in flight: it refuses, recovers, hangs, recovers.
 *
 * Shown: the calls that reach it while its breaker is open are its probes alone, all executions end by themselves once it has
 * recovered, and no attempt is used up by waiting: attempts told are calls made. The breaker opens for two seconds where it
 * would be sixty: thirty times faster than life. Ends with code 1 when one of these does not hold.
 *
 * `npm run soak:breaker -- --seconds=20`: how long each outage lasts.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { loadConfig } from '../../src/config/config';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { readyDesk } from '../../tests/support/ready-desk';
import { machine } from '../support/figures';
import { prepare } from '../support/prepare';
import { SoakWorker } from '../support/soak-worker';

const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '20' } } });
const OUTAGE_MS = Number(options.seconds) * 1_000;
const EXECUTIONS = 50;
const OPEN_MS = 2_000;
const RESOURCE = 'exchange_api';
const SETTINGS = { failures: 5, window: '120s', open_for: '2s', successes: 2, probes: 2 };
/** Probes are calls and count: a node that is the probe of period after period needs some. */
const ATTEMPTS = 10;
const ENDS_WITHIN_MS = 120_000;

type Behaviour = 'answers' | 'refuses' | 'hangs';

/** Counts what arrives. */
class Exchange {
  readonly calls: number[] = [];
  behaviour: Behaviour = 'answers';
  readonly #server: Server;

  constructor() {
    this.#server = createServer((_request, response) => {
      this.calls.push(Date.now());
      this.#answer(response);
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(response: ServerResponse): void {
    if (this.behaviour === 'answers') response.end('{}');
    else if (this.behaviour === 'refuses') response.socket?.destroy();
  }
}

interface Change {
  readonly at: number;
  readonly state: string;
}

class BreakerSoak {
  readonly #exchange = new Exchange();
  readonly #changes: Change[] = [];
  readonly #wrong: string[] = [];
  #client: HoldfastClient | undefined;
  #worker: SoakWorker | undefined;

  async run(): Promise<readonly string[]> {
    const queue = `breaker-${randomUUID()}`;
    const environment = {
      HOLDFAST_TASK_QUEUE: queue,
      HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk`,
      HOLDFAST_CIRCUIT_BREAKERS: JSON.stringify({ [RESOURCE]: SETTINGS }),
    };
    await this.#exchange.listen();
    this.#worker = await SoakWorker.start(environment, (line) => {
      const state = /^circuit_breaker_(.*)$/.exec(line.msg ?? '')?.[1];
      if (state !== undefined) this.#changes.push({ at: Date.parse(String(line.time)) || Date.now(), state });
    });
    this.#client = await HoldfastClient.connect(loadConfig({ ...process.env, ...environment }).temporal);
    await readyDesk(this.#client);
    await this.#outage(this.#client, 'refuses');
    await this.#outage(this.#client, 'hangs');
    return this.#wrong;
  }

  async close(): Promise<void> {
    await this.#worker?.stop();
    await this.#client?.close();
    await this.#exchange.close();
  }

  async #outage(client: HoldfastClient, behaviour: Behaviour): Promise<void> {
    const [firstCall, firstChange] = [this.#exchange.calls.length, this.#changes.length];
    this.#exchange.behaviour = behaviour;
    const startedAt = Date.now();
    const retry = { max_attempts: ATTEMPTS };
    const node = { type: 'bench_call', params: { url: this.#exchange.url }, circuit_breaker: RESOURCE, retry };
    const nodes = { call: node, again: { ...node, after: ['call'] } };
    const started = await Promise.all(Array.from({ length: EXECUTIONS }, () => client.startExecution(prepare(nodes))));
    await delay(Math.max(0, startedAt + OUTAGE_MS - Date.now()));
    const lastCall = this.#exchange.calls.length;
    this.#exchange.behaviour = 'answers';
    const recoveredAt = Date.now();
    const attempts = await Promise.all(started.map(({ execution_id }) => this.#attemptsOf(client, execution_id)));
    const made = this.#exchange.calls.length - firstCall;
    say(
      `${behaviour} for ${OUTAGE_MS / 1_000} s: all ended ${((Date.now() - recoveredAt) / 1_000).toFixed(1)} s after`,
    );
    this.#hold('attempts told are calls made', sum(attempts.flat()), made);
    say(
      `  ${made} calls in all, ${lastCall - firstCall} in the outage; most attempts of a node ${Math.max(...attempts.flat())}`,
    );
    this.#countByPeriod(this.#exchange.calls.slice(firstCall, lastCall), this.#changes.slice(firstChange), recoveredAt);
  }

  async #attemptsOf(client: HoldfastClient, id: string): Promise<number[]> {
    const deadline = Date.now() + ENDS_WITHIN_MS;
    while (!(await client.describeExecution(id)).closing) {
      if (Date.now() > deadline) throw new Error(`${id} does not end`);
      await delay(100);
    }
    const { state, nodes, error } = await client.executionStatus(id);
    if (state !== 'completed') this.#wrong.push(`${id} is ${state}: ${error ?? ''}`);
    return Object.values(nodes).map(({ attempt }) => attempt ?? 0);
  }

  /** From one opening to the next: the calls the breaker let through although it had opened. */
  #countByPeriod(calls: readonly number[], changes: readonly Change[], until: number): void {
    const openings = changes.filter(({ state, at }) => state === 'opened' && at < until).map(({ at }) => at);
    const ends = [...openings.slice(1), until];
    const before = calls.filter((at) => at <= (openings[0] ?? until)).length;
    const counts = openings.map(
      (from, index) => calls.filter((at) => at > from && at <= (ends[index] ?? until)).length,
    );
    say(`  calls before it opened: ${before}; by period of ${OPEN_MS} ms or more: ${counts.join(' ')}`);
    if (openings.length === 0) this.#wrong.push('the breaker never opened');
    for (const count of counts) {
      if (count > SETTINGS.probes)
        this.#wrong.push(`${count} calls in one period, ${SETTINGS.probes} probes are allowed`);
    }
  }

  #hold(what: string, is: number, expected: number): void {
    say(`  ${what}: ${is} and ${expected}`);
    if (is !== expected) this.#wrong.push(`${what}: ${is}, not ${expected}`);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  say(machine());
  const soak = new BreakerSoak();
  try {
    const wrong = await soak.run();
    for (const each of wrong) say(`✗ ${each}`);
    if (wrong.length === 0) say('✓ only probes while open, all completed, no attempt used up by waiting');
    else process.exitCode = 1;
  } finally {
    await soak.close();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
