/**
 * Large executions on a live server, with the released worker in a process of its own.
 *
 * Measured: that they complete, the worker's peak memory, runs and history lengths, the replay of every run (the better of two,
 * without the start of the replaying worker), the largest input handed to a next run, and the wall time per node at the full
 * size against a tenth of it. Ends with code 1 when a bar is missed.
 *
 * `npm run soak:scale -- --size=10000`: a smaller size, a multiple of 2,000, only shows that it works.
 */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { loadConfig } from '../../src/config/config';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import type { ExecutionSettings } from '../../src/workflows/messages';
import { readyDesk } from '../../tests/support/ready-desk';
import { barLine, isReached, machine, median, type Bar } from '../support/figures';
import { activityChain, fan, mapOver, mixed, type Nodes } from '../support/graphs';
import { replayTimes, runsOf } from '../support/histories';
import { prepare } from '../support/prepare';
import { SoakWorker } from '../support/soak-worker';

const { values: options } = parseArgs({ options: { size: { type: 'string', default: '10000' } } });
const SIZE = Number(options.size);
const TENTH = SIZE / 10;
const SMALL_ROUNDS = 3;
const CODE = 'dist/workflow-bundle.js';
const MIB = 2 ** 20;

interface Shape {
  readonly name: string;
  readonly nodes: Nodes;
  readonly settings?: ExecutionSettings;
}

interface Figures {
  readonly name: string;
  readonly seconds: number;
  readonly runs: number;
  readonly longest: number;
  readonly lost_tasks: number;
  readonly slowest_replay: number;
  readonly handed_over: number;
}

class Soak {
  readonly #client: HoldfastClient;
  readonly #temporal: Client;
  readonly #connection: Connection;
  readonly worker: SoakWorker;

  private constructor(parts: { client: HoldfastClient; connection: Connection; worker: SoakWorker }) {
    this.#client = parts.client;
    this.#connection = parts.connection;
    this.#temporal = new Client({ connection: parts.connection });
    this.worker = parts.worker;
  }

  static async open(): Promise<Soak> {
    const queue = `soak-${randomUUID()}`;
    const environment = {
      HOLDFAST_TASK_QUEUE: queue,
      HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk`,
      HOLDFAST_LOG_LEVEL: 'info',
    };
    const config = loadConfig({ ...process.env, ...environment });
    const worker = await SoakWorker.start(environment);
    const client = await HoldfastClient.connect(config.temporal);
    await readyDesk(client);
    const connection = await Connection.connect({ address: config.temporal.address });
    return new Soak({ client, connection, worker });
  }

  /** Runs an execution to its end; throws when it does not complete. */
  async run({ nodes, settings = {} }: Shape): Promise<{ id: string; seconds: number }> {
    const startedAt = performance.now();
    const { execution_id: id } = await this.#client.startExecution({ ...prepare(nodes), settings });
    await this.#temporal.workflow.getHandle(id).result();
    return { id, seconds: (performance.now() - startedAt) / 1_000 };
  }

  async figures(shape: Shape): Promise<Figures> {
    const { id, seconds } = await this.run(shape);
    const runs = await runsOf(this.#temporal, id);
    const replays = await replayTimes(id, runs, CODE);
    const most = (values: readonly number[]) => Math.max(...values);
    const figures = {
      name: shape.name,
      seconds,
      runs: runs.length,
      longest: most(runs.map(({ events }) => events)),
      lost_tasks: runs.reduce((sum, run) => sum + run.lost_tasks, 0),
      slowest_replay: most(replays),
      handed_over: most(runs.map((run) => run.handed_over)),
    };
    say(row(figures));
    return figures;
  }

  async close(): Promise<void> {
    await this.worker.stop();
    await this.#client.close();
    await this.#connection.close();
  }
}

async function main(): Promise<void> {
  say(machine());
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const soak = await Soak.open();
  try {
    const small: Shape = { name: `${TENTH} nodes, mixed`, nodes: mixed(TENTH) };
    await soak.run(small);
    say(header());
    const all = [
      await soak.figures({ name: `chain of ${TENTH}`, nodes: activityChain(TENTH) }),
      await soak.figures({ name: `1 → ${TENTH} → 1`, nodes: fan(TENTH) }),
      await soak.figures({ name: 'the same, all in flight', nodes: fan(TENTH), settings: { max_in_flight: TENTH } }),
      await soak.figures({ name: `map over ${SIZE}`, nodes: mapOver(SIZE) }),
    ];
    // Before, between and after: a machine that slows down favours neither.
    const costs: number[] = [];
    const cost = async (): Promise<void> => void costs.push((await soak.run(small)).seconds / TENTH);
    for (let round = 0; round < SMALL_ROUNDS; round += 1) await cost();
    all.push(await soak.figures(small));
    const large = await soak.figures({ name: `${SIZE} nodes, mixed`, nodes: mixed(SIZE) });
    for (let round = 0; round < SMALL_ROUNDS; round += 1) await cost();
    conclude([...all, large], large.seconds / SIZE / median(costs), soak.worker.peakMemory);
  } finally {
    await soak.close();
  }
}

function conclude(all: readonly Figures[], growth: number, memory = 0): void {
  const most = (of: (figures: Figures) => number) => Math.max(...all.map(of));
  const bars: Bar[] = [
    { what: 'peak memory of the worker', figure: memory / MIB, most: 1_024, unit: ' MiB' },
    { what: 'largest history of a run', figure: most(({ longest }) => longest), most: 4_000, unit: ' events' },
    { what: 'slowest replay of a run', figure: most((each) => each.slowest_replay), most: 1_000, unit: ' ms' },
    { what: `cost per node, ${SIZE} against ${TENTH}`, figure: growth, most: 1.3, unit: '×' },
    { what: 'largest input of a next run', figure: most((each) => each.handed_over) / MIB, most: 2, unit: ' MiB' },
  ];
  say(machine());
  for (const bar of bars) say(barLine(bar));
  if (!bars.every(isReached)) process.exitCode = 1;
}

const WIDTHS = [26, 10, 6, 9, 11, 14, 14];

function header(): string {
  return columns(['', 'seconds', 'runs', 'longest', 'lost tasks', 'replay ms', 'handed over']);
}

function row({ name, seconds, runs, longest, lost_tasks, slowest_replay, handed_over }: Figures): string {
  const kib = `${(handed_over / 1_024).toFixed(0)} KiB`;
  return columns([name, seconds.toFixed(1), `${runs}`, `${longest}`, `${lost_tasks}`, slowest_replay.toFixed(0), kib]);
}

function columns(cells: readonly string[]): string {
  return cells.map((cell, at) => (at === 0 ? cell.padEnd(WIDTHS[at] ?? 0) : cell.padStart(WIDTHS[at] ?? 0))).join('');
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${String(error)}\n`);
  process.exitCode = 1;
});
