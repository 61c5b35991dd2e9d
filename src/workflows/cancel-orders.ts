/**
 * Cancels what rests at venues, after a halt or a command, until the venues have said of each order what became of it.
 *
 * - C1. What goes is picked once, at the beginning. Whatever was permitted before it is in the list or has an open permit at the desk.
 * - C2. Rounds are repeated without end: an order leaves them when the venue has said how it ended, and what it filled is recorded.
 * - C3. No time is compared with another: what has passed is counted in this workflow's own pauses, which never end early.
 */
import { ActivityFailure } from '@temporalio/common';
import {
  CancellationScope,
  continueAsNew,
  proxyActivities,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  AccountCancels,
  CancelOrder,
  CancelReport,
  CancelResult,
  CancelTarget,
  Picked,
} from '../emergency/cancels';
import type { AccountRef } from '../emergency/open-orders';
import { messageOf } from '../errors';
import { present } from '../json';
import { cancelReportQuery, type CancelInput, type CancelTerms, type CarriedAccount } from './desk-messages';

export interface CancelActivities {
  /** Those a scope may concern: which this worker can trade with, and which have open permits and nobody can. */
  findAccounts(deskId: string, order: CancelOrder): Promise<FoundAccounts>;
  pickOrders(deskId: string, order: CancelOrder, account: AccountRef): Promise<PickedOrders>;
  /** One try of each. Never throws for an order. */
  cancelOrders(round: CancelRound): Promise<readonly CancelStep[]>;
  tellCancels(deskId: string, report: CancelReport): Promise<void>;
}

export interface FoundAccounts {
  readonly accounts: readonly AccountRef[];
  readonly unreachable: readonly AccountRef[];
}

export interface PickedOrders extends Picked {
  readonly terms: CancelTerms;
}

export interface CancelRound {
  readonly desk_id: string;
  readonly account: AccountRef;
  readonly currency: string;
  readonly cancel_stops: boolean;
  /** What the venue has not now it never will. */
  readonly is_fenced: boolean;
  readonly targets: readonly CancelTarget[];
}

/** `again`: what is still to be done for the order. */
export interface CancelStep {
  readonly result: CancelResult;
  readonly again?: CancelTarget;
}

const limits = { startToCloseTimeout: '5m', heartbeatTimeout: '10s' } as const;
const retry = { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '10s' } as const;
const { findAccounts, tellCancels } = proxyActivities<CancelActivities>({ ...limits, retry });
/** Given up after a while, and asked for again by the next round: one account that does not answer must not keep a run from its end. */
const { pickOrders, cancelOrders } = proxyActivities<CancelActivities>({
  ...limits,
  retry: { ...retry, maximumAttempts: 3 },
});

const PAUSE_FIRST_MS = 250;
const PAUSE_MOST_MS = 30_000;
/** In one message. */
const MOST_AT_ONCE = 200;
const LONGEST_HISTORY = 4_000;

/** A cancel request would leave orders resting, so it is not heard; Temporal's terminate ends it. */
export async function cancelOpenOrders(input: CancelInput): Promise<CancelReport> {
  return CancellationScope.nonCancellable(() => new Cancels(input).run());
}

class Cancels {
  readonly #input: CancelInput;
  readonly #order: CancelOrder;
  #accounts: readonly AccountRounds[] = [];
  #unreachable: readonly AccountRef[] = [];
  #isFound = false;

