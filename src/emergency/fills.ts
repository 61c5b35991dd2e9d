/** What orders filled: reports are cumulative, so a repeat, and one that was overtaken, change nothing. */
import { present } from '../json';
import { decimal, formatDecimal, type Decimal } from '../money';
import { bookOf, bookOfToday, keepBook, zoneOf } from './books';
import { judge, judgeEarlierDay } from './breaches';
import { withDrift, withResult } from './equity';
import {
  readAmount,
  readCurrency,
  readDecimal,
  readFlag,
  readId,
  readInstant,
  readOneOf,
  readOptionalId,
  readProduct,
  refuse,
  sourceOf,
} from './fields';
import { find, withAll, type Bounds } from './forgetting';
import type { Fill } from './model';
import {
  costAfter,
  holdingAfter,
  instrumentOf,
  keepPosition,
  newPosition,
  NO_HOLDING,
  realizedBy,
  signed,
  type Trade,
} from './positions';
import { noteUnpermitted, orderIdOf } from './order-facts';
import { recordPermitFill, settleAll } from './reservations';
import { partScopesOf, scopesOf } from './scopes';
import { entry, type Draft, type Holding, type OrderSoFar, type Position } from './state';
import { isWithin } from './trading-day';

/** Orders whose last report is remembered. */
export const ORDER_BOUNDS: Bounds = { groups: 4, size: 500 };

type BeforeFill = Pick<OrderSoFar, 'quantity' | 'notional' | 'fees' | 'judged' | 'realized'>;

const NOT_FILLED: BeforeFill = { quantity: '0', notional: '0', fees: '0', judged: false };

/** Throws `InvalidInput`. */
export function readFill(value: unknown): Fill {
  const source = sourceOf(value, 'a fill', 'InvalidInput');
  return {
    order_id: readId(source, 'order_id'),
    account: readId(source, 'account'),
    venue: readId(source, 'venue'),
    symbol: readId(source, 'symbol'),
    side: readOneOf(source, 'side', ['buy', 'sell']),
    filled_quantity: readAmount(source, 'filled_quantity'),
    filled_notional: readProduct(source, 'filled_notional'),
    fees: readDecimal(source, 'fees'),
    currency: readCurrency(source, 'currency'),
    at: readInstant(source, 'at'),
    ...present({
      permit_id: readOptionalId(source, 'permit_id'),
      bot_id: readOptionalId(source, 'bot_id'),
      strategy_id: readOptionalId(source, 'strategy_id'),
      ended: readFlag(source, 'ended'),
    }),
  };
}

/**
 * Moves position, exposure, reservation and books, judges the limits of every scope of the order, and ends its permit where the order has
 * ended: also where its fills were known before. Throws `WrongCurrency`;
 * `StaleInput` for a report so old that its order may have been forgotten, which would count it twice; `InvalidInput` for one that
 * contradicts an earlier one.
 */
export function recordFill(draft: Draft, given: Fill): void {
  recordParts(draft, given);
  const { permit_id, filled_quantity, ended = false } = given;
  if (ended && permit_id !== undefined) settleAll(draft, [{ permit_id, outcome: 'closed', filled_quantity }]);
}

function recordParts(draft: Draft, given: Fill): void {
  if (given.currency !== draft.desk.currency)
    refuse('WrongCurrency', `a fill in ${given.currency}, and the desk counts in ${draft.desk.currency}`);
  // A venue's clock that is ahead would open tomorrow's book.
  const fill = { ...given, at: Math.min(given.at, draft.desk.clock) };
  const instrument = instrumentOf(fill.account, fill);
  const before = orderBefore(draft, fill, instrument);
  const part = partSince(before, fill);
  if (part === undefined) return;
  const realized = book(draft, fill, { instrument, part });
  const net = realized?.minus(part.fees) ?? decimal('0');
  const order: OrderSoFar = {
    instrument,
    side: fill.side,
    quantity: fill.filled_quantity,
    notional: fill.filled_notional,
    fees: fill.fees,
    at: fill.at,
    judged: before.judged || !net.eq('0'),
    ...present({ realized: realizedSoFar(before, realized) }),
  };
  if (!before.judged) countResult(draft, fill, net);
  keepOrder(draft, fill.order_id, order);
  const hasPermit = fill.permit_id !== undefined && recordPermitFill(draft, fill.permit_id, fill);
  if (!hasPermit) noteUnpermitted(draft, fill, order);
  judgeFill(draft, fill, instrument);
}

