/**
 * Executions that order without pause, and halts at random moments: what reaches the venue after the command, after its answer and after
 * the seal is counted where it arrives.
 */
import { randomUUID } from 'node:crypto';
import { loadConfig } from '../../src/config/config';
import { createKinds } from '../../src/activities/kinds';
import { closingOf } from '../../src/emergency/closing';
import type { RaiseCommand } from '../../src/emergency/model';
import { ClosingPublisher } from '../../src/event-log';
import { prepareGraph } from '../../src/graph/prepare';
import { OrderSender } from '../../src/worker/order-sender';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { sha256 } from '../../src/cli/sha256';
import { CountingVenue, type OrderArrival } from './counting-venue';
import { seededRandom } from './crash-campaign';
import { orderKind } from './order-kind';
import { readyDesk } from './ready-desk';
import { until } from './until';
import { WorkerProcess } from './worker-process';
import { testBundle } from './workflow-bundle';

export interface HaltCampaignOptions {
  readonly halts: number;
  readonly executions: number;
  readonly workers: number;
  readonly seed: number;
  /** Whether the commander closes the gates through Redis before it tells the desk. */
  readonly closes: boolean;
  readonly say: (line: string) => void;
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

export interface HaltCampaignReport {
  readonly halts: number;
  /** Accepted by the venue in all. */
  readonly orders: number;
  /** Milliseconds from the command to the desk's answer. */
  readonly answer_ms: Spread;
  /** To the last order of before that reached the venue; 0 where none came after the command. */
  readonly last_arrival_ms: Spread;
  readonly sealed_ms: Spread;
  /** In words, what must not be. */
  readonly wrong: readonly string[];
}

interface Parts {
  readonly client: HoldfastClient;
  readonly closings: ClosingPublisher;
  readonly venue: CountingVenue;
  readonly workers: readonly WorkerProcess[];
}

const CLOSING_KEY = 'a key of the halt campaign, 32 characters and more';
const ACTOR = 'campaign';
const LONGEST_RUN_MS = 400;
const WITHIN_MS = 60_000;
const COMMON = { scope: 'global', reason: 'halt campaign', actor: ACTOR } as const;

/** Resolves when all halts were given and judged. */
export async function haltCampaign(options: HaltCampaignOptions): Promise<HaltCampaignReport> {
  const campaign = await Campaign.open(options);
  try {
    return await campaign.run();
  } finally {
    await campaign.close();
  }
}

class Campaign {
  readonly #options: HaltCampaignOptions;
  readonly #parts: Parts;
  readonly #random: () => number;
  readonly #desk = `race-${randomUUID()}`;
  readonly #ids: string[] = [];
  readonly #answers: number[] = [];
  readonly #lasts: number[] = [];
  readonly #seals: number[] = [];
  readonly #wrong: string[] = [];

  private constructor(options: HaltCampaignOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#random = seededRandom(options.seed);
  }