  constructor(input: CancelInput) {
    const { desk_id: _desk, settings: _settings, carried: _carried, ...order } = input;
    this.#input = input;
    this.#order = order;
    setHandler(cancelReportQuery, () => this.#report());
  }

  async run(): Promise<CancelReport> {
    const { desk_id, settings, carried } = this.#input;
    const found = carried ?? (await findAccounts(desk_id, this.#order));
    this.#unreachable = found.unreachable;
    this.#accounts = found.accounts.map((each) => new AccountRounds(this.#input, this.#order, each));
    this.#isFound = true;
    await Promise.all(this.#accounts.map((account) => account.run()));
    if (!this.#accounts.every(({ isDone }) => isDone)) {
      const accounts = this.#accounts.map((account) => account.carry());
      const next = { ...this.#order, desk_id, carried: { accounts, unreachable: this.#unreachable } };
      return continueAsNew<typeof cancelOpenOrders>({ ...next, ...present({ settings }) });
    }
    const report = this.#report();
    await tellCancels(desk_id, report);
    return report;
  }

  #report(): CancelReport {
    const accounts = this.#accounts.map((account) => account.report());
    const is_done = this.#isFound && this.#accounts.every(({ isDone }) => isDone);
    return { ...this.#order, accounts, unreachable: this.#unreachable, is_done };
  }
}

class AccountRounds {
  readonly #deskId: string;
  readonly #longest: number;
  readonly #order: CancelOrder;
  readonly #account: AccountRef;
  readonly #results: Map<string, CancelResult>;
  #terms: CancelTerms | undefined;
  #pending: readonly CancelTarget[];
  #waited: number;
  #pause: number;
  #why: string | undefined;

  constructor({ desk_id, settings }: CancelInput, order: CancelOrder, carried: AccountRef & Partial<CarriedAccount>) {
    const { venue, account, terms, pending = [], results = [], waited_ms = 0, pause_ms = PAUSE_FIRST_MS } = carried;
    this.#deskId = desk_id;
    this.#longest = settings?.events_per_run ?? LONGEST_HISTORY;
    this.#order = order;
    this.#account = { venue, account };
    this.#terms = terms;
    this.#pending = pending;
    this.#results = new Map(results.map((result) => [keyOf(result), result]));
    this.#waited = waited_ms;
    this.#pause = pause_ms;
  }

  get isDone(): boolean {
    return this.#terms !== undefined && this.#pending.length === 0;
  }

  /** Resolves when all is said, or the run has become long. */
  async run(): Promise<void> {
    for (;;) {
      try {
        await this.#sweep();
        this.#why = undefined;
      } catch (error) {
        this.#why = causeOf(error);
      }
      if (this.isDone || this.#isLong()) return;
      await this.#rest();
    }
  }

  report(): AccountCancels {
    const orders = [...this.#results.values()];
    const is_listed = this.#terms !== undefined;
    const why = this.#why === undefined ? {} : { why: this.#why };
    return { ...this.#account, is_listed, orders, pending: this.#pending.length, ...why };
  }

  carry(): CarriedAccount {
    const terms = this.#terms === undefined ? {} : { terms: this.#terms };
    return {
      ...this.#account,
      ...terms,
      ...{ pending: this.#pending, results: [...this.#results.values()] },
      ...{ waited_ms: this.#waited, pause_ms: this.#pause },
    };
  }

  async #sweep(): Promise<void> {
    this.#terms ??= await this.#pick();
    const due = this.#pending.filter(({ check_at_ms = 0 }) => check_at_ms <= this.#waited);
    for (let from = 0; from < due.length; from += MOST_AT_ONCE) {
      await this.#round(due.slice(from, from + MOST_AT_ONCE), this.#terms);
    }
  }

  async #pick(): Promise<CancelTerms> {
    const { terms, targets, spared } = await pickOrders(this.#deskId, this.#order, this.#account);
    for (const result of spared) this.#results.set(keyOf(result), result);
    for (const { client_order_id, symbol, side } of targets) {
      this.#note({ client_order_id, symbol, side, status: 'pending' });
    }
    this.#pending = targets;
    // What is fenced is so from the list on.
    this.#waited = 0;
    this.#pause = PAUSE_FIRST_MS;
    return terms;
  }

  async #round(due: readonly CancelTarget[], { currency, fenced_after_ms, query_lag_ms }: CancelTerms): Promise<void> {
    const steps = await cancelOrders({
      ...{ desk_id: this.#deskId, account: this.#account, currency, targets: due },
      cancel_stops: this.#order.cancel_stops === true,
      is_fenced: fenced_after_ms !== undefined && this.#waited > fenced_after_ms,
    });
    const again = steps.flatMap((step) => (step.again === undefined ? [] : [step.again]));
    const later = again.map((target) => this.#postponed(target, query_lag_ms));
    this.#pending = [...this.#pending.filter((each) => !due.includes(each)), ...later];
    for (const { result } of steps) this.#note(result);
  }

  /** What is to be checked is looked at when the venue must know all of it. */
  #postponed(target: CancelTarget, lag: number): CancelTarget {
    return target.check_at_ms === undefined ? target : { ...target, check_at_ms: this.#waited + lag };
  }

  #note(result: CancelResult): void {
    this.#results.set(keyOf(result), result);
  }

  #isLong(): boolean {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    return historyLength > this.#longest || continueAsNewSuggested;
  }

  async #rest(): Promise<void> {
    const next = this.#pending.map(({ check_at_ms = 0 }) => check_at_ms - this.#waited);
    const pause = next.length === 0 ? this.#pause : Math.max(this.#pause, Math.min(...next));
    await sleep(pause);
    this.#waited += pause;
    this.#pause = Math.min(this.#pause * 2, PAUSE_MOST_MS);
  }
}

function keyOf({ client_order_id, symbol }: CancelResult): string {
  return `${symbol} ${client_order_id}`;
}

/** The activity's own words. */
function causeOf(error: unknown): string {
  return messageOf(error instanceof ActivityFailure ? (error.cause ?? error) : error);
}
