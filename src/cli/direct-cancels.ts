/**
 * Cancels what rests, with nothing but the venues: for when Temporal or the workers are down. Everything is gone when the venue's own
 * list says so twice, the second time after an order on its way must have appeared.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { protects, resultOf, type CancelResult, type CancelTarget } from '../emergency/cancels';
import { HoldfastError, messageOf } from '../errors';
import type { TradingAccount } from '../venues/open-venues';
import type { VenueOrder } from '../venues/venue';
import { countWords, orderRow } from './cancels';
import type { Ui } from './io';
import { table } from './table';

export interface DirectOrder {
  readonly symbol?: string;
  readonly stops: boolean;
  readonly deadline_ms: number;
}

export interface DirectAccount {
  readonly venue: string;
  readonly account: string;
  readonly orders: readonly CancelResult[];
  /** The venue showed twice that nothing rests any more but what was spared. */
  readonly is_clear: boolean;
  /** Why it is not clear. */
  readonly why?: string;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;
const AT_ONCE = 4;

export async function cancelDirectly(
  accounts: readonly TradingAccount[],
  order: DirectOrder,
): Promise<readonly DirectAccount[]> {
  return Promise.all(accounts.map((account) => new DirectCancels(account, order).run()));
}

/** Throws `CancelsUnconfirmed`. */
export function assertGone(accounts: readonly DirectAccount[]): void {
  const unclear = accounts.filter(({ is_clear }) => !is_clear);
  if (unclear.length === 0) return;
  const words = unclear.map(({ venue, account, why = 'orders rest' }) => `${venue} ${account}: ${why}`);
  throw new HoldfastError('CancelsUnconfirmed', `Not everything is known to be cancelled. ${words.join('; ')}.`);
}

export function directLines(accounts: readonly DirectAccount[], ui: Ui): string[] {
  const rows = accounts.flatMap(({ venue, account, orders }) =>
    orders.map((order) => orderRow(`${venue} ${account}`, order, ui)),
  );
  return [
    ...accounts.map(({ venue, account, orders, is_clear, why }) => {
      const end = is_clear ? 'nothing else rests' : `not confirmed: ${why ?? 'orders rest'}`;
      return `${venue} ${account}: ${countWords(orders)}; ${ui.paint(is_clear ? 'good' : 'bad', end)}`;
    }),
    ...(rows.length === 0 ? [] : table(['ACCOUNT', 'ORDER', 'SYMBOL', 'SIDE', 'RESULT', 'FILLED', ''], rows)),
  ];
}

class DirectCancels {
  readonly #account: TradingAccount;
  readonly #order: DirectOrder;
  readonly #results = new Map<string, CancelResult>();
  readonly #deadline: number;
  #why: string | undefined;

  constructor(account: TradingAccount, order: DirectOrder) {
    this.#account = account;
    this.#order = order;
    this.#deadline = performance.now() + order.deadline_ms;
  }

  async run(): Promise<DirectAccount> {
    let clearSince: number | undefined;
    for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      const isClear = await this.#sweep();
      const now = performance.now();
      clearSince = isClear ? (clearSince ?? now) : undefined;
      const { query_lag_ms } = this.#account.trading;
      if (clearSince !== undefined && now - clearSince >= query_lag_ms) return this.#report(true);
      if (now >= this.#deadline && clearSince === undefined) return this.#report(false);
      await pause(clearSince === undefined ? wait : query_lag_ms - (now - clearSince));
    }
  }

  /** Whether the venue showed nothing that was to go, and every earlier one has its result. */
  async #sweep(): Promise<boolean> {
    try {
      const { symbol, stops } = this.#order;
      let unread = 0;
      // What cannot be read must not keep the rest.
      const unreadable = (count: number) => {
        unread = count;
      };
      const listed = await this.#account.trading.openOrders(symbol, { urgent: true, unreadable });
      const isSpared = (each: VenueOrder) => !stops && protects(each, undefined);
      for (const each of listed.filter(isSpared)) this.#note(targetOf(each), 'spared', each);
      const resting = listed.filter((each) => !isSpared(each));
      await this.#cancelAll(resting);
      await this.#explain(new Set(resting.map(({ client_order_id }) => client_order_id)));
      const pending = [...this.#results.values()].find(({ status }) => status === 'pending')?.why;
      this.#why = unread === 0 ? pending : `${unread} orders that it shows cannot be read`;
      return resting.length === 0 && this.#why === undefined;
    } catch (error) {
      this.#why = messageOf(error);
      return false;
    }
  }

  async #cancelAll(resting: readonly VenueOrder[]): Promise<void> {
    const queue = resting.values();
    const lane = async () => {
      for (const each of queue) await this.#cancel(each);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  async #cancel(listed: VenueOrder): Promise<void> {
    const target = targetOf(listed);
    try {
      const answer = await this.#account.trading.cancel(target);
      if (answer.kind === 'cancelled') this.#note(target, 'cancelled', answer.order);
      else this.#keep(target, 'the venue does not say yet how it ended');
    } catch (error) {
      this.#keep(target, messageOf(error));
    }
  }

  /** How those ended that are not listed any more. */
  async #explain(listed: ReadonlySet<string>): Promise<void> {
    const open = [...this.#results.values()].filter(({ status }) => status === 'pending');
    for (const { client_order_id, symbol, side } of open.filter((each) => !listed.has(each.client_order_id))) {
      const target = { client_order_id, symbol, side, may_protect: false };
      const found = await this.#account.trading.find(target);
      if (found === undefined) this.#note(target, 'not_found');
      else if (found.status !== 'open') this.#note(target, found.status === 'filled' ? 'filled' : 'cancelled', found);
    }
  }

  #note(target: CancelTarget, status: CancelResult['status'], order?: VenueOrder): void {
    const filled = order === undefined ? {} : { filled_quantity: order.filled_quantity };
    this.#results.set(keyOf(target), resultOf(target, status, filled));
  }

  #keep(target: CancelTarget, why: string): void {
    this.#results.set(keyOf(target), resultOf(target, 'pending', { why }));
  }

  #report(is_clear: boolean): DirectAccount {
    const { profile: venue, trading } = this.#account;
    const why = is_clear ? {} : { why: this.#why ?? 'the venue showed orders until the end' };
    return { venue, account: trading.account, orders: [...this.#results.values()], is_clear, ...why };
  }
}

function targetOf({ client_order_id, symbol, side }: VenueOrder): CancelTarget {
  return { client_order_id, symbol, side, may_protect: false };
}

function keyOf({ symbol, client_order_id }: CancelTarget): string {
  return `${symbol} ${client_order_id}`;
}
