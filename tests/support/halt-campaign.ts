/**
 * Executions that order without pause, and halts at random moments: what reaches the venue after the command, after its answer and after
 * the seal is counted where it arrives.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom } from './crash-campaign';
import { OrderingWorld, type GivenHalt, type Seal } from './ordering-world';

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

const LONGEST_RUN_MS = 400;
/** Of the executions, as many orders are accepted after a resume before the next halt: a race needs runners. */
const AT_WORK = 0.5;

/** Resolves when all halts were given and judged. */
export async function haltCampaign(options: HaltCampaignOptions): Promise<HaltCampaignReport> {
  const world = await OrderingWorld.open({ workers: options.workers });
  try {
    return await new Campaign(options, world).run();
  } finally {
    await world.close();
  }
}

class Campaign {
  readonly #options: HaltCampaignOptions;
  readonly #world: OrderingWorld;
  readonly #random: () => number;
  readonly #answers: number[] = [];
  readonly #lasts: number[] = [];
  readonly #seals: number[] = [];
  readonly #wrong: string[] = [];

  constructor(options: HaltCampaignOptions, world: OrderingWorld) {
    this.#options = options;
    this.#world = world;
    this.#random = seededRandom(options.seed);
  }

  async run(): Promise<HaltCampaignReport> {
    await this.#world.startOrdering(this.#options.executions);
    for (let halt = 1; halt <= this.#options.halts; halt += 1) await this.#round(halt);
    return {
      halts: this.#options.halts,
      orders: this.#world.venue.accepted().length,
      answer_ms: spread(this.#answers),
      last_arrival_ms: spread(this.#lasts),
      sealed_ms: spread(this.#seals),
      wrong: this.#wrong,
    };
  }

  async #round(number: number): Promise<void> {
    await pause(this.#random() * LONGEST_RUN_MS);
    const halt = await this.#world.halt({ closes: this.#options.closes });
    const { ok, state } = halt.answer;
    if (!ok || state !== 'halt') this.#wrong.push(`the halt was answered with ${JSON.stringify(halt.answer)}`);
    const seal = await this.#world.sealed();
    await pause(100 + this.#random() * 200);
    this.#judge(number, halt, seal);
    await this.#world.resume();
    await this.#world.flowAgain(Math.ceil(this.#options.executions * AT_WORK));
  }

  #judge(number: number, { given, answered, answer }: GivenHalt, seal: Seal): void {
    const mistakes = this.#world.mistakesSince(given, { epoch: answer.epoch, sealedAt: seal.at });
    this.#wrong.push(...mistakes.map((mistake) => `halt ${number}: ${mistake}`));
    const last = this.#world.lastArrivalAfter(given);
    this.#answers.push(answered - given);
    this.#lasts.push(last);
    this.#seals.push(seal.at - given);
    const figures = `answered ${ms(answered - given)}, last arrival ${ms(last)}, sealed ${ms(seal.at - given)}`;
    this.#options.say(`halt ${number}: ${figures}; ${this.#world.venue.arrivals.length} orders so far`);
  }
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  return { p50: at(0.5), p99: at(0.99), most: at(1) };
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
