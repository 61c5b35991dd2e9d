/** From what a node asks for to one complete order, with everything checked that can be before the desk is asked. */
import { HoldfastError } from '../../errors';
import { decimal, divideDown, formatDecimal } from '../../money';
import { orderProblem, quantizePrice, quantizeQuantity } from '../../venues/size-checks';
import type { Market, OrderSide, TimeInForce } from '../../venues/venue';
import { currencyOf, type Account } from './accounts';
import type { LegRef, OrderWish } from './order-legs';
import { collar, freshPrice, type FreshPrice } from './prices';

export interface OrderPlace extends Account {
  readonly leg: string;
  readonly symbol: string;
  readonly side: OrderSide;
}

export interface OrderSize {
  readonly quantity?: string | undefined;
  readonly quote_amount?: string | undefined;
}

export interface PriceBounds {
  /** Percent of the last price. */
  readonly max_slippage_percent: string;
  /** A duration, by the venue's clock. */
  readonly max_price_age: number | string;
}

type Terms = Pick<OrderWish, 'worst_price'> & { readonly order: Omit<OrderWish['order'], 'symbol' | 'side'> };

export function refOf({ leg, symbol, venue, trading }: Omit<OrderPlace, 'side'>): LegRef {
  return { leg, symbol, currency: currencyOf(trading, symbol), at: { profile: venue.profile, venue: trading } };
}

/** At the market, as a limit order that takes what there is within the collar and rests never: so the permit bounds what it can cost. */
export async function decideTaking(place: OrderPlace, size: OrderSize, bounds: PriceBounds): Promise<OrderWish> {
  const now = await marketNow(place, bounds.max_price_age);
  return takingWish(place, size, { ...now, percent: bounds.max_slippage_percent });
}

export interface MarketNow {
  readonly fresh: FreshPrice;
  readonly market: Market;
  readonly percent: string;
}

export function takingWish(place: OrderPlace, size: OrderSize, now: MarketNow): OrderWish {
  const { last } = now.fresh.ticker;
  const worst_price = collar(last, place.side, now);
  // So that neither spends more than the amount: a buy at the collar, a sell of what is worth it now.
  const quantity = quantityOf(size, place.side === 'buy' ? worst_price : last, now.market);
  const order = { type: 'limit', quantity, price: worst_price, time_in_force: 'ioc' } as const;
  return checked(place, { order, worst_price }, now);
}

export interface LimitTerms extends OrderSize {
  readonly price: string;
  /** On the safe side. */
  readonly round_price: boolean;
  readonly time_in_force: TimeInForce;
  readonly max_price_age: number | string;
}

export async function decideLimit(place: OrderPlace, terms: LimitTerms): Promise<OrderWish> {
  const { time_in_force, max_price_age, round_price } = terms;
  const now = await marketNow(place, max_price_age);
  const price = round_price ? quantizePrice(terms.price, place.side, now.market) : terms.price;
  const quantity = quantityOf(terms, price, now.market);
  return checked(place, { order: { type: 'limit', quantity, price, time_in_force }, worst_price: price }, now);
}

export interface StopTerms extends PriceBounds {
  readonly quantity: string;
  readonly stop_price: string;
}

/** The permit counts it at its collar; once it has begun to work it takes any price. */
export async function decideStop(place: OrderPlace, terms: StopTerms): Promise<OrderWish> {
  const { quantity, stop_price, max_slippage_percent: percent, max_price_age } = terms;
  const now = await marketNow(place, max_price_age);
  const worst_price = collar(stop_price, place.side, { percent, market: now.market });
  return checked(place, { order: { type: 'stop', quantity, stop_price }, worst_price }, now);
}

export async function marketNow({ venue, trading, symbol }: OrderPlace, max_age: number | string) {
  const [fresh, market] = await Promise.all([
    freshPrice(venue, symbol, max_age),
    trading.market(symbol),
    trading.ready?.(),
  ]);
  return { fresh, market };
}

/** Given as a quantity it is taken as it is; an amount is brought onto the market's grid. */
function quantityOf({ quantity, quote_amount = '0' }: OrderSize, price: string, market: Market): string {
  if (quantity !== undefined) return quantity;
  return quantizeQuantity(formatDecimal(divideDown(decimal(quote_amount), decimal(price))), market);
}

/** Throws `InvalidInput` and `OrderRejected` for what neither desk nor venue is to be asked. */
function checked(place: OrderPlace, terms: Terms, now: Pick<MarketNow, 'fresh' | 'market'>): OrderWish {
  const { leg, symbol, side } = place;
  const { last } = now.fresh.ticker;
  const order = { ...terms.order, symbol, side };
  const problem = orderProblem({ ...order, client_order_id: leg }, now.market, last);
  if (problem !== undefined) throw new HoldfastError(problem.code, problem.message, { symbol, side });
  const market = { price: last, age_ms: now.fresh.age_ms };
  return { ...refOf(place), order, worst_price: terms.worst_price, market };
}