interface Part {
  readonly quantity: Decimal;
  readonly notional: Decimal;
  readonly fees: Decimal;
}

function orderBefore({ desk }: Draft, fill: Fill, instrument: string): BeforeFill {
  const known = find(desk.orders, fill.order_id);
  if (known === undefined) {
    if (fill.at > desk.orders_forgotten_until || isPermitted(desk, fill)) return NOT_FILLED;
    return refuse('StaleInput', `order ${fill.order_id} is too old to tell whether this fill was recorded before`);
  }
  if (known.instrument === instrument && known.side === fill.side) return known;
  return refuse('InvalidInput', `order ${fill.order_id} is a ${known.side} of ${known.instrument}`);
}

/** Its permit is open, so whatever was reported of it would be remembered. */
function isPermitted({ permits }: Draft['desk'], { permit_id, order_id }: Fill): boolean {
  const permit = permit_id === undefined ? undefined : entry(permits, permit_id);
  return permit_id !== undefined && permit !== undefined && orderIdOf(permit_id, permit) === order_id;
}

/** What came on top; undefined for a report that says nothing new. */
function partSince(before: BeforeFill, fill: Fill): Part | undefined {
  const part = {
    quantity: decimal(fill.filled_quantity).minus(decimal(before.quantity)),
    notional: decimal(fill.filled_notional).minus(decimal(before.notional)),
    fees: decimal(fill.fees).minus(decimal(before.fees)),
  };
  if (part.quantity.lt('0') || isRepeat(part)) return undefined;
  const isPriced = part.quantity.gt('0') ? part.notional.gt('0') : part.notional.eq('0');
  return isPriced
    ? part
    : refuse('InvalidInput', `filled_notional of order ${fill.order_id} does not grow with its quantity`);
}

function isRepeat({ quantity, notional, fees }: Part): boolean {
  return quantity.eq('0') && notional.eq('0') && fees.eq('0');
}

interface Booking {
  readonly instrument: string;
  readonly part: Part;
}

function realizedSoFar({ realized }: BeforeFill, more: Decimal | undefined): string | undefined {
  return more === undefined ? realized : formatDecimal(decimal(realized ?? '0').plus(more));
}

/** Returns what the part realised, before fees; undefined when it only opened. */
function book(draft: Draft, fill: Fill, { instrument, part }: Booking): Decimal | undefined {
  if (part.quantity.eq('0')) {
    bookResult(draft, fill, { realized: decimal('0'), fees: part.fees });
    return undefined;
  }
  const price = part.notional.div(part.quantity);
  const before = entry(draft.desk.positions, instrument);
  const trade: Trade = { side: fill.side, quantity: part.quantity, notional: part.notional, price };
  const position = before ?? newPosition(fill, price, fill.at);
  const realized = realizedBy(position, trade);
  const after = positionAfter(position, { fill, trade });
  bookDrift(draft, fill, { before: position, after, trade });
  keepPosition(draft, instrument, before, after);
  bookResult(draft, fill, { realized, fees: part.fees });
  const closesSomething = decimal(position.quantity).times(signed(trade)).lt('0');
  return closesSomething ? realized : undefined;
}

