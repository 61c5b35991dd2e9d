/**
 * What lies between an order's node being ready and its request, and what a worker holds that does not trade.
 *
 * Measured: chains of market orders of one execution at a paper venue on loopback, from the moment the server recorded the end of the
 * order before (its node is ready then) to the first byte of the next order's request at a relay before the venue, both by the clock of
 * this machine. Within it lie a workflow task, an activity, a price, the check of the account and the permit. Not measured: a network, the
 * venue. That worker serves executions and the desk. Memory is what a process as released holds after a hundred activities: one of executions
 * alone, which does not trade, and one of the desk alone beside it; and what one of both holds after its orders.
 */
import { randomUUID } from 'node:crypto';
import { createServer, connect, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { loadConfig } from '../src/config/config';
import { recordedProfiles } from '../src/paper-venue/recorded-profiles';
import { startPaperVenue } from '../src/paper-venue/start-paper-venue';
import { HoldfastClient } from '../src/temporal-client/holdfast-client';
import { readyDesk } from '../tests/support/ready-desk';
import { machine, median } from './support/figures';
import { activityChain, type Nodes } from './support/graphs';
import { prepare } from './support/prepare';
import { SoakWorker } from './support/soak-worker';

const SPEED = 60;
const ORDERS = 20;
const ROUNDS = 5;
const DATA = join(process.cwd(), 'examples/data');

async function main(): Promise<void> {
  say(machine());
  const venue = await startPaperVenue({ profiles: await recordedProfiles(DATA, SPEED) });
  const relay = new Relay(Number(new URL(venue.url).port));
  const queue = `bench-${randomUUID()}`;
  const environment = {
    HOLDFAST_TASK_QUEUE: queue,
    HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk`,
    HOLDFAST_PAPER_VENUE_URL: await relay.listen(),
    HOLDFAST_REPLAY_SPEED: String(SPEED),
  };
  const { temporal } = loadConfig({ ...process.env, ...environment });
  const client = await HoldfastClient.connect(temporal);
  const connection = await Connection.connect({ address: temporal.address });
  const desk = `bench-${randomUUID()}`;
  const run = runnerOf(client, new Client({ connection }), desk);
  try {
    await withWorkers(environment, ['graphs', 'desk'], async ([graphs, ofDesk]) => {
      await readyDesk(client, desk);
      for (let round = 0; round < ROUNDS; round += 1) await run(activityChain(ORDERS));
      say(`memory of a worker of executions alone, which does not trade: ${megabytes(graphs)} (bar: 200 MB)`);
      say(`memory of the worker of the desk alone: ${megabytes(ofDesk)}`);
    });
    await withWorkers(environment, ['graphs,desk'], async ([worker]) => {
      await run(orders());
      relay.forget();
      const waits: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) waits.push(...relay.waits(await run(orders())));
      say(`from ready to the first byte, ${waits.length} orders: ${spreadOf(waits)} (bar: p50 at most 40 ms)`);
      say(`memory of a worker of both that trades: ${megabytes(worker)}`);
    });
  } finally {
    await client.close();
    await connection.close();
    relay.close();
    await venue.close();
  }
}

/** A process for each of what they serve. */
async function withWorkers(
  environment: Readonly<Record<string, string>>,
  served: readonly string[],
  work: (workers: readonly SoakWorker[]) => Promise<void>,
): Promise<void> {
  const workers: SoakWorker[] = [];
  try {
    for (const each of served) workers.push(await SoakWorker.start({ ...environment, HOLDFAST_WORKER_SERVES: each }));
    await work(workers);
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
  }
}

/** Instants in milliseconds at which the server recorded the end of each activity of an order, in their order. */
type Ends = readonly number[];

function runnerOf(client: HoldfastClient, temporal: Client, desk: string): (nodes: Nodes) => Promise<Ends> {
  return async (nodes) => {
    const { execution_id } = await client.startExecution(prepare(nodes, { desk }));
    const handle = temporal.workflow.getHandle(execution_id);
    await handle.result();
    const { events } = await handle.fetchHistory();
    return (events ?? [])
      .filter(({ activityTaskCompletedEventAttributes: ended }) => ended)
      .map(({ eventTime }) => Number(eventTime?.seconds) * 1_000 + (eventTime?.nanos ?? 0) / 1e6);
  };
}

/** One after the other, buying and selling in turns. */
function orders(): Nodes {
  const market = { venue: 'paper_binance', symbol: 'BTC/BUSD', quantity: '0.001' };
  const nodes = Array.from({ length: ORDERS }, (_, at) => {
    const params = { ...market, side: at % 2 === 0 ? 'buy' : 'sell' };
    return [`n${at}`, { type: 'market_order', params, ...(at === 0 ? {} : { after: [`n${at - 1}`] }) }] as const;
  });
  return Object.fromEntries(nodes);
}

/** Passes all bytes on to the venue, and notes when the first of an order's request came. */
class Relay {
  readonly #server: Server;
  #arrivals: number[] = [];

  constructor(port: number) {
    this.#server = createServer((client) => {
      const venue = connect(port, '127.0.0.1');
      client.on('data', (bytes) => {
        if (/^POST \/[^ ]*\/order[? ]/.test(bytes.toString('latin1'))) {
          this.#arrivals.push(performance.timeOrigin + performance.now());
        }
        venue.write(bytes);
      });
      venue.pipe(client);
      for (const [from, to] of [
        [client, venue],
        [venue, client],
      ] as const) {
        from.on('close', () => to.destroy());
        from.on('error', () => to.destroy());
      }
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  forget(): void {
    this.#arrivals = [];
  }

  /** How long after the end before it each order of an execution came, but for the first. */
  waits(ends: Ends): readonly number[] {
    const arrivals = this.#arrivals;
    this.forget();
    if (arrivals.length !== ORDERS) throw new Error(`${arrivals.length} orders came, not ${ORDERS}`);
    return arrivals.slice(1).map((arrival) => arrival - Math.max(...ends.filter((end) => end < arrival)));
  }

  close(): void {
    this.#server.close();
  }
}

function spreadOf(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  const p99 = sorted[Math.ceil(0.99 * sorted.length) - 1] ?? NaN;
  return `p50 ${median(values).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
}

function megabytes(worker: SoakWorker | undefined): string {
  return `${((worker?.memory ?? NaN) / 1e6).toFixed(0)} MB`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
