/**
 * A halt rehearsed for real on a desk of its own, on paper: a loss beyond a limit is recorded, the limit trips by itself, orders stop, an
 * execution stands still, an operator resumes. Nothing else hears of it; the desk is closed at the end.
 */
import { createHash, randomBytes } from 'node:crypto';
import { HoldfastError } from '../errors';
import type { PermitAnswer } from '../emergency/model';
import type { KindCatalogue } from '../graph/kinds';
import { prepareGraph } from '../graph/prepare';
import type { HoldfastClient } from './holdfast-client';

const LIMIT = '500';
const RAISED_LIMIT = '1000';
const LOSS = '550';
const WAIT_MS = 20_000;
const BETWEEN_ORDERS_MS = 20;
const POLL_MS = 20;
const CURRENCY = 'USDT';

export interface DrillReport {
  readonly desk: string;
  readonly started_at: string;
  readonly limit: string;
  readonly loss: string;
  /** Orders the desk let out before the loss, between the loss and the first refusal, and after that refusal (must be 0). */
  readonly orders: { readonly before: number; readonly during: number; readonly after_refusal: number };
  /** Milliseconds since the loss was sent. */
  readonly desk_answered_ms: number;
  readonly first_refusal_ms: number;
  readonly sealed_ms: number;
  readonly execution_halted_ms: number;
  readonly refused_with: string;
  /** What the resume was refused with while the limit was still breached. */
  readonly early_resume: string;
  readonly resumed: boolean;
  readonly execution_went_on: boolean;
  readonly passed: boolean;
}

export interface DrillOptions {
  readonly actor: string;
  /** What graphs may be made of. */
  readonly kinds: KindCatalogue;
  /** Hears of each step as it is done. */
  readonly say: (line: string) => void;
}

/** Throws when the desk does not answer, and `DrillFailed` when a step is waited for in vain; what else does not hold is in the report. */
export async function drill(client: HoldfastClient, options: DrillOptions): Promise<DrillReport> {
  const rehearsal = new Rehearsal(client, `drill-${randomBytes(4).toString('hex')}`, options);
  try {
    return await rehearsal.run();
  } finally {
    await rehearsal.close();
  }
}

class Rehearsal {
  readonly #client: HoldfastClient;
  readonly #desk: string;
  readonly #actor: string;
  readonly #kinds: KindCatalogue;
  readonly #say: DrillOptions['say'];
  readonly #answers: { readonly at: number; readonly granted: boolean; readonly code: string }[] = [];
  #orders = 0;
  #execution: string | undefined;
  #trading = false;
  #trader: Promise<void> | undefined;

  constructor(client: HoldfastClient, desk: string, { actor, kinds, say }: DrillOptions) {
    this.#client = client;
    this.#desk = desk;
    this.#actor = actor;
    this.#kinds = kinds;
    this.#say = say;
  }

