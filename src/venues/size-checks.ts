/** What can be known to be wrong with an order before anybody is asked, and how amounts are brought onto a market's grid. Pure. */
import type { ErrorCode } from '../errors';
import { decimal, formatDecimal, isDecimal, type Decimal } from '../money';
import type { Market, OrderSide, VenueOrderDraft } from './venue';

export interface OrderProblem {
  /** `InvalidInput`: no venue would take it; `OrderRejected`: this market would refuse it. */
  readonly code: Extract<ErrorCode, 'InvalidInput' | 'OrderRejected'>;
  /** One sentence. */
  readonly message: string;
}

/**
 * `reference`: the price a market order is expected to trade at; of other orders their own counts. Undefined when nothing is known to be
 * wrong, which is not yet a yes of the venue.
 */
export function orderProblem(draft: VenueOrderDraft, market: Market, reference?: string): OrderProblem | undefined {
  const { quantity } = draft;
  return (
    shapeProblem(draft) ??
    amountProblem('quantity', quantity) ??
    pricesProblem(draft, market, reference) ??
    gridProblem('quantity', quantity, { name: 'step', step: market.quantity_step }) ??
    leastProblem(draft, market, reference)
  );
}

/** The largest quantity the market takes that is not above this one; "0" when it is below one step. */
export function quantizeQuantity(quantity: string, { quantity_step }: Pick<Market, 'quantity_step'>): string {
  return formatDecimal(floorTo(decimal(quantity), decimal(quantity_step)));
}

/** The next price of the market on the safe side: a buy pays no more than this one, a sell gets no less. */
export function quantizePrice(price: string, side: OrderSide, { price_tick }: Pick<Market, 'price_tick'>): string {
  const [exact, tick] = [decimal(price), decimal(price_tick)];
  const below = floorTo(exact, tick);
  return formatDecimal(side === 'buy' || below.eq(exact) ? below : below.plus(tick));
}

function shapeProblem({ type, price, stop_price, symbol }: VenueOrderDraft): OrderProblem | undefined {
  if ((type === 'limit') !== (price !== undefined)) {
    return invalid(type === 'limit' ? `A limit order for ${symbol} needs a price.` : `A ${type} order has no price.`);
  }
  if ((type === 'stop') === (stop_price !== undefined)) return undefined;
  return invalid(
    type === 'stop' ? `A stop order for ${symbol} needs a stop price.` : `A ${type} order has no stop price.`,
  );
}

function pricesProblem(
  { price, stop_price }: VenueOrderDraft,
  { price_tick }: Market,
  reference?: string,
): OrderProblem | undefined {
  const grid = { name: 'tick', step: price_tick };
  for (const [name, value] of [
    ['price', price],
    ['stop price', stop_price],
  ] as const) {
    if (value === undefined) continue;
    const problem = amountProblem(name, value) ?? gridProblem(name, value, grid);
    if (problem !== undefined) return problem;
  }
  return reference === undefined ? undefined : amountProblem('reference price', reference);
}

function amountProblem(name: string, value: string): OrderProblem | undefined {
  if (!isDecimal(value)) return invalid(`The ${name} ${JSON.stringify(value)} is no decimal number.`);
  return decimal(value).gt('0') ? undefined : invalid(`The ${name} must be above zero, not ${value}.`);
}

function gridProblem(
  name: string,
  value: string,
  { name: grid, step }: { readonly name: string; readonly step: string },
) {
  const size = decimal(step);
  if (size.eq('0') || decimal(value).mod(size).eq('0')) return undefined;
  return rejected(`The ${name} ${value} is no multiple of the market’s ${grid} ${step}.`);
}

function leastProblem(draft: VenueOrderDraft, market: Market, reference?: string): OrderProblem | undefined {
  const { quantity } = draft;
  const { min_quantity, min_notional, quote, symbol } = market;
  if (decimal(quantity).lt(decimal(min_quantity))) {
    return rejected(`The quantity ${quantity} is below the least of ${symbol}, ${min_quantity}.`);
  }
  const price = draft.price ?? draft.stop_price ?? reference;
  if (price === undefined) return undefined;
  const notional = decimal(quantity).times(decimal(price));
  if (notional.gte(decimal(min_notional))) return undefined;
  return rejected(
    `The order is worth ${formatDecimal(notional)} ${quote}, below the least of ${symbol}, ${min_notional} ${quote}.`,
  );
}

function floorTo(value: Decimal, step: Decimal): Decimal {
  return step.eq('0') ? value : value.minus(value.mod(step));
}

function invalid(message: string): OrderProblem {
  return { code: 'InvalidInput', message };
}

function rejected(message: string): OrderProblem {
  return { code: 'OrderRejected', message };
}
