/**
 * Disasters upon a desk while one writer sends commands and another permits, settlements, fills and marks. Each writer sends one input at a
 * time; the two touch nothing in common but the counter of the epochs, so their order among each other does not matter. Between two
 * disasters `global` goes on through the states, with the writers at rest, for both see it. After every disaster desk and rules are compared.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeskStatus } from '../../src/emergency/decide';
import { seededRandom } from './crash-campaign';
import { orderRequest } from './desk-at-work';
import { DeskAndRules, timeless, type DeskAndRulesOptions, type Tally } from './desk-and-rules';

type Members = Readonly<Record<string, unknown>>;

/** How `global` stands, in the order in which one command leads to the next. */
export const STANDS = ['normal', 'alert', 'halt', 'shutdown', 'waiting for approval'] as const;
export type Stand = (typeof STANDS)[number];

/** Halted and resumed; the orders are of other symbols. */
const SCOPES = ['symbol:HALTED/A', 'symbol:HALTED/B', 'strategy:halted', 'bot:halted'];
const LONGEST_CALM_MS = 1_500;
const DISASTER_WITHIN_MS = 90_000;

export interface Disaster {
  /** For the errors that name it. */
  readonly name: string;
  /** Kills and starts again; resolves when everything is back. */
  readonly strike: (random: () => number) => Promise<void>;
}

export interface DeskCrashOptions extends DeskAndRulesOptions {
  readonly disasters: number;
  readonly seed: number;
  /** The disaster of this number. */
  readonly disaster: (number: number) => Disaster;
}

export interface Struck {
  readonly disaster: string;
  readonly stand: Stand;
  /** Whether nothing was under way: then nothing at all may be another. */
  readonly isCalm: boolean;
  readonly before: DeskStatus;
}

export interface DeskCrashReport extends Tally {
  readonly struck: readonly Struck[];
  /** What is not as the pure rules have it, or not as it was. */
  readonly wrong: readonly string[];
}

export class DeskCrashCampaign {
  readonly #options: DeskCrashOptions;
  readonly #random: () => number;
  readonly #desk: DeskAndRules;
  readonly #struck: Struck[] = [];
  readonly #underWay = new Set<Promise<unknown>>();
  #rest: Promise<void> | undefined;
  #isOver = false;
  #step = 'it begins';
  #last: { readonly given: Members; readonly answer: unknown } | undefined;

  private constructor(options: DeskCrashOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#desk = new DeskAndRules(options);
  }

  /** Throws, naming the step, when an input or a disaster takes too long. */
  static async run(options: DeskCrashOptions): Promise<DeskCrashReport> {
    return new DeskCrashCampaign(options).#run();
  }

  async #run(): Promise<DeskCrashReport> {
    try {
      await this.#prepare();
      await this.#untilOver([this.#commands(), this.#orders(), this.#disasters()]);
    } catch (error) {
      throw new Error(`${this.#step}: ${String(error)}`, { cause: error });
    }
    return { ...this.#desk.tally, struck: this.#struck, wrong: this.#desk.wrong };
  }

