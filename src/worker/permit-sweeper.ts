/**
 * Ends what nobody ends: permits whose worker was killed, or whose order's end nobody heard. It asks the venue.
 *
 * - W1. A permit is touched once it was seen unsettled for two lifetimes. Its age is counted on this worker's monotonic clock from when
 *   it was first seen, so it is older than that and no two clocks are compared.
 * - W2. What the venue has is settled as the venue has it. What it has not is `fenced` only when the venue cannot accept it any more, and
 *   `closed` only when it could have been found since.
 * - W3. What filled before an order ended may be shown after its end. So one that did not fill whole is looked at again, and `closed` only when
 *   the venue's query lag has passed since it was seen to have ended.
 * - W4. Several workers may sweep the same account: whatever is told is a fact, and may be told twice.
 */
import { performance } from 'node:perf_hooks';
import type { Settlement } from '../emergency/model';
import { PERMIT_LIFETIME_MS } from '../emergency/permits';
import type { PermitStatus } from '../emergency/status';
import { decimal } from '../money';
import { present } from '../json';
import type { FoundOrder, OrderLookup } from '../venues/order-lookup';
import type { DeskPort } from './desk-port';
import { fillOf } from './permit-fill';

export interface PermitSweeperOptions {
  readonly port: Pick<DeskPort, 'openOrders' | 'recordFill'>;
  readonly lookups: readonly OrderLookup[];
  readonly settle: (settlement: Settlement) => void;
  /** Hears what was ended, and how. */
  readonly onSwept?: (permit: PermitStatus, outcome: Settlement['outcome']) => void;
  readonly onError?: (error: unknown) => void;
  /** Milliseconds of a clock that never goes back; default the process's own. */
  readonly now?: () => number;
}

const SWEEP_EVERY_MS = 1_000;
/** Every so many sweeps also what rests at the venue. */
const RESTING_EVERY = 30;
const ADOPT_AFTER_MS = 2 * PERMIT_LIFETIME_MS;
/** Beyond the query lag: one that the venue shows no more, or does not tell of, is left to the list of those that rest. */
const FORGET_AFTER_MS = 60_000;
/** Questions to one venue at once: its budget is for orders. */
const AT_ONCE = 4;

interface Account {
  readonly lookup: OrderLookup;
  currency: string;
  /** When a permit was first seen unsettled, on the clock of `now`. */
  sightings: ReadonlyMap<string, number>;
  /** What was seen to have ended, and may still be shown to have filled more. */
  readonly ends: Map<string, End>;
  offset: number;
}

interface End {
  readonly permit: PermitStatus;
  /** When it was first seen, on the clock of `now`. */
  readonly seen_at: number;
}

export class PermitSweeper {
  readonly #options: PermitSweeperOptions;
  readonly #now: () => number;
  readonly #accounts: readonly Account[];
  #timer: NodeJS.Timeout | undefined;
  #round = 0;
  #isClosed = false;

