/**
 * The orders of one node, each at most once, whatever crashes.
 *
 * - L1. A leg that the memo knows is followed and never sent.
 * - L2. A leg that may have been sent unheard (its worker was lost, its workflow was reset) is looked up before anything is asked.
 * - L3. The desk grants a permit's id once. After a loss it is asked under the same id: what is granted then was never granted before, so
 *   nobody has sent it; `AlreadyUsed` means that somebody may have.
 * - L4. What may have been sent is looked up until it is found, or until the venue can accept it no more and would show it if it had. It
 *   is never sent again before that.
 * - L5. What an order has filled is told to the desk no later than its end: with it in one step, where it has filled anything.
 * - L6. A node whose leg may be out does not fail for another reason: that the price is stale or the desk is silent says nothing of it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PERMIT_LIFETIME_MS } from '../../emergency/permits';
import { HoldfastError, messageOf } from '../../errors';
import { decimal } from '../../money';
import type { OrderTrail } from '../../graph/task';
import { present } from '../../json';
import type { TradingVenue, VenueOrder, VenueOrderDraft } from '../../venues/venue';
import { OrderPending, type PendingOrder } from '../order-pending';
import type { OrderIds, Trade, TradePermit, OrderSurroundings } from '../trade';
import { begun } from './ahead';
import { codeOf, isDenial } from './denials';
import { readMemo, type LegMemo, type OrdersMemo } from './memo';

/** What must be known of an order to follow it. */
export interface LegRef {
  readonly leg: string;
  readonly symbol: string;
  /** In which the desk counts what it is worth. */
  readonly currency: string;
  /** Where it goes, where not all legs go to one venue. */
  readonly at?: LegPlace;
}

export interface LegPlace {
  readonly profile: string;
  readonly venue: TradingVenue;
}

/** One order of a node. */
export interface OrderWish extends Omit<LegRef, 'symbol'> {
  readonly order: Omit<VenueOrderDraft, 'client_order_id'>;
  /** What one unit may cost at worst: the limit price, or the collar. */
  readonly worst_price: string;
  /** The market's price and its age when the order was decided. */
  readonly market?: { readonly price: string; readonly age_ms: number };
  /** It goes out only when the desk has found that it reduces a proven position. */
  readonly reduces_only?: boolean;
}

/** `unknown`: the venue has not said yet whether it has it. */
export type LegState =
  { readonly kind: 'open' | 'ended'; readonly order: VenueOrder } | { readonly kind: 'unknown'; readonly why: string };

/** `why`: the venue has not answered. */
interface Look {
  readonly order?: VenueOrder;
  readonly why?: string;
}

/** An order that may go out now, or what became of it where it is out already. */
export type Asked =
  | { readonly kind: 'granted'; readonly wish: OrderWish; readonly permit: TradePermit }
  | { readonly kind: 'out'; readonly state: LegState };

/** With where its legs go that do not name another place. */
export interface OrderLegsOptions extends LegPlace {
  readonly context: OrderSurroundings;
  /** The legs this dispatch may send, by what the kind keeps; default the only one. */
  readonly legs?: (own: unknown) => readonly string[];
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
  /** How long one dispatch looks for what may have been sent. */
  readonly patience_ms?: number;
}

const ONLY_LEG = 'order';
const PATIENCE_MS = 15_000;
const LOOK_EVERY_MS = 250;
const REPORT_TRIES = 3;

export class OrderLegs {
  readonly #options: OrderLegsOptions;
  readonly #trade: Trade;
  readonly #now: () => number;
  readonly #legs: Map<string, LegMemo>;
  /** Legs that may be out without anybody knowing, and under which number their permits were asked for. */
  readonly #perhaps: Map<string, number>;
  /** Legs that are certainly not out. */
  readonly #notOut = new Set<string>();
  #began_at: number;
  /** What the kind keeps beside them, as the last memo had it; what is put here goes into the next one. */
  own: unknown;

  constructor(options: OrderLegsOptions) {
    this.#options = options;
    this.#trade = options.context.trade;
    this.#now = options.now ?? (() => performance.now());
    const { trail } = options.context.task;
    const { legs, perhaps = {}, began_at, own } = readMemo(trail?.memo) ?? { legs: {}, began_at: Date.now() };
    this.#legs = new Map(Object.entries(legs));
    this.#perhaps = new Map([...lostLegs(trail, options.legs?.(own)), ...Object.entries(perhaps)]);
    this.#began_at = began_at;
    this.own = own;
  }

