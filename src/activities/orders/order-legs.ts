/**
 * The orders of one node, each at most once, whatever crashes.
 *
 * - L1. A leg that the memo knows is followed and never sent.
 * - L2. A leg that may have been sent unheard (its worker was lost, its workflow was reset) is looked up before anything is asked.
 * - L3. The desk grants a permit's id once. After a loss it is asked under the same id: what is granted then was never granted before, so
 *   nobody has sent it; `AlreadyUsed` means that somebody may have.
 * - L4. What may have been sent is looked up until it is found, or until the venue can accept it no more and would show it if it had. It
 *   is never sent again.
 * - L5. What an order has filled is told to the desk before its end is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PERMIT_LIFETIME_MS } from '../../emergency/permits';
import { HoldfastError, messageOf } from '../../errors';
import { decimal } from '../../money';
import { present } from '../../json';
import type { TradingVenue, VenueOrder, VenueOrderDraft } from '../../venues/venue';
import type { NodeContext } from '../define-node';
import { OrderPending } from '../order-pending';
import type { OrderIds, Trade, TradePermit } from '../trade';
import { readMemo, type LegMemo, type OrdersMemo } from './memo';

/** One order of a node. */
export interface OrderWish {
  readonly leg: string;
  readonly order: Omit<VenueOrderDraft, 'client_order_id'>;
  /** What one unit may cost at worst: the limit price, or the collar. */
  readonly worst_price: string;
  /** In which the desk counts what it is worth. */
  readonly currency: string;
  /** The market's price and its age when the order was decided. */
  readonly market?: { readonly price: string; readonly age_ms: number };
}

/** `unknown`: the venue has not said yet whether it has it. */
export type LegState =
  { readonly kind: 'open' | 'ended'; readonly order: VenueOrder } | { readonly kind: 'unknown'; readonly why: string };

export interface OrderLegsOptions {
  readonly profile: string;
  readonly venue: TradingVenue;
  readonly context: NodeContext & { readonly trade: Trade };
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  /** How long one dispatch looks for what may have been sent. */
  readonly patience_ms?: number;
}

const PATIENCE_MS = 15_000;
const LOOK_EVERY_MS = 250;
const REPORT_TRIES = 3;

export class OrderLegs {
  readonly #options: OrderLegsOptions;
  readonly #trade: Trade;
  readonly #venue: TradingVenue;
  readonly #now: () => number;
  readonly #legs: Map<string, LegMemo>;
  readonly #began_at: number;
  /** As the kind left it with the last memo. */
  readonly own: unknown;

  constructor(options: OrderLegsOptions) {
    this.#options = options;
    this.#trade = options.context.trade;
    this.#venue = options.venue;
    this.#now = options.now ?? (() => performance.now());
    const memo = readMemo(options.context.task.trail?.memo);
    this.#legs = new Map(Object.entries(memo?.legs ?? {}));
    this.#began_at = memo?.began_at ?? Date.now();
    this.own = memo?.own;
  }

  /** When the node's first order was sent, or may have been; milliseconds since 1970. */
  get began_at(): number {
    return this.#began_at;
  }

  /** Whether a leg was sent, or may have been, as far as is known. */
  has(leg: string): boolean {
    return this.#legs.has(leg);
  }

  /**
   * Sends the order, or finds out what became of it when it may have been sent before. Throws `OrderNotPlaced` when it certainly never
   * reached the venue, what the venue rejects it with, and what the desk denies it with: then nothing of this leg is out.
   */
  async place(wish: OrderWish): Promise<LegState> {
    const known = this.#legs.get(wish.leg);
    if (known !== undefined) return this.#followUp(wish, known);
    const ids = this.#trade.idsOf(wish.leg);
    if (await this.#mayBeOut()) {
      const found = await this.#find(wish, ids);
      if (found !== undefined) return this.#adopt(wish, ids, found);
    }
    const permit = await this.#permitFor(wish);
    return permit === undefined ? this.#resolve(wish, ids) : this.#send(wish, ids, permit);
  }

  /** Ends this dispatch: the next one goes on with what is known now. */
  pending(
    message: string,
    { retry_in_ms, own }: { readonly retry_in_ms: number; readonly own?: unknown },
  ): OrderPending {
    const unknown = [...this.#legs.values()].some(({ placed }) => !placed);
    const memo: OrdersMemo = { legs: Object.fromEntries(this.#legs), began_at: this.#began_at, ...present({ own }) };
    return new OrderPending({ type: unknown ? 'OrderUnknown' : 'OrderOpen', message, retry_in_ms, memo });
  }

  async #mayBeOut(): Promise<boolean> {
    return this.#options.context.task.trail?.lost === true || (await this.#trade.wasReset());
  }

  /** Undefined when the desk has granted this very permit before. */
  async #permitFor({ leg, order, worst_price, currency, market }: OrderWish): Promise<TradePermit | undefined> {
    const { symbol, side, quantity } = order;
    const draft = { account: this.#venue.account, venue: this.#options.profile, symbol, side, quantity, currency };
    try {
      return await this.#trade.request({ ...draft, leg, price: worst_price, ...present({ market }) });
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'AlreadyUsed') return undefined;
      throw error;
    }
  }

  async #send(wish: OrderWish, ids: OrderIds, permit: TradePermit): Promise<LegState> {
    const { client_order_id } = ids;
    const submission = await this.#venue.submit({ ...wish.order, client_order_id }, permit);
    switch (submission.kind) {
      case 'placed':
        return this.#adopt(wish, ids, submission.order);
      case 'rejected':
        permit.settle('rejected');
        throw new HoldfastError(submission.code, submission.message, { client_order_id });
      case 'unsent':
        throw submission.error;
      case 'unknown':
        permit.settle('unknown');
        return this.#resolve(wish, ids);
    }
  }

