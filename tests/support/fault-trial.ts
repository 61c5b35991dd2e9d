/**
 * One fault while events flow: clients watch executions of the log alone and real ones, something breaks, and in the end each client must
 * have been told every event or that some are missing, and must show what is so.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Target } from '../../src/feed-client';
import { faultsOf, Held, notYet, truthOf, type Truth } from './fault-judge';
import type { FaultWorld } from './fault-world';
import type { Road } from './road';
import { LOAD_GROUPS, SyntheticLoad } from './synthetic-load';
import { answered, until } from './until';
import { Watcher } from './watcher';

export interface TrialOptions {
  readonly clients: number;
  /** Events a second. */
  readonly rate: number;
  readonly streams: number;
  /** Real executions; half of them end. Each naps so often. */
  readonly executions: number;
  readonly naps: number;
  /** Milliseconds the load flows before the fault and after it. */
  readonly before_ms: number;
  readonly after_ms: number;
}

/** What a fault has at hand. */
export interface Scene {
  readonly world: FaultWorld;
  readonly load: SyntheticLoad;
  /** Remembers what the log holds of real executions: it is about to be lost. */
  readonly note: () => Promise<void>;
  /** Opens a road of its own for a client that watches everything. */
  readonly victim: (name: string) => Promise<Road>;
}

export interface Fault {
  readonly row: string;
  readonly what: string;
  /** Breaks something, and heals it. */
  readonly inflict: (scene: Scene) => Promise<void>;
}

export interface TrialReport {
  readonly row: string;
  readonly clients: number;
  readonly published: number;
  readonly rate: number;
  /** How often a client was told that something may be missing. */
  readonly gaps: number;
  /** Until every client showed what is so, after the load's last word. */
  readonly settled_ms: number;
  readonly wrong: readonly string[];
}

const SETTLED_WITHIN_MS = 90_000;
const MOST_WORDS = 5;
let trials = 0;

export async function faultTrial(world: FaultWorld, fault: Fault, options: TrialOptions): Promise<TrialReport> {
  const trial = new Trial(world, fault, options);
  try {
    return await trial.run();
  } finally {
    await trial.close();
  }
}

class Trial {
  readonly #world: FaultWorld;
  readonly #fault: Fault;
  readonly #options: TrialOptions;
  readonly #held = new Held();
  readonly #load: SyntheticLoad;
  readonly #watchers: Watcher[] = [];
  readonly #roads: Road[] = [];
  readonly #real: string[] = [];
  readonly #droppedBefore: number;

  constructor(world: FaultWorld, fault: Fault, options: TrialOptions) {
    this.#world = world;
    this.#fault = fault;
    this.#options = options;
    const { publisher } = world;
    const { rate, streams } = options;
    const name = `load_${fault.row}_${Date.now()}_${++trials}`;
    this.#load = new SyntheticLoad({ publisher, name, rate, streams, held: this.#held });
    this.#droppedBefore = publisher.stats().dropped;
  }

  async run(): Promise<TrialReport> {
    const { clients, before_ms, after_ms } = this.#options;
    await this.#startReal();
    const road = await this.#road();
    for (let at = 0; at < clients; at += 1) this.#watchers.push(new Watcher(`${at}`, road.url, this.#targetsOf(at)));
    await Promise.all(this.#watchers.map((each) => each.begin()));
    const begun = performance.now();
    this.#load.begin();
    await pause(before_ms);
    await this.#fault.inflict({
      ...{ world: this.#world, load: this.#load },
      note: () => this.#note(),
      victim: (name) => this.#victim(name),
    });
    await pause(after_ms);
    const seconds = (performance.now() - begun) / 1_000;
    const rate = this.#load.published / seconds;
    this.#load.end();
    return this.#judge(rate);
  }