function positionAfter(position: Position, { fill, trade }: { readonly fill: Fill; readonly trade: Trade }): Position {
  const isNewer = fill.at >= position.price_at;
  const price = isNewer ? trade.price : decimal(position.price);
  const valued = (holding: Holding, change: Decimal) => holdingAfter(holding, change, price);
  const parts = Object.entries(position.parts).map(([scope, part]) => [scope, valued(part, decimal('0'))] as const);
  const own = partScopesOf(fill).map(
    (scope) => [scope, valued(entry(position.parts, scope) ?? NO_HOLDING, signed(trade))] as const,
  );
  return {
    ...position,
    ...valued(position, signed(trade)),
    cost: formatDecimal(costAfter(position, trade)),
    price: formatDecimal(price),
    price_at: Math.max(fill.at, position.price_at),
    parts: Object.fromEntries([...parts, ...own]),
  };
}

/** What the price of a position that was held made of equity, and what the trade made of it against that price. */
function bookDrift(
  draft: Draft,
  fill: Fill,
  { before, after, trade }: { readonly before: Position; readonly after: Position; readonly trade: Trade },
): void {
  const moved = decimal(after.price).minus(decimal(before.price));
  const traded = signed(trade).times(decimal(after.price).minus(trade.price));
  const own = scopesOf(fill);
  for (const scope of new Set([...own, ...Object.keys(before.parts)])) {
    const held = decimal(
      (scope.startsWith('bot:') || scope.startsWith('strategy:') ? (entry(before.parts, scope) ?? NO_HOLDING) : before)
        .quantity,
    );
    const drift = held.times(moved).plus(own.includes(scope) ? traded : decimal('0'));
    keepBook(draft, scope, withDrift(bookOfToday(draft, scope), fill.at, drift));
  }
}

function bookResult(draft: Draft, fill: Fill, result: { readonly realized: Decimal; readonly fees: Decimal }): void {
  for (const scope of scopesOf(fill)) {
    const drifted = withDrift(bookOfToday(draft, scope), fill.at, result.fees.neg());
    keepBook(draft, scope, withResult(drifted, zoneOf(draft, scope), { at: fill.at, ...result }));
  }
}

/** An order counts once, as what its first part that closed something came to. */
function countResult(draft: Draft, fill: Fill, net: Decimal): void {
  if (net.eq('0')) return;
  for (const scope of scopesOf(fill)) {
    const known = bookOf(draft, scope);
    keepBook(draft, scope, { ...known, losses: net.lt('0') ? known.losses + 1 : 0 });
  }
}

/**
 * Those whose permits are open are not forgotten: an order may rest for longer than thousands of others take, and its next report would count
 * anew what it had filled before. They are a group of their own behind the others.
 */
function keepOrder({ desk }: Draft, orderId: string, order: OrderSoFar): void {
  const grown = withAll(desk.orders, { [orderId]: order }, ORDER_BOUNDS);
  const isFull = desk.orders.length >= ORDER_BOUNDS.groups && grown[1] === desk.orders[0];
  const dropped = isFull ? desk.orders.slice(ORDER_BOUNDS.groups - 1).flatMap((group) => Object.entries(group)) : [];
  const open = dropped.length === 0 ? new Set<string>() : openOrderIds(desk);
  const kept = dropped.filter(([id]) => open.has(id) && find(grown, id) === undefined);
  const forgotten = dropped.filter(([id]) => !open.has(id)).map(([, { at }]) => at);
  desk.orders_forgotten_until = Math.max(desk.orders_forgotten_until, ...forgotten);
  desk.orders = kept.length === 0 ? grown : [...grown, Object.fromEntries(kept)];
}

function openOrderIds({ permits }: Draft['desk']): ReadonlySet<string> {
  return new Set(Object.entries(permits).map(([permitId, permit]) => orderIdOf(permitId, permit)));
}

/** Its price values what other bots and strategies hold of the symbol, too. */
function judgeFill(draft: Draft, fill: Fill, instrument: string): void {
  const others = Object.keys(entry(draft.desk.positions, instrument)?.parts ?? {});
  for (const scope of new Set([...scopesOf(fill), ...others])) {
    const day = bookOf(draft, scope).days.find((each) => isWithin(each, draft.desk.clock));
    if (day === undefined || fill.at < day.starts) judgeEarlierDay(draft, scope, fill.at);
    judge(draft, scope);
  }
}