  static async open(options: HaltCampaignOptions): Promise<Campaign> {
    const queue = `race-${randomUUID()}`;
    const environment = {
      HOLDFAST_TASK_QUEUE: queue,
      HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk`,
      HOLDFAST_CLOSING_KEY: CLOSING_KEY,
    };
    const config = loadConfig({ ...process.env, ...environment });
    const venue = await CountingVenue.listen();
    const { codePath } = await testBundle(false);
    const start = () => WorkerProcess.start(environment, codePath, venue.origin);
    const workers = await Promise.all(Array.from({ length: options.workers }, start));
    const client = await HoldfastClient.connect(config.temporal);
    const closings = new ClosingPublisher(config.redis.url, CLOSING_KEY);
    return new Campaign(options, { client, closings, venue, workers });
  }

  async run(): Promise<HaltCampaignReport> {
    const { client, venue } = this.#parts;
    await readyDesk(client, this.#desk);
    await this.#startAll();
    await until('orders flow', () => venue.accepted().length >= this.#options.executions, WITHIN_MS);
    for (let halt = 1; halt <= this.#options.halts; halt += 1) await this.#round(halt);
    return {
      halts: this.#options.halts,
      orders: venue.accepted().length,
      answer_ms: spread(this.#answers),
      last_arrival_ms: spread(this.#lasts),
      sealed_ms: spread(this.#seals),
      wrong: this.#wrong,
    };
  }

  async close(): Promise<void> {
    const { client, closings, venue, workers } = this.#parts;
    await Promise.all(this.#ids.map((id) => client.cancelExecution(id).catch(() => undefined)));
    await Promise.all(workers.map((worker) => worker.kill()));
    closings.close();
    await client.close();
    await venue.close();
  }

  /** Each orders again as soon as its last order has ended. */
  async #startAll(): Promise<void> {
    const order = {
      type: 'test_order',
      params: { quantity: '0.0001', filled: '0' },
      on_error: 'continue',
      timeout: '10s',
    };
    const nodes = {
      again: { type: 'repeat', params: { max_iterations: 10_000 }, while: 'true', body: { nodes: { order } } },
    };
    const document = { holdfast: 1, id: 'race', desk: this.#desk, nodes };
    const { prepared } = prepareGraph({ document }, kinds(this.#parts.venue.origin), { mode: 'paper', sha256 });
    const starts = Array.from({ length: this.#options.executions }, () => this.#parts.client.startExecution(prepared));
    this.#ids.push(...(await Promise.all(starts)).map(({ execution_id }) => execution_id));
  }

  async #round(number: number): Promise<void> {
    const { client, venue } = this.#parts;
    await pause(this.#random() * LONGEST_RUN_MS);
    const given = now();
    const { epoch } = await this.#halt();
    const answered = now();
    const sealedAt = await this.#sealed();
    const sealed = now();
    await pause(100 + this.#random() * 200);
    this.#judge(number, { given, answered, sealedAt, sealed, epoch });
    await client.resumeDesk({ reason: 'next round', actor: ACTOR }, this.#desk);
    const resumed = now();
    const flows = () => venue.arrivals.some(({ at, accepted }) => accepted && at > resumed);
    await until(`orders flow again after halt ${number}`, flows, WITHIN_MS);
  }

  /** As every commander does it: the gates first, then the signal and the update under one id. */
  async #halt(): Promise<{ readonly epoch: number }> {
    const { client, closings } = this.#parts;
    const command: RaiseCommand & { action: 'halt' } = { action: 'halt', command_id: `cmd_${randomUUID()}`, ...COMMON };
    const closing = closingOf(command, { desk: this.#desk, issued_at: Date.now() });
    const closed = this.#options.closes ? closings.publish(closing) : Promise.resolve(0);
    const [answer] = await Promise.all([client.commandDesk(command, this.#desk), closed]);
    if (!answer.ok || answer.state !== 'halt') this.#wrong.push(`the halt was answered with ${JSON.stringify(answer)}`);
    return answer;
  }

  async #sealed(): Promise<number> {
    return until(
      'the halt is sealed',
      async () => {
        const { scopes } = await this.#parts.client.deskStatus(this.#desk);
        return scopes.find(({ scope }) => scope === 'global')?.sealed_at;
      },
      WITHIN_MS,
    );
  }

  #judge(number: number, halt: Judged): void {
    const after = this.#parts.venue.arrivals.filter(({ at }) => at > halt.given);
    const accepted = after.filter((order) => order.accepted);
    const late = accepted.filter(({ at }) => at > halt.sealedAt);
    const granted = after.filter(({ epoch = 0 }) => epoch >= halt.epoch);
    if (late.length > 0)
      this.#wrong.push(`halt ${number}: ${late.length} accepted after the seal, ${words(late, halt)}`);
    if (granted.length > 0) this.#wrong.push(`halt ${number}: ${granted.length} permits granted while halted`);
    const last = Math.max(0, ...after.map(({ at }) => at - halt.given));
    this.#answers.push(halt.answered - halt.given);
    this.#lasts.push(last);
    this.#seals.push(halt.sealed - halt.given);
    const figures = `answered ${ms(halt.answered - halt.given)}, last arrival ${ms(last)}, sealed ${ms(halt.sealed - halt.given)}`;
    this.#options.say(`halt ${number}: ${figures}; ${this.#parts.venue.arrivals.length} orders so far`);
  }
}

interface Judged {
  /** Milliseconds since 1970, with fractions; `sealedAt` by the desk's own clock. */
  readonly given: number;
  readonly answered: number;
  readonly sealedAt: number;
  readonly sealed: number;
  readonly epoch: number;
}

function words(late: readonly OrderArrival[], { sealedAt }: Judged): string {
  return late.map(({ at }) => `${ms(at - sealedAt)} after it`).join(', ');
}

function kinds(origin: string) {
  const kind = orderKind(new OrderSender(origin));
  return new Map([...createKinds({ venues: new Map() }), [kind.type, kind] as const]);
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return { p50: at(0.5), p99: at(0.99), most: at(1) };
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function pause(length: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, length));
}
