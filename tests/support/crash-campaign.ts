/**
 * Kills a worker with -9 at random moments of executions that use every construct, and asks a receiver outside what arrived.
 * Moments are drawn from a seed and spread over the time one undisturbed execution takes.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createKinds } from '../../src/activities/kinds';
import { loadConfig } from '../../src/config/config';
import { prepareGraph } from '../../src/graph/prepare';
import type { TemporalOptions } from '../../src/temporal-client/connection';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import type { ExecutionSettings } from '../../src/workflows/messages';
import { everyConstruct, everyEffect } from './every-construct';
import { Receiver } from './receiver';
import { replayAll, runsOf } from './replays';
import { counted } from './test-kinds';
import { until } from './until';
import { whyOpen } from './why-open';
import { testBundle } from './workflow-bundle';
import { WorkerProcess } from './worker-process';
import { readyDesk } from './ready-desk';

const DESK = `crash-${randomUUID()}`;

export interface CampaignOptions {
  readonly kills: number;
  readonly seed: number;
  /** Takes one line per kill and per round. */
  readonly say: (line: string) => void;
}

export interface CampaignReport {
  readonly kills: number;
  readonly executions: number;
  /** Effects that arrived more than once, under their one key. */
  readonly repeats: number;
  /** Runs whose histories were replayed, those no kill fell into as well: their order of events is the machine's. */
  readonly replayed: number;
  /** In words, what must not be. */
  readonly wrong: readonly string[];
}

/** How long a run is, by execution of a round: as usual, and so short that a kill often meets a new run being opened. */
const LENGTHS: readonly ExecutionSettings[] = [{}, { tasks_per_run: 6 }, { tasks_per_run: 10, events_per_run: 120 }];
const MOST_KILLS_PER_ROUND = 3;
const ENDS_WITHIN_MS = 120_000;
const EXPECTED_OUTPUTS = { iterations: 3, total: 3, child: '6' };

/** Resolves when all executions have ended; rejects when one does not end. */
export async function crashCampaign(options: CampaignOptions): Promise<CampaignReport> {
  const campaign = await Campaign.open(options);
  try {
    return await campaign.run();
  } finally {
    await campaign.close();
  }
}

