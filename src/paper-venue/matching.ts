/** Who trades with the recorded market, at what price and how much. Pure. */
import { divideDown, type Decimal } from '../money';
import type { Bar, Depth, Level, Market } from './market';
import type { Order, Side } from './orders';
import { remainingOf } from './orders';
import { floorTo, least, ZERO } from './steps';

/** How far an order may go. */
export interface Reach {
  readonly quantity?: Decimal | undefined;
  /** The most it may pay, in quote currency. */
  readonly budget?: Decimal | undefined;
  /** The worst price. */
  readonly limit?: Decimal | undefined;
}

/** What it takes of the levels that stand against it, best first. */
export function take(side: Side, levels: readonly Level[], reach: Reach, step: Decimal): readonly Level[] {
  const taken: Level[] = [];
  let { quantity, budget } = reach;
  for (const level of levels) {
    if (reach.limit !== undefined && isWorse(side, level.price, reach.limit)) break;
    const within =
      budget === undefined ? level.quantity : least(level.quantity, floorTo(divideDown(budget, level.price), step));
    const part = quantity === undefined ? within : least(within, quantity);
    if (part.lte('0')) break;
    taken.push({ price: level.price, quantity: part });
    quantity = quantity?.minus(part);
    budget = budget?.minus(part.times(level.price));
  }
  return taken;
}

/** The side of the book an order trades with. */
export function against(side: Side, depth: Depth): readonly Level[] {
  return side === 'BUY' ? depth.asks : depth.bids;
}

function isWorse(side: Side, price: Decimal, limit: Decimal): boolean {
  return side === 'BUY' ? price.gt(limit) : price.lt(limit);
}

/** A bar that has just closed, and what is quoted since. */
export interface Step {
  readonly bar: Bar;
  /** Whether all of the bar came after the order did; else only its end says something about the order. */
  readonly isWholeFor: (order: Order) => boolean;
  readonly depth: Depth;
}

/**
 * Whether a resting order had its turn: the bar traded through its price, or the quote has come to it. Of a bar that had already opened
 * when the order came, only the end counts: what it traded before is not the order's.
 */
export function isReached(order: Order, step: Step): boolean {
  const { price, accepted } = order;
  if (price === undefined) return false;
  const [best] = against(accepted.side, step.depth);
  if (best !== undefined && !isWorse(accepted.side, best.price, price)) return true;
  if (!step.isWholeFor(order)) return false;
  return accepted.side === 'BUY' ? step.bar.low.lt(price) : step.bar.high.gt(price);
}

/** Whether the stop price of a waiting order has come. */
export function isTriggered(order: Order, { bar, isWholeFor }: Step): boolean {
  const { stop_price, accepted } = order;
  if (stop_price === undefined) return false;
  const whole = isWholeFor(order);
  return accepted.side === 'BUY'
    ? (whole ? bar.high : bar.close).gte(stop_price)
    : (whole ? bar.low : bar.close).lte(stop_price);
}

/**
 * What resting orders get of one bar: together no more than `share` of what it traded, each side for itself, best price first and then the
 * oldest. Orders of several accounts stand in the same queue; they never trade with each other.
 */
export function shareOut(
  orders: readonly Order[],
  step: Step,
  share: Decimal,
  market: Pick<Market, 'step'>,
): readonly { readonly order: Order; readonly quantity: Decimal }[] {
  const pool = floorTo(step.bar.volume.times(share), market.step);
  return (['BUY', 'SELL'] as const).flatMap((side) => {
    let left = pool;
    const queue = orders.filter((order) => order.accepted.side === side && isReached(order, step)).sort(byPriority);
    return queue.flatMap((order) => {
      const quantity = least(left, remainingOf(order));
      left = left.minus(quantity);
      return quantity.gt('0') ? [{ order, quantity }] : [];
    });
  });
}

function byPriority(a: Order, b: Order): number {
  const difference = (a.price ?? ZERO).cmp(b.price ?? ZERO);
  const better = a.accepted.side === 'BUY' ? -difference : difference;
  return better === 0 ? a.accepted.order_id - b.accepted.order_id : better;
}