  /** Looks for it until it is found or can be there no more. */
  async #resolve(wish: OrderWish, ids: OrderIds): Promise<LegState> {
    this.#keep(wish.leg, { permit_id: ids.permit_id, placed: false });
    const { fence_ms, query_lag_ms } = this.#venue;
    const began = this.#now();
    const gone = fence_ms === undefined ? Infinity : began + PERMIT_LIFETIME_MS + fence_ms + query_lag_ms;
    const until = began + (this.#options.patience_ms ?? PATIENCE_MS);
    for (;;) {
      const asked = this.#now();
      const found = await this.#looking(wish, ids);
      if (found.order !== undefined) return this.#adopt(wish, ids, found.order);
      if (found.why === undefined && asked > gone) return this.#neverPlaced(wish, ids);
      if (this.#now() >= until) return { kind: 'unknown', why: found.why ?? 'the venue does not show it yet' };
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.#options.context.signal });
    }
  }

  /** A venue that does not answer has said nothing. */
  async #looking(wish: OrderWish, ids: OrderIds): Promise<{ readonly order?: VenueOrder; readonly why?: string }> {
    try {
      return present({ order: await this.#find(wish, ids) });
    } catch (error) {
      return { why: messageOf(error) };
    }
  }

  async #followUp(wish: OrderWish, { permit_id, placed }: LegMemo): Promise<LegState> {
    const ids = { ...this.#trade.idsOf(wish.leg), permit_id };
    if (!placed) return this.#resolve(wish, ids);
    const { order, why } = await this.#looking(wish, ids);
    if (order !== undefined) return this.#adopt(wish, ids, order);
    return { kind: 'unknown', why: why ?? 'the venue does not show it any more' };
  }

  #find({ order: { symbol } }: OrderWish, { client_order_id }: OrderIds): Promise<VenueOrder | undefined> {
    return this.#venue.find({ client_order_id, symbol });
  }

  async #adopt(wish: OrderWish, { permit_id }: OrderIds, order: VenueOrder): Promise<LegState> {
    this.#keep(wish.leg, { permit_id, placed: true });
    if (order.status === 'rejected') {
      this.#trade.settle({ permit_id, outcome: 'rejected' });
      throw new HoldfastError('OrderRejected', 'the venue took the order and rejected it', { ...order });
    }
    if (order.status === 'open') this.#trade.settle({ permit_id, outcome: 'acknowledged' });
    await this.#report(wish, permit_id, order);
    if (order.status === 'open') return { kind: 'open', order };
    this.#trade.settle({ permit_id, outcome: 'closed', filled_quantity: order.filled_quantity });
    return { kind: 'ended', order };
  }

  #neverPlaced({ leg }: OrderWish, { permit_id, client_order_id }: OrderIds): never {
    this.#trade.settle({ permit_id, outcome: 'closed', filled_quantity: '0' });
    this.#legs.delete(leg);
    throw new HoldfastError('OrderNotPlaced', 'the order never reached the venue, and can reach it no more', {
      client_order_id,
    });
  }

  #keep(leg: string, memo: LegMemo): void {
    this.#legs.set(leg, memo);
  }

  /** The desk may be slow for a moment; until it knows, the order's end is not told. */
  async #report({ currency }: OrderWish, permit_id: string, order: VenueOrder): Promise<void> {
    const { client_order_id, symbol, side, filled_quantity, filled_notional, fees, updated_ms } = order;
    if (decimal(filled_quantity).eq('0')) return;
    const place = { account: this.#venue.account, venue: this.#options.profile, symbol, side };
    const filled = { filled_quantity, filled_notional, fees, currency, at: updated_ms };
    for (let tried = 1; ; tried += 1) {
      try {
        await this.#trade.report({ order_id: client_order_id, permit_id, ...place, ...filled });
        return;
      } catch (error) {
        const again = error instanceof HoldfastError && error.entry.retryable;
        // What it refuses for good stays reserved there, which is safe, and the order has filled all the same.
        if (!again) {
          this.#options.context.log.info({ client_order_id, error: messageOf(error) }, 'fill_refused');
          return;
        }
        if (tried === REPORT_TRIES)
          throw this.pending('the desk has not heard of its fills yet', { retry_in_ms: 1_000 });
      }
    }
  }
}