/** The same numbers from 0 to 1 for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Parts {
  readonly receiver: Receiver;
  readonly client: HoldfastClient;
  readonly temporal: TemporalOptions;
  readonly startWorker: () => Promise<WorkerProcess>;
  readonly worker: WorkerProcess;
}

class Campaign {
  readonly #options: CampaignOptions;
  readonly #parts: Parts;
  readonly #random: () => number;
  readonly #ids: string[] = [];
  readonly #wrong: string[] = [];
  #worker: WorkerProcess;
  #killed = 0;

  private constructor(options: CampaignOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#random = seededRandom(options.seed);
    this.#worker = parts.worker;
  }

  static async open(options: CampaignOptions): Promise<Campaign> {
    const queue = `crash-${randomUUID()}`;
    const environment = { HOLDFAST_TASK_QUEUE: queue, HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk` };
    const { codePath } = await testBundle(false);
    const startWorker = () => WorkerProcess.start(environment, codePath);
    const worker = await startWorker();
    const { temporal } = loadConfig({ ...process.env, ...environment });
    const client = await HoldfastClient.connect(temporal);
    // The default desk may be on another test's task queue.
    await readyDesk(client, DESK);
    return new Campaign(options, { receiver: await Receiver.listen(), client, temporal, startWorker, worker });
  }

  async run(): Promise<CampaignReport> {
    const { kills, seed, say } = this.#options;
    say(`seed ${seed}, ${kills} kills`);
    const startedAt = Date.now();
    await this.#execute({}, 0);
    const life = Date.now() - startedAt;
    say(`undisturbed, an execution takes ${life} ms`);
    while (this.#killed < kills) await this.#round(life);
    for (const id of this.#ids) this.#inspect(id);
    const replayed = await this.#replay();
    return {
      kills: this.#killed,
      executions: this.#ids.length,
      repeats: this.#repeats(),
      replayed,
      wrong: this.#wrong,
    };
  }

  async close(): Promise<void> {
    await this.#worker.kill();
    await this.#parts.client.close();
    await this.#parts.receiver.close();
  }

  /** Several executions at once, begun one after the other, and one to three kills while they last. */
  async #round(life: number): Promise<void> {
    const left = this.#options.kills - this.#killed;
    const kills = Math.min(left, 1 + Math.floor(this.#random() * MOST_KILLS_PER_ROUND));
    const executions = LENGTHS.map((settings) => this.#execute(settings, this.#random() * life * 0.4));
    // A failure is awaited below; until then it must not end the process.
    for (const each of executions) each.catch(() => undefined);
    for (let kill = 0; kill < kills; kill += 1) await this.#killAfter(this.#random() * life);
    await Promise.all(executions);
  }

  /** Counted from when a worker is up. */
  async #killAfter(moment: number): Promise<void> {
    const { receiver, startWorker } = this.#parts;
    await delay(moment);
    const { pid } = this.#worker;
    const arrivals = receiver.arrivals.length;
    await this.#worker.kill();
    this.#killed += 1;
    const downAt = Date.now();
    this.#worker = await startWorker();
    const where = `after ${Math.round(moment)} ms and ${arrivals} arrivals in all`;
    this.#options.say(`kill ${this.#killed}: worker ${pid}, ${where}; the next was up ${Date.now() - downAt} ms later`);
  }

  /** Starts one after a while, gives it its message and its approval, and awaits its end. */
  async #execute(settings: ExecutionSettings, after: number): Promise<void> {
    const { client, receiver } = this.#parts;
    const { nodes, extra } = everyConstruct(receiver.url);
    const saidAt = this.#random() * 1_500;
    await delay(after);
    const document = { holdfast: 1, id: 'crash', desk: DESK, nodes, ...extra };
    const { prepared } = prepareGraph({ document }, kinds, { mode: 'paper', sha256 });
    const execution_id = `crash_${randomUUID()}`;
    this.#ids.push(execution_id);
    await insist(() => client.startExecution({ ...prepared, settings }, { execution_id }));
    await delay(saidAt);
    await client.deliverMessage(execution_id, { name: 'go', payload: 1 });
    const approve = () => client.approveNode(execution_id, { node: 'decide', decision: 'approve', actor: 'ann' });
    // An answer can be lost with its worker: what counts is what the execution says.
    const isOver = async () => (await client.describeExecution(execution_id)).closing;
    const isDecided = async () => {
      if (await isOver()) return true;
      const status = await client.executionStatus(execution_id);
      return status.nodes['decide']?.state === 'completed';
    };
    const deciding = insist(async () => {
      await approve().catch(() => undefined);
      if (!(await isDecided())) throw new Error('not decided yet');
    });
    await deciding.catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${await whyOpen(execution_id, this.#parts.temporal, client)}`);
    });
    const ending = until(`${execution_id} ends`, () => isOver().catch(() => false as const), ENDS_WITHIN_MS);
    await ending.catch(async (error: unknown) => {
      throw new Error(`${String(error)}\n${await whyOpen(execution_id, this.#parts.temporal, client)}`);
    });
    await this.#assertCompleted(execution_id);
  }

  async #assertCompleted(id: string): Promise<void> {
    const status = await insist(() => this.#parts.client.executionStatus(id));
    if (status.state !== 'completed') this.#wrong.push(`${id} is ${status.state}: ${status.error ?? ''}`);
    for (const [name, value] of Object.entries(EXPECTED_OUTPUTS)) {
      if (status.outputs?.[name] !== value) this.#wrong.push(`${id} gave ${name} = ${String(status.outputs?.[name])}`);
    }
  }

  /** Every effect arrived, under exactly one key per frame, node and generation, and nothing else did. */
  #inspect(id: string): void {
    const expected = [...everyEffect.map((key) => [id, key] as const), [`${id}.other`, 'inner'] as const];
    const missing = new Set(expected.map(([execution, key]) => `${execution}/${key}/0`));
    const known = new Set(missing);
    for (const { idempotency_key } of [id, `${id}.other`].flatMap((each) => this.#parts.receiver.of(each))) {
      if (!known.has(idempotency_key)) this.#wrong.push(`${idempotency_key} arrived, which no effect has`);
      missing.delete(idempotency_key);
    }
    for (const key of missing) this.#wrong.push(`${key} never arrived`);
    for (const { execution_id, frame, node_id, idempotency_key } of this.#parts.receiver.arrivals) {
      const own = `${execution_id}/${frame === '' ? '' : `${frame}/`}${node_id}/0`;
      if (execution_id.startsWith(id) && own !== idempotency_key) this.#wrong.push(`${own} came as ${idempotency_key}`);
    }
  }

  async #replay(): Promise<number> {
    const ids = this.#ids.flatMap((id) => [id, `${id}.other`]);
    const runs = await Promise.all(ids.map((id) => runsOf(id, this.#parts.temporal)));
    const { errors, replayed } = await replayAll(runs.flat());
    this.#wrong.push(...errors);
    return replayed;
  }

  #repeats(): number {
    const { arrivals } = this.#parts.receiver;
    return arrivals.length - new Set(arrivals.map(({ idempotency_key }) => idempotency_key)).size;
  }
}

const kinds = new Map([...createKinds({ venues: new Map() }), [counted.type, counted] as const]);

/** Again until it succeeds: while no worker runs, nothing that asks one does. */
async function insist<T>(work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + ENDS_WITHIN_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(50);
    }
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