  /** When the node's first order was sent, or may have been; milliseconds since 1970. */
  get began_at(): number {
    return this.#began_at;
  }

  /** Whether any order of the node was sent, or may have been, as far as is known. */
  get isEmpty(): boolean {
    return this.#legs.size === 0;
  }

  /** Whether a leg was sent, or may have been, as far as is known. */
  has(leg: string): boolean {
    return this.#legs.has(leg);
  }

  /** Whether an earlier dispatch of it was lost, with whatever it did, and nobody knows yet what that was. */
  isLost(leg: string): boolean {
    return this.#perhaps.has(leg);
  }

  /**
   * Sends the order, or finds out what became of it when it may have been sent before. Throws `OrderNotPlaced` when it certainly never
   * reached the venue, what the venue rejects it with, and what the desk denies it with: then nothing of this leg is out.
   */
  async place(wish: OrderWish): Promise<LegState> {
    return this.placeDecided(refOf(wish), () => Promise.resolve(wish));
  }

  /**
   * As `place`; the order is decided only where none is out. Throws also what `decide` does. `ahead`: to decide it is only to read, so that
   * is begun while it is still asked whether one is out.
   */
  async placeDecided(
    ref: LegRef,
    decide: () => Promise<OrderWish>,
    { ahead = false }: { readonly ahead?: boolean } = {},
  ): Promise<LegState> {
    const isNew = !this.has(ref.leg) && !this.isLost(ref.leg);
    const decided = ahead && isNew ? begun(decide, this.#now) : decide;
    const state = await this.recover(ref);
    if (state !== undefined) return state;
    return this.send(await this.ask(ref, decided));
  }

  /** What became of a leg that was sent, or may have been; undefined where it can be decided now, and asked for. */
  async recover(ref: LegRef): Promise<LegState | undefined> {
    const known = this.#legs.get(ref.leg);
    if (known !== undefined) return this.#followUp(ref, known);
    const { order, why } = await this.#lookBack(ref);
    if (order !== undefined) return this.#adopt(ref, this.#idsOf(ref), order);
    return why === undefined ? undefined : { kind: 'unknown', why };
  }

  /** Decides, and asks the desk. After `recover` had nothing to say. Throws what the desk denies the order with, and what `decide` throws. */
  async ask(ref: LegRef, decide: () => Promise<OrderWish>): Promise<Asked> {
    const ids = this.#idsOf(ref);
    try {
      const wish = await decide();
      const permit = await this.#permitFor(wish);
      if (permit === undefined) return { kind: 'out', state: await this.#resolve(ref, ids) };
      this.#isNotOut(ref);
      return { kind: 'granted', wish, permit };
    } catch (error) {
      if (isDenial(error)) this.#isNotOut(ref);
      // A halt takes the node back with all that is known of it.
      if (!this.#perhaps.has(ref.leg) || codeOf(error) === 'EmergencyHalted') throw error;
      const state = await this.#findOut(ref, ids);
      if (state === undefined) throw error;
      return { kind: 'out', state };
    }
  }

  async send(asked: Asked): Promise<LegState> {
    return asked.kind === 'out' ? asked.state : this.#send(asked.wish, asked.permit);
  }

  /** Its end is known, and the kind has noted it: later dispatches need not. */
  release({ leg }: Pick<LegRef, 'leg'>): void {
    this.#legs.delete(leg);
  }

  /** Ends this dispatch: the next one goes on with what is known now. */
  pending(
    message: string,
    { retry_in_ms, own = this.own, wake }: Pick<PendingOrder, 'retry_in_ms' | 'wake'> & { readonly own?: unknown },
  ): OrderPending {
    const isUnknown = this.#perhaps.size > 0 || [...this.#legs.values()].some(({ placed }) => !placed);
    const perhaps = this.#perhaps.size === 0 ? undefined : Object.fromEntries(this.#perhaps);
    const known = { legs: Object.fromEntries(this.#legs), began_at: this.#began_at };
    const memo: OrdersMemo = { ...known, ...present({ perhaps, own }) };
    return new OrderPending({ type: isUnknown ? 'OrderUnknown' : 'OrderOpen', message, retry_in_ms, memo, wake });
  }

  #at({ at = this.#options }: Pick<LegRef, 'at'>): LegPlace {
    return at;
  }

  #idsOf({ leg }: LegRef): OrderIds {
    return this.#trade.idsOf(leg, this.#perhaps.get(leg));
  }

  #isNotOut({ leg }: LegRef): void {
    this.#perhaps.delete(leg);
    this.#notOut.add(leg);
  }

  /** `why`: nobody says whether it is out. */
  async #lookBack(ref: LegRef): Promise<Look> {
    const { leg } = ref;
    if (this.#notOut.has(leg)) return {};
    if (!this.#perhaps.has(leg)) {
      const { trail, dispatch } = this.#options.context.task;
      try {
        if (!(await this.#trade.wasReset())) return {};
      } catch (error) {
        return { why: messageOf(error) };
      }
      this.#perhaps.set(leg, trail?.permits_of ?? dispatch);
    }
    return this.#look(ref, this.#idsOf(ref));
  }

  /** Undefined when the desk has granted this very permit before. */
  async #permitFor({
    leg,
    order,
    worst_price,
    currency,
    market,
    ...wish
  }: OrderWish): Promise<TradePermit | undefined> {
    const { symbol, side, quantity } = order;
    const { profile, venue } = this.#at(wish);
    const permits_of = this.#perhaps.get(leg);
    const draft = { account: venue.account, venue: profile, symbol, side, quantity, currency };
    let permit: TradePermit;
    try {
      permit = await this.#trade.request({ ...draft, leg, price: worst_price, ...present({ market, permits_of }) });
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'AlreadyUsed') return undefined;
      throw error;
    }
    if (permit.reduces || wish.reduces_only !== true) return permit;
    permit.settle('unused');
    throw new HoldfastError('LimitExceeded', `${side} ${quantity} ${symbol} is more than the position that is proven`);
  }

  async #send(wish: OrderWish, permit: TradePermit): Promise<LegState> {
    if (this.isEmpty) this.#began_at = Date.now();
    const { permit_id, client_order_id } = permit;
    const [ref, ids] = [refOf(wish), { permit_id, client_order_id }];
    const submission = await this.#at(wish).venue.submit({ ...wish.order, client_order_id }, permit);
    switch (submission.kind) {
      case 'placed':
        return this.#adopt(ref, ids, submission.order);
      case 'rejected':
        permit.settle('rejected');
        throw new HoldfastError(submission.code, submission.message, { client_order_id });
      case 'unsent':
        throw submission.error;
      case 'unknown':
        permit.settle('unknown');
        return this.#resolve(ref, ids);
    }
  }