  /** One that fails ends the others, which stop repeating what nobody answers. */
  async #untilOver(parts: readonly Promise<void>[]): Promise<void> {
    const failures: unknown[] = [];
    const ended = parts.map((part) =>
      part
        .catch((error: unknown) => {
          failures.push(error);
          this.#desk.giveUp();
        })
        .finally(() => (this.#isOver = true)),
    );
    await Promise.all(ended);
    if (failures.length > 0) throw failures[0];
  }

  async #disasters(): Promise<void> {
    for (let number = 0; number < this.#options.disasters; number += 1) {
      const stand = STANDS[number % STANDS.length] ?? 'normal';
      // An odd number of states, so each is struck in both ways.
      const isCalm = number % 2 === 1;
      const disaster = this.#options.disaster(number);
      this.#step = `disaster ${number + 1}, ${disaster.name}, ${stand}, ${isCalm ? 'calm' : 'under way'}`;
      if (number > 0) await this.#alone(() => this.#goOnTo(stand));
      const before = await this.#desk.status();
      this.#struck.push({ disaster: disaster.name, stand, isCalm, before });
      await (isCalm ? this.#alone(() => this.#strikeCalm(disaster)) : this.#strike(disaster));
      await this.#alone(() => this.#compare());
    }
  }

  async #strike({ name, strike }: Disaster): Promise<void> {
    if (this.#rest === undefined) await sleep(this.#random() * LONGEST_CALM_MS);
    const late = sleep(DISASTER_WITHIN_MS, undefined, { ref: false }).then(() => {
      throw new Error(`${name} is not over within ${DISASTER_WITHIN_MS / 1_000} s`);
    });
    await Promise.race([strike(this.#random), late]);
  }

  /** Not even the times and epochs are others afterwards, and a command that was answered is answered as before. */
  async #strikeCalm(disaster: Disaster): Promise<void> {
    const before = await this.#desk.status();
    await this.#strike(disaster);
    this.#expectSame('before the disaster', lasting(await this.#desk.status()), lasting(before));
    if (this.#last === undefined) return;
    this.#expectSame('the answer before', await this.#desk.repeat(this.#last.given), this.#last.answer);
    this.#expectSame('before the repeat', lasting(await this.#desk.status()), lasting(before));
  }

  async #compare(): Promise<void> {
    this.#expectSame('of the rules', timeless(await this.#desk.status()), timeless(this.#desk.expected()));
  }

  #expectSame(of: string, found: unknown, expected: unknown): void {
    for (const difference of differences('', found, expected))
      this.#desk.wrong.push(`${this.#step}: not as ${of}: ${difference}`);
  }

  async #goOnTo(stand: Stand): Promise<void> {
    const raising = { alert: 'alert', halt: 'halt', shutdown: 'shutdown' } as const;
    if (stand === 'waiting for approval') await this.#command({ action: 'resume' });
    else if (stand === 'normal') await this.#command({ action: 'approve', actor: 'bea' });
    else await this.#command({ action: raising[stand] });
    const { scopes } = await this.#desk.status();
    const [global] = scopes;
    const found = global?.awaits_approval_until === undefined ? global?.state : 'waiting for approval';
    if (found !== stand) throw new Error(`global is ${String(found)} instead of ${stand}`);
  }

  /** Upon `global`; one that lowers sees what there is, and again when it expired on its way. */
  async #command({ action, ...over }: Members): Promise<void> {
    let done: Awaited<ReturnType<DeskAndRules['command']>>;
    while (done === undefined) {
      if (action === 'resume') done = await this.#desk.resume('global', over);
      else if (action === 'approve') done = await this.#desk.command(this.#approval(over));
      else done = await this.#desk.command({ action, scope: 'global', ...over });
    }
    if (!done.answer.ok) throw new Error(`${JSON.stringify(done.given)} was answered ${JSON.stringify(done.answer)}`);
    this.#last = done;
  }