  async close(): Promise<void> {
    for (const each of this.#watchers) each.close();
    await Promise.all(this.#roads.map((road) => road.end()));
    for (const id of this.#real) await this.#world.client.cancelExecution(id).catch(() => undefined);
  }

  async #judge(rate: number): Promise<TrialReport> {
    await this.#finishReal();
    await this.#world.drained();
    const last = performance.now();
    const truths = [...this.#load.truths, ...(await this.#realTruths())];
    const overdue = await this.#settled(truths);
    const settled_ms = Math.round(performance.now() - last);
    await this.#note();
    const faults = this.#watchers.flatMap((each) => faultsOf(each, truths, this.#held));
    const dropped = this.#world.publisher.stats().dropped - this.#droppedBefore;
    const wrong = [...overdue, ...faults, ...(dropped > 0 ? [`the load's own publisher dropped ${dropped}`] : [])];
    return {
      ...{ row: this.#fault.row, clients: this.#watchers.length, published: this.#load.published },
      ...{ rate: Math.round(rate), settled_ms, wrong: wrong.slice(0, MOST_WORDS) },
      gaps: this.#watchers.reduce((sum, { gaps }) => sum + gaps, 0),
    };
  }

  async #note(): Promise<void> {
    await this.#world.read(async (reader) => {
      await this.#held.note(reader, this.#real);
      return true;
    });
  }

  /** What is still wrong at the deadline. */
  async #settled(truths: readonly Truth[]): Promise<string[]> {
    let overdue: string[] = [];
    const look = () => {
      overdue = this.#watchers.flatMap((each) => notYet(each, truths));
      return overdue.length === 0;
    };
    await until('every client shows what is so', look, SETTLED_WITHIN_MS).catch(() => undefined);
    return overdue;
  }

  async #startReal(): Promise<void> {
    const body = {
      outputs: { index: 'item.index' },
      nodes: {
        nap: { type: 'wait', params: { for: '300ms' } },
        say: { type: 'notify', after: ['nap'], params: { message: 'on {{item.index}}' } },
      },
    };
    const nodes = {
      each: { type: 'map', params: { concurrency: 1 }, inputs: { items: 'input.items' }, body },
      go: { type: 'wait_for_signal', after: ['each'], params: { name: 'go' } },
      last: { type: 'notify', after: ['go'], params: { message: 'done' } },
      never: { type: 'constant', after: ['go.timed_out'], params: { value: 1 } },
    };
    const inputs = { items: { type: 'list', default: Array.from({ length: this.#options.naps }, (_, at) => at) } };
    const starts = Array.from({ length: this.#options.executions }, () => this.#world.start({ inputs, nodes }));
    this.#real.push(...(await Promise.all(starts)));
  }

  /** Half of them end, the others stay as they are. */
  async #finishReal(): Promise<void> {
    const { client } = this.#world;
    for (const [at, id] of this.#real.entries()) {
      await until(`${id} has come as far as it can`, () => isWaiting(client, id), SETTLED_WITHIN_MS);
      if (at % 2 === 0) await answered(() => client.deliverMessage(id, { name: 'go' }));
    }
    for (const [at, id] of this.#real.entries()) {
      if (at % 2 === 0)
        await until(`${id} ends`, async () => (await client.describeExecution(id)).closing, SETTLED_WITHIN_MS);
    }
  }

  async #realTruths(): Promise<Truth[]> {
    return Promise.all(this.#real.map((id) => answered(() => truthOf(this.#world.client, id))));
  }

  /** A quarter watches everything, the others a bot, a workflow, single executions. */
  #targetsOf(at: number): Target[] {
    const group = Math.floor(at / 4) % LOAD_GROUPS;
    switch (at % 4) {
      case 0:
        return [{ all: true }];
      case 1:
        return [{ bot_id: `bot_load_${group}` }, { bot_id: 'bot_real' }];
      case 2:
        return [{ workflow_id: `load_${group}` }, { workflow_id: 'real' }];
      default:
        return [...this.#load.ids.slice(0, 3), ...this.#real].map((execution_id) => ({ execution_id }));
    }
  }

  async #road(): Promise<Road> {
    const road = await this.#world.road();
    this.#roads.push(road);
    return road;
  }

  async #victim(name: string): Promise<Road> {
    const road = await this.#road();
    const watcher = new Watcher(name, road.url, [{ all: true }]);
    this.#watchers.push(watcher);
    await watcher.begin();
    return road;
  }
}

async function isWaiting(client: FaultWorld['client'], id: string): Promise<boolean> {
  const status = await client.executionStatus(id).catch(() => undefined);
  return status?.nodes['go']?.state === 'waiting';
}

/** Sends a command to Redis, as an operator would. */
export async function atRedis(world: FaultWorld, ...[name, ...rest]: [string, ...string[]]): Promise<void> {
  const redis = new Redis(world.redis.url);
  redis.on('error', () => undefined);
  try {
    await redis.call(name, ...rest);
  } finally {
    redis.disconnect();
  }
}
