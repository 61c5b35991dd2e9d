/**
 * One order in place of another: the old one is cancelled, and what it certainly did not fill is ordered anew.
 *
 * - R1. Nothing new is decided before the venue has said that the old order has ended, and has had the time to show what filled before its
 *   end. As long as that is unclear nothing is sent.
 * - R2. The new order is for what the old one did not fill. So the two are never open at once and never come to more than was asked for.
 * - R3. What is wrong with the new order, as far as can be known, is said while the old one still stands.
 * - R4. Only what this node took back is replaced: not what ended by its fills, its expiry or somebody else's cancel, and not after a halt that
 *   came between the two, for what is decided before a halt may be too old after it.
 * - R5. What a lost dispatch did nobody knows. What is found cancelled after one may have been cancelled by a halt that came since, so it is not
 *   replaced: a worker that died between the two leaves neither order, and the graph is told so by its branch.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError, messageOf } from '../../errors';
import { decimal, formatDecimal, type Decimal } from '../../money';
import { quantizeQuantity } from '../../venues/size-checks';
import type { OrderRef, VenueOrder } from '../../venues/venue';
import type { OrderSurroundings } from '../trade';
import { cancelToTheEnd, shownOrGone } from './cancels';
import { decideLimit, type LimitTerms, type OrderPlace } from './decide';
import type { OrderLegs, OrderWish } from './order-legs';

export interface ReplaceTerms extends Omit<LimitTerms, keyof OrderSizes> {
  /** Of the order that is replaced. */
  readonly client_order_id: string;
  /** Of both together; default what the old one was for. */
  readonly quantity?: string | undefined;
}

type OrderSizes = Pick<LimitTerms, 'quantity' | 'quote_amount'>;

/** How the old order ended. */
export type Replaced = Pick<
  VenueOrder,
  'client_order_id' | 'side' | 'filled_quantity' | 'filled_notional' | 'fees' | 'status'
>;

/** Nothing was sent in place of the old order, and nothing will be. */
export class NotReplaced extends Error {
  /** Absent where the venue has none. */
  readonly replaced: Replaced | undefined;

  constructor(why: string, old?: VenueOrder) {
    super(why);
    this.replaced = old && replacedOf(old);
  }
}

export interface Replacing {
  /** The side is the old order's. */
  readonly place: Omit<OrderPlace, 'side'>;
  readonly legs: OrderLegs;
  readonly context: OrderSurroundings;
}

const AGAIN_AFTER_MS = 250;
/** For the old order to be known to have ended. */
const PATIENCE_MS = 12_000;

export class Replacement {
  readonly #replacing: Replacing;
  readonly #terms: ReplaceTerms;
  readonly #ref: OrderRef;

  constructor(replacing: Replacing, terms: ReplaceTerms) {
    this.#replacing = replacing;
    this.#terms = terms;
    this.#ref = { client_order_id: terms.client_order_id, symbol: replacing.place.symbol };
  }

  /** Takes the old order back, and decides the new one. Throws `NotReplaced`, and what `decideLimit` does. */
  async decide(): Promise<OrderWish> {
    const { legs, place } = this.#replacing;
    const seen = await this.#seen();
    if (seen.status !== 'open') throw new NotReplaced(whyNot(seen, legs.isLost(place.leg)), seen);
    await this.#assertOrderable(seen);
    const old = await this.#takenBack();
    legs.own = replacedOf(old);
    await this.#tell(old);
    return this.#wishFor(old);
  }

