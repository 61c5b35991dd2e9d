/**
 * Confirmed positions, by average cost. The symbol of an account at a venue is one position; bots and strategies hold parts of it, which
 * may even be opposed to one another.
 */
import { decimal, formatDecimal, type Decimal } from '../money';
import { exposureOf, put, remove, type Draft, type Holding, type Position } from './state';
import { partScopesOf, scopesOf, type Parties } from './scopes';

export type Side = 'buy' | 'sell';

export interface Trade {
  readonly side: Side;
  readonly quantity: Decimal;
  /** Price · quantity, as it was reported. */
  readonly notional: Decimal;
  /** Of one unit, rounded where it has no end. */
  readonly price: Decimal;
}

export const NO_HOLDING: Holding = { quantity: '0', notional: '0', buy: '0', sell: '0' };

export function instrumentOf(account: string, { venue, symbol }: Parties): string {
  return [venue, account, symbol].join(' ');
}

export function newPosition({ venue, symbol }: Parties, price: Decimal, at: number): Position {
  return { ...NO_HOLDING, venue, symbol, cost: '0', price: formatDecimal(price), price_at: at, parts: {} };
}

export function signed({ side, quantity }: Trade): Decimal {
  return side === 'buy' ? quantity : quantity.neg();
}

/** What a trade realises against the position before it, before fees: nothing when it adds to it. */
export function realizedBy(position: Position, trade: Trade): Decimal {
  const held = decimal(position.quantity);
  if (!opposes(held, trade)) return decimal('0');
  const closed = least(held.abs(), trade.quantity);
  const cost = shareOf(decimal(position.cost), closed, held.abs());
  const notional = shareOf(trade.notional, closed, trade.quantity);
  return held.gt('0') ? notional.minus(cost) : cost.minus(notional);
}

/**
 * What the whole quantity cost after a trade; what a flip leaves over was opened at the trade's price. What is closed takes its share, so
 * that costs and results always add up to what was paid and received.
 */
export function costAfter(position: Position, trade: Trade): Decimal {
  const [held, cost] = [decimal(position.quantity), decimal(position.cost)];
  if (!opposes(held, trade)) return cost.plus(trade.notional);
  const closed = least(held.abs(), trade.quantity);
  return closed.eq(trade.quantity)
    ? cost.minus(shareOf(cost, closed, held.abs()))
    : trade.notional.minus(shareOf(trade.notional, closed, trade.quantity));
}

/** What a part of a quantity came to, of what the whole did; the whole is not divided. */
function shareOf(amount: Decimal, part: Decimal, whole: Decimal): Decimal {
  return part.eq(whole) ? amount : amount.times(part).div(whole);
}

/** The quantity after a trade, valued at a price. */
export function holdingAfter(holding: Holding, change: Decimal, price: Decimal): Holding {
  const quantity = decimal(holding.quantity).plus(change);
  return { ...holding, quantity: formatDecimal(quantity), notional: formatDecimal(quantity.abs().times(price)) };
}

/** Whether a side takes from what is held. */
export function opposes(held: Decimal, { side }: { readonly side: Side }): boolean {
  return side === 'sell' ? held.gt('0') : held.lt('0');
}

/** What open permits leave to reduce on a side; zero when the side would add. */
export function reducible(holding: Holding | undefined, side: Side): Decimal {
  const held = decimal(holding?.quantity ?? '0');
  if (holding === undefined || !opposes(held, { side })) return decimal('0');
  return held.abs().minus(decimal(holding[side]));
}

/** Positive takes, negative gives back. */
export function withReducing(holding: Holding, side: Side, change: Decimal): Holding {
  return { ...holding, [side]: formatDecimal(decimal(holding[side]).plus(change)) };
}

/** Replaces a position and moves the held exposure of every scope that it is in. */
export function keepPosition(draft: Draft, instrument: string, before: Position | undefined, after: Position): void {
  for (const scope of scopesOf(after)) moveHeld(draft, scope, before, after);
  for (const [scope, part] of Object.entries(after.parts)) moveHeld(draft, scope, before?.parts[scope], part);
  const parts = Object.fromEntries(Object.entries(after.parts).filter(([, part]) => !isEmpty(part)));
  if (isEmpty(after) && Object.keys(parts).length === 0) {
    if (before !== undefined) remove(draft, 'positions', instrument);
  } else put(draft, 'positions', instrument, { ...after, parts });
}

/** Takes a quantity from what else may be reduced, or gives it back, in the account and in the parts it belongs to. */
export function moveReducing(position: Position, parties: Parties, side: Side, change: Decimal): Position {
  const scopes = partScopesOf(parties);
  const parts = scopes.map(
    (scope) => [scope, withReducing(position.parts[scope] ?? NO_HOLDING, side, change)] as const,
  );
  const { quantity, notional, buy, sell } = withReducing(position, side, change);
  return { ...position, quantity, notional, buy, sell, parts: { ...position.parts, ...Object.fromEntries(parts) } };
}

function moveHeld(draft: Draft, scope: string, before: Holding | undefined, after: Holding): void {
  if (before?.notional === after.notional) return;
  const exposure = exposureOf(draft, scope);
  exposure.held = exposure.held.minus(decimal(before?.notional ?? '0')).plus(decimal(after.notional));
}

function isEmpty({ quantity, buy, sell }: Holding): boolean {
  return [quantity, buy, sell].every((value) => decimal(value).eq('0'));
}

function least(a: Decimal, b: Decimal): Decimal {
  return a.lt(b) ? a : b;
}