  constructor(options: PermitSweeperOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#accounts = options.lookups.map((lookup) => {
      return { lookup, currency: '', sightings: new Map(), ends: new Map(), offset: 0 };
    });
  }

  /** Sweeps until it is closed. */
  start(): void {
    if (this.#accounts.length > 0) this.#later();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Resolves when every account was looked at once. Never rejects. */
  async sweep(): Promise<void> {
    const withResting = this.#round % RESTING_EVERY === 0;
    this.#round += 1;
    await Promise.all(this.#accounts.map((account) => this.#trying(() => this.#sweepAccount(account, withResting))));
  }

  #later(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      void this.sweep().then(() => {
        this.#later();
      });
    }, SWEEP_EVERY_MS);
    this.#timer.unref();
  }

  async #sweepAccount(account: Account, withResting: boolean): Promise<void> {
    const { lookup, sightings, offset } = account;
    const { venue, account: of } = lookup;
    const { currency, unsettled, resting } = await this.#options.port.openOrders({ venue, account: of, offset });
    const now = this.#now();
    account.currency = currency;
    account.sightings = new Map(unsettled.map(({ permit_id }) => [permit_id, sightings.get(permit_id) ?? now]));
    const adopted = unsettled.filter((permit) => this.#ageOf(account, permit) > ADOPT_AFTER_MS);
    if (withResting) account.offset += resting.length;
    const ended = [...account.ends].map(([permit_id, { permit }]) => [permit_id, permit] as const);
    account.ends.forEach(({ seen_at }, permit_id) => {
      if (now - seen_at > FORGET_AFTER_MS + lookup.query_lag_ms) account.ends.delete(permit_id);
    });
    const found = [...adopted, ...(withResting ? resting : [])].map((permit) => [permit.permit_id, permit] as const);
    await this.#askAll(account, [...new Map([...ended, ...found]).values()]);
  }

  async #askAll(account: Account, permits: readonly PermitStatus[]): Promise<void> {
    for (let from = 0; from < permits.length; from += AT_ONCE) {
      const some = permits.slice(from, from + AT_ONCE);
      await Promise.all(some.map((permit) => this.#trying(() => this.#ask(account, permit))));
    }
  }

  #ageOf({ sightings }: Account, { permit_id }: PermitStatus): number {
    const now = this.#now();
    return now - (sightings.get(permit_id) ?? now);
  }

  async #ask(account: Account, permit: PermitStatus): Promise<void> {
    const { lookup } = account;
    const { client_order_id, symbol, status } = permit;
    if (client_order_id === undefined) return;
    // What comes to the venue while it is asked is not in its answer.
    const asked_at = this.#now();
    const age = this.#ageOf(account, permit);
    if (status === 'granted' && permit.unknown !== true) this.#settle(permit, 'unknown');
    // Also a venue that does not answer accepts it no more.
    if (status === 'granted' && isFenced(lookup, age)) this.#settle(permit, 'fenced');
    const found = await lookup.find({ client_order_id, symbol });
    if (found !== undefined) await this.#adopt(account, permit, { ...found, asked_at });
    else if (isUnclear(permit) && isFenced(lookup, age - lookup.query_lag_ms)) this.#settle(permit, 'closed');
  }

  async #adopt(
    account: Account,
    permit: PermitStatus,
    found: FoundOrder & { readonly asked_at: number },
  ): Promise<void> {
    const { status, filled_quantity } = found;
    if (decimal(filled_quantity).gt(decimal(permit.filled))) {
      const { venue, account: of } = account.lookup;
      await this.#options.port.recordFill(fillOf(permit, { venue, account: of, currency: account.currency }, found));
    }
    if (status === 'rejected') this.#settle(permit, 'rejected');
    else if (this.#isShownWhole(account, permit, found)) this.#settle(permit, 'closed', filled_quantity);
    else if (permit.status !== 'closed') this.#settle(permit, 'acknowledged');
  }

  /** It has ended, and will not be shown to have filled more. */
  #isShownWhole(
    { ends, lookup }: Account,
    permit: PermitStatus,
    { status, filled_quantity, asked_at }: FoundOrder & { readonly asked_at: number },
  ): boolean {
    const { permit_id, quantity } = permit;
    if (status === 'open') return false;
    const { seen_at } = ends.get(permit_id) ?? { seen_at: asked_at };
    const isWhole = decimal(filled_quantity).gte(decimal(quantity)) || asked_at - seen_at >= lookup.query_lag_ms;
    if (isWhole) ends.delete(permit_id);
    else ends.set(permit_id, { permit, seen_at });
    return isWhole;
  }

  #settle(permit: PermitStatus, outcome: Settlement['outcome'], filled_quantity?: string): void {
    if (permit.status === outcome) return;
    this.#options.settle({ permit_id: permit.permit_id, outcome, ...present({ filled_quantity }) });
    this.#options.onSwept?.(permit, outcome);
  }

  async #trying(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#options.onError?.(error);
    }
  }
}

function isUnclear({ status }: PermitStatus): boolean {
  return status === 'granted' || status === 'fenced';
}

function isFenced({ fence_ms }: OrderLookup, age: number): boolean {
  return fence_ms !== undefined && age > PERMIT_LIFETIME_MS + fence_ms;
}