  /** How the old order ended; `unknown` where the venue does not say it any more. */
  async replaced(): Promise<Replaced | (OrderRef & { readonly status: 'unknown' })> {
    const { legs, place } = this.#replacing;
    if (legs.own !== undefined) return legs.own as Replaced;
    // The new order was found after its dispatch was lost, and so what that knew.
    const old = await place.trading.find(this.#ref).catch(() => undefined);
    return old === undefined ? { ...this.#ref, status: 'unknown' } : replacedOf(old);
  }

  async #seen(): Promise<VenueOrder> {
    const { place, context } = this.#replacing;
    const seen = await this.#insisting(() => shownOrGone(place.trading, this.#ref, context));
    if (seen === undefined) throw new NotReplaced('the venue has no such order');
    if (seen.type === 'limit') return seen;
    const message = `client_order_id: is a ${seen.type} order; only limit orders are replaced, for between the two there is none`;
    throw new HoldfastError('InvalidInput', message, { ...this.#ref });
  }

  async #assertOrderable(seen: VenueOrder): Promise<void> {
    const left = this.#leftOf(seen);
    if (left.gt('0')) await this.#limit(seen, left);
  }

  /** What a cancel did that threw nobody knows: it counts as this node's. */
  async #takenBack(): Promise<VenueOrder> {
    const { place, context } = this.#replacing;
    let failures = 0;
    const { kind, order } = await this.#insisting(
      () => cancelToTheEnd(place.trading, this.#ref, context),
      () => {
        failures += 1;
      },
    );
    if (order?.status === 'cancelled' && (kind === 'cancelled' || failures > 0)) return order;
    throw new NotReplaced(`it was ${order?.status ?? 'gone'} before it could be cancelled`, order);
  }

  /** What helps when it is repeated is repeated for a while. */
  async #insisting<T>(work: () => Promise<T>, failed: () => void = () => undefined): Promise<T> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        failed();
        if (!(error instanceof HoldfastError) || !error.entry.retryable) throw error;
        if (performance.now() > until) throw unclear(error, this.#ref);
        await sleep(AGAIN_AFTER_MS, undefined, { signal: this.#replacing.context.signal });
      }
    }
  }

  /** Until the sweeper tells it the desk would hold back for both. That is safe, so it is no reason to fail. */
  async #tell(order: VenueOrder): Promise<void> {
    const { place, context } = this.#replacing;
    try {
      const { account } = place.trading;
      await context.trade.tellEnd({ venue: place.venue.profile, account, order });
    } catch (error) {
      context.log.info({ ...this.#ref, error: messageOf(error) }, 'end_not_told');
    }
  }

  async #wishFor(old: VenueOrder): Promise<OrderWish> {
    const left = this.#leftOf(old);
    if (left.lte('0')) throw new NotReplaced('nothing is left of it to be ordered', old);
    try {
      return await this.#limit(old, left);
    } catch (error) {
      // The price was found good before, so it is too little for the market.
      if (error instanceof HoldfastError && error.code === 'OrderRejected') throw new NotReplaced(error.message, old);
      throw error;
    }
  }

  async #limit({ side }: VenueOrder, left: Decimal): Promise<OrderWish> {
    const place: OrderPlace = { ...this.#replacing.place, side };
    const quantity = quantizeQuantity(formatDecimal(left), await place.trading.market(place.symbol));
    const { price, round_price, time_in_force, max_price_age } = this.#terms;
    return decideLimit(place, { price, round_price, time_in_force, max_price_age, quantity });
  }

  #leftOf({ quantity, filled_quantity }: VenueOrder): Decimal {
    return decimal(this.#terms.quantity ?? quantity).minus(decimal(filled_quantity));
  }
}

function whyNot({ status }: VenueOrder, afterLoss: boolean): string {
  const mayBeOurs = status === 'cancelled' && afterLoss;
  return mayBeOurs ? 'it was cancelled, perhaps by a worker of this node that was lost' : `it was ${status} already`;
}

function unclear({ code, message }: HoldfastError, ref: OrderRef): HoldfastError {
  const words = `it is not known what became of ${ref.client_order_id}, so nothing was sent in its place: ${message}`;
  return new HoldfastError(code, words, { ...ref });
}

function replacedOf(order: VenueOrder): Replaced {
  const { client_order_id, side, status, filled_quantity, filled_notional, fees } = order;
  return { client_order_id, side, status, filled_quantity, filled_notional, fees };
}