  /** The epoch that the resume saw. */
  #approval(over: Members): Members {
    const expected_epoch = this.#last?.given['expected_epoch'];
    return { action: 'approve', scope: 'global', expected_epoch, issued_at: Date.now(), ...over };
  }

  async #prepare(): Promise<void> {
    const desk = this.#desk;
    for (const bot_id of ['halted', 'trades']) {
      const bot = { bot_id, name: bot_id, venues: ['paper'], starting_equity: '5000', time_zone: 'UTC' };
      await desk.command({ action: 'register_bot', bot });
    }
    // Prices jump, and a limit that tripped would halt `global` out of turn.
    const limits = { max_position_notional: '1000000', daily_loss: '1000000', max_drawdown_percent: null };
    await desk.command({ action: 'set_limits', scope: 'global', limits });
    await desk.record('mark', { scope: 'global', at: Date.now(), equity: '20000', currency: 'USDT' });
    // Whatever the state, there are open permits: one whose order may still come, one whose order rests, one that is filled in part.
    const requests = ['early-0', 'early-1', 'early-2'].map((permit_id) =>
      orderRequest(permit_id, { symbol: 'EARLY/USDT', bot_id: 'trades', quantity: '4', price: '10' }),
    );
    for (const request of requests) await desk.permit(request);
    await desk.settle({ permit_id: 'early-1', outcome: 'acknowledged' });
    await desk.record('fill', filledOf(requests[2], 1, 10));
  }

  async #commands(): Promise<void> {
    for (let round = 0; !this.#isOver; round += 1) await this.#input(() => this.#anyCommand(round));
  }

  async #anyCommand(round: number): Promise<void> {
    const scope = SCOPES[Math.floor(this.#random() * SCOPES.length)] ?? 'symbol:HALTED/A';
    const chance = this.#random();
    if (chance < 0.4)
      await this.#desk.command({ action: chance < 0.2 ? 'halt' : 'alert', scope, actor: `ann${round % 3}` });
    else if (chance < 0.5) await this.#desk.signal(scope);
    else if (chance < 0.65)
      await this.#desk.command({ action: 'set_limits', scope, limits: { order_rate: String(round + 1) } });
    else await this.#desk.resume(scope);
  }

  async #orders(): Promise<void> {
    while (!this.#isOver) {
      const price = 10 + Math.floor(this.#random() * 10);
      const symbol = `S${Math.floor(this.#random() * 3)}/USDT`;
      const request = orderRequest(this.#desk.id('permit'), {
        ...{ symbol, bot_id: 'trades', quantity: '4', price: String(price) },
      });
      if (await this.#input(() => this.#desk.permit(request))) await this.#order(request, price);
      await this.#input(() => this.#money(this.#random()));
    }
  }

  async #order(request: ReturnType<typeof orderRequest>, price: number): Promise<void> {
    const { permit_id } = request;
    const settle = (settlement: Members) => this.#input(() => this.#desk.settle({ permit_id, ...settlement }));
    const chance = this.#random();
    if (chance < 0.3) await settle({ outcome: 'unused' });
    else if (chance < 0.4) await settle({ outcome: 'fenced' });
    else if (chance < 0.6) await settle({ outcome: 'acknowledged' });
    else {
      // In two reports, the second of all.
      for (const filled of [1, 4]) await this.#input(() => this.#desk.record('fill', filledOf(request, filled, price)));
      await settle({ outcome: 'closed', filled_quantity: '4' });
    }
  }

  async #money(chance: number): Promise<void> {
    const flow = { action: 'cash_flow', scope: 'bot:trades', amount: '1.5', currency: 'USDT' };
    if (chance > 0.9) await this.#desk.command(flow);
    else if (chance < 0.1) {
      const equity = String(5_000 + Math.floor(this.#random() * 50));
      await this.#desk.record('mark', { scope: 'bot:trades', at: Date.now(), equity, currency: 'USDT' });
    }
  }

  /** One input of a writer, beside the other's, unless somebody is alone with the desk. */
  async #input<T>(send: () => Promise<T>): Promise<T> {
    while (this.#rest !== undefined) await this.#rest;
    const sent = send();
    this.#underWay.add(sent);
    return sent.finally(() => this.#underWay.delete(sent));
  }

  /** The writers rest meanwhile. */
  async #alone(work: () => Promise<void>): Promise<void> {
    const worked = Promise.allSettled(this.#underWay).then(work);
    this.#rest = worked
      .catch(() => undefined)
      .then(() => {
        this.#rest = undefined;
      });
    return worked;
  }
}

function filledOf(request: ReturnType<typeof orderRequest> | undefined, filled: number, price: number): Members {
  if (request === undefined) throw new RangeError('a fill is of an order');
  const { permit_id, account, venue, symbol, bot_id } = request;
  return {
    ...{ order_id: permit_id, permit_id, account, venue, symbol, side: 'buy', currency: 'USDT', bot_id },
    ...{ filled_quantity: String(filled), filled_notional: String(filled * price), fees: `0.0${filled}` },
    at: Date.now(),
  };
}

/** All but the clock, which goes on. */
function lasting({ clock, ...status }: DeskStatus) {
  return status;
}

/** In words, by path. */
function differences(path: string, found: unknown, expected: unknown): readonly string[] {
  if (Object.is(found, expected)) return [];
  if (isTree(found) && isTree(expected)) {
    const names = new Set([...Object.keys(found), ...Object.keys(expected)]);
    return [...names].flatMap((name) => differences(`${path}/${name}`, found[name], expected[name]));
  }
  return [`${path} is ${JSON.stringify(found)} and not ${JSON.stringify(expected)}`];
}

function isTree(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