  /** Throws `OrderNotPlaced` when it can be there no more. */
  async #resolve(ref: LegRef, ids: OrderIds): Promise<LegState> {
    this.#perhaps.delete(ref.leg);
    this.#keep(ref.leg, { permit_id: ids.permit_id, placed: false });
    const state = await this.#findOut(ref, ids);
    if (state !== undefined) return state;
    throw new HoldfastError('OrderNotPlaced', 'the order never reached the venue, and can reach it no more', {
      client_order_id: ids.client_order_id,
    });
  }

  /** Looks for it until it is found, or can be there no more: then it was never placed, and undefined is returned. */
  async #findOut(ref: LegRef, ids: OrderIds): Promise<LegState | undefined> {
    const { fence_ms, query_lag_ms } = this.#at(ref).venue;
    const began = this.#now();
    const gone = fence_ms === undefined ? Infinity : began + PERMIT_LIFETIME_MS + fence_ms + query_lag_ms;
    const until = began + (this.#options.patience_ms ?? PATIENCE_MS);
    for (;;) {
      const asked = this.#now();
      const found = await this.#look(ref, ids);
      if (found.order !== undefined) return this.#adopt(ref, ids, found.order);
      if (found.why === undefined && asked > gone) {
        this.#neverPlaced(ref, ids);
        return undefined;
      }
      if (this.#now() >= until) return { kind: 'unknown', why: found.why ?? 'the venue does not show it yet' };
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.#options.context.signal });
    }
  }

  #neverPlaced(ref: LegRef, { permit_id }: OrderIds): void {
    this.#trade.settle({ permit_id, outcome: 'closed', filled_quantity: '0' });
    this.#legs.delete(ref.leg);
    this.#isNotOut(ref);
  }

  /** A venue that does not answer has said nothing. */
  async #look(ref: LegRef, { client_order_id }: OrderIds): Promise<Look> {
    try {
      return present({ order: await this.#at(ref).venue.find({ client_order_id, symbol: ref.symbol }) });
    } catch (error) {
      return { why: messageOf(error) };
    }
  }

  async #followUp(ref: LegRef, { permit_id, placed }: LegMemo): Promise<LegState> {
    const ids = { ...this.#idsOf(ref), permit_id };
    if (!placed) return this.#resolve(ref, ids);
    const { order, why } = await this.#look(ref, ids);
    if (order !== undefined) return this.#adopt(ref, ids, order);
    return { kind: 'unknown', why: why ?? 'the venue does not show it any more' };
  }

  async #adopt(ref: LegRef, ids: OrderIds, seen: VenueOrder): Promise<LegState> {
    const { permit_id } = ids;
    this.#perhaps.delete(ref.leg);
    this.#keep(ref.leg, { permit_id, placed: true });
    const { order = seen, why } = await this.#lookAfterCancel(ref, ids, seen);
    if (why !== undefined) return { kind: 'unknown', why };
    if (order.status === 'rejected') {
      this.#trade.settle({ permit_id, outcome: 'rejected' });
      throw new HoldfastError('OrderRejected', 'the venue took the order and rejected it', { ...order });
    }
    if (order.status === 'open') this.#trade.settle({ permit_id, outcome: 'acknowledged' });
    const isTold = await this.#report(ref, permit_id, order);
    if (order.status === 'open') return { kind: 'open', order };
    if (!isTold) this.#trade.settle({ permit_id, outcome: 'closed', filled_quantity: order.filled_quantity });
    return { kind: 'ended', order };
  }

  /** What filled before a cancel may be shown after it. */
  async #lookAfterCancel(ref: LegRef, ids: OrderIds, { status }: VenueOrder): Promise<Look> {
    if (status !== 'cancelled') return {};
    await sleep(this.#at(ref).venue.query_lag_ms, undefined, { signal: this.#options.context.signal });
    return this.#look(ref, ids);
  }

  #keep(leg: string, memo: LegMemo): void {
    this.#legs.set(leg, memo);
  }

  /** Whether the desk has taken it. It may be slow for a moment; until it knows, the order's end is not told. */
  async #report(ref: LegRef, permit_id: string, order: VenueOrder): Promise<boolean> {
    const { client_order_id, symbol, side, filled_quantity, filled_notional, fees, updated_ms } = order;
    if (decimal(filled_quantity).eq('0')) return false;
    const { profile, venue } = this.#at(ref);
    const place = { account: venue.account, venue: profile, symbol, side };
    const ended = order.status !== 'open';
    const filled = { filled_quantity, filled_notional, fees, currency: ref.currency, at: updated_ms, ended };
    for (let tried = 1; ; tried += 1) {
      try {
        await this.#trade.report({ order_id: client_order_id, permit_id, ...place, ...filled });
        return true;
      } catch (error) {
        const again = error instanceof HoldfastError && error.entry.retryable;
        // What it refuses for good stays reserved there, which is safe, and the order has filled all the same.
        if (!again) {
          this.#options.context.log.info({ client_order_id, error: messageOf(error) }, 'fill_refused');
          return false;
        }
        if (tried === REPORT_TRIES)
          throw this.pending('the desk has not heard of its fills yet', { retry_in_ms: 1_000 });
      }
    }
  }
}

function refOf({ leg, order: { symbol }, currency, at }: OrderWish): LegRef {
  return { leg, symbol, currency, ...present({ at }) };
}

function lostLegs(trail: OrderTrail | undefined, legs: readonly string[] = [ONLY_LEG]): readonly [string, number][] {
  return trail?.lost === true ? legs.map((leg) => [leg, trail.permits_of]) : [];
}