  async run(): Promise<DrillReport> {
    const started_at = new Date().toISOString();
    await this.#setUp();
    await this.#startTrading();
    const lostAt = performance.now();
    const since = () => Math.round(performance.now() - lostAt);
    await this.#lose();
    const desk_answered_ms = since();
    this.#say(`a loss of ${LOSS} is recorded; the desk answered after ${desk_answered_ms} ms`);
    const refused = await this.#firstRefusal();
    const first_refusal_ms = Math.round(refused.at - lostAt);
    this.#say(`the first order was refused after ${first_refusal_ms} ms: ${refused.code}`);
    const sealed_ms = await this.#sealed(since);
    this.#say(`sealed after ${sealed_ms} ms: no order of before can be accepted any more`);
    await this.#reaches('halted');
    const execution_halted_ms = since();
    this.#say(`the running execution says halted after ${execution_halted_ms} ms`);
    const early_resume = await this.#resumeEarly();
    this.#say(`a resume while the limit is breached is refused: ${early_resume}`);
    const after_refusal = this.#answers.filter(({ at, granted }) => granted && at > refused.at).length;
    const resumed = await this.#resume();
    const execution_went_on = await this.#wentOn();
    this.#say(resumed ? 'the limit was raised and the desk resumed; orders go out again' : 'the desk did not resume');
    const counted = (from: number, to: number) =>
      this.#answers.filter(({ at, granted }) => granted && at >= from && at < to).length;
    const orders = { before: counted(0, lostAt), during: counted(lostAt, refused.at), after_refusal };
    const passed = after_refusal === 0 && resumed && execution_went_on && early_resume === 'LimitBreached';
    return {
      ...{ desk: this.#desk, started_at, limit: LIMIT, loss: LOSS, orders },
      ...{ desk_answered_ms, first_refusal_ms, sealed_ms, execution_halted_ms },
      ...{ refused_with: refused.code, early_resume, resumed, execution_went_on, passed },
    };
  }

  async close(): Promise<void> {
    this.#trading = false;
    await this.#trader?.catch(() => undefined);
    if (this.#execution !== undefined) await this.#client.cancelExecution(this.#execution).catch(() => undefined);
    await this.#client.closeDrillDesk(this.#desk).catch(() => undefined);
  }

  async #setUp(): Promise<void> {
    const order = { reason: 'drill', actor: this.#actor };
    await this.#client.ensureDesk(this.#desk);
    await this.#client.initDesk(order, { currency: CURRENCY, time_zone: 'UTC' }, this.#desk);
    await this.#setLimit(LIMIT);
    const nodes = { nap: { type: 'wait', params: { for: '1h' } } };
    const document = { holdfast: 1, id: 'drill', desk: this.#desk, nodes };
    const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
    const { prepared } = prepareGraph({ document }, this.#kinds, { mode: 'paper', sha256 });
    this.#execution = (await this.#client.startExecution(prepared)).execution_id;
    await this.#reaches('waiting');
    this.#say(`desk ${this.#desk} with a daily loss limit of ${LIMIT} ${CURRENCY}, and one execution`);
  }

  async #setLimit(daily_loss: string): Promise<void> {
    const command = { action: 'set_limits', scope: 'global', limits: { daily_loss }, reason: 'drill' } as const;
    const answer = await this.#client.commandDesk(
      { ...command, actor: this.#actor, command_id: `drill_${randomBytes(8).toString('hex')}` },
      this.#desk,
    );
    if (!answer.ok) throw new HoldfastError(answer.error?.code ?? 'Unexpected', answer.error?.message ?? 'refused');
  }

  async #startTrading(): Promise<void> {
    this.#trading = true;
    this.#trader = this.#trade();
    await this.#waitFor('orders go out', () => this.#answers.filter(({ granted }) => granted).length >= 5);
    this.#say('orders go out, one every 20 ms');
  }

  /** One order after the other, each given back unused: what counts is whether it was let out. */
  async #trade(): Promise<void> {
    let settlements: { permit_id: string; outcome: 'unused' }[] = [];
    while (this.#trading) {
      const permit_id = `${this.#desk}/${++this.#orders}`;
      const request = {
        ...{ permit_id, account: 'drill', venue: 'paper', symbol: 'BTC/USDT', side: 'buy' },
        ...{ quantity: '0.001', price: '10000', currency: CURRENCY, execution_id: this.#execution ?? 'drill' },
      };
      const [answer] = await this.#client.requestPermits({ requests: [request], settlements }, this.#desk);
      this.#heard(answer);
      settlements = answer?.granted === true ? [{ permit_id, outcome: 'unused' }] : [];
      await pause(BETWEEN_ORDERS_MS);
    }
  }

  #heard(answer: PermitAnswer | undefined): void {
    const code = answer === undefined || answer.granted ? '' : answer.code;
    this.#answers.push({ at: performance.now(), granted: answer?.granted === true, code });
  }

  async #lose(): Promise<void> {
    const common = {
      account: 'drill',
      venue: 'paper',
      symbol: 'ETH/USDT',
      fees: '0',
      currency: CURRENCY,
      at: Date.now(),
    };
    const bought = { order_id: 'in', side: 'buy', filled_quantity: '1', filled_notional: '2000' };
    const sold = { order_id: 'out', side: 'sell', filled_quantity: '1', filled_notional: '1450' };
    await this.#client.recordAtDesk('fill', { ...common, ...bought }, this.#desk);
    await this.#client.recordAtDesk('fill', { ...common, ...sold }, this.#desk);
  }

  async #firstRefusal(): Promise<{ readonly at: number; readonly code: string }> {
    await this.#waitFor('an order is refused', () => this.#answers.some(({ granted }) => !granted));
    return this.#answers.find(({ granted }) => !granted) ?? { at: 0, code: '' };
  }

  async #sealed(since: () => number): Promise<number> {
    await this.#waitFor('the halt is sealed', async () => {
      const { scopes } = await this.#client.deskStatus(this.#desk);
      return scopes[0]?.sealed_at !== undefined;
    });
    return since();
  }

  async #reaches(state: 'halted' | 'waiting'): Promise<void> {
    const id = this.#execution ?? '';
    await this.#waitFor(
      `the execution is ${state}`,
      async () => (await this.#client.executionStatus(id)).state === state,
    );
  }

  async #resumeEarly(): Promise<string> {
    return this.#client.resumeDesk({ reason: 'drill: too early', actor: this.#actor }, this.#desk).then(
      () => 'it was not refused',
      (error: unknown) => (error instanceof HoldfastError ? error.code : String(error)),
    );
  }

  async #resume(): Promise<boolean> {
    await this.#setLimit(RAISED_LIMIT);
    const { can_trade } = await this.#client.resumeDesk({ reason: 'drill is over', actor: this.#actor }, this.#desk);
    const from = performance.now();
    await this.#waitFor('orders go out again', () => this.#answers.some(({ at, granted }) => granted && at > from));
    return can_trade;
  }

  async #wentOn(): Promise<boolean> {
    return this.#reaches('waiting').then(
      () => true,
      () => false,
    );
  }

  async #waitFor(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + WAIT_MS;
    while (!(await condition())) {
      if (performance.now() >= deadline) {
        throw new HoldfastError('DrillFailed', `The drill waited ${WAIT_MS / 1_000} s in vain: ${what}.`);
      }
      await pause(POLL_MS);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
