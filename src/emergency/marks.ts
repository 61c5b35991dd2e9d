/** What scopes are worth and what their positions are valued with. */
import { decimal } from '../money';
import { bookOf, bookOfToday, keepBook, zoneOf } from './books';
import { judge } from './breaches';
import { withDrift, withMark } from './equity';
import { readCurrency, readDecimal, readId, readInstant, readPositive, refuse, sourceOf } from './fields';
import type { Mark, PriceMark, Scope } from './model';
import { holdingAfter, keepPosition } from './positions';
import { botOf, isScope, scopesOf } from './scopes';
import { entry, type Draft, type Holding, type Position } from './state';

/** Throws `InvalidInput`. */
export function readMark(value: unknown): Mark {
  const source = sourceOf(value, 'a mark', 'InvalidInput');
  const { scope } = source.members;
  if (!isScope(scope)) return refuse('UnknownScope', 'a mark names a scope');
  return {
    scope,
    at: readInstant(source, 'at'),
    equity: readDecimal(source, 'equity'),
    currency: readCurrency(source, 'currency'),
  };
}

/** Throws `InvalidInput`. */
export function readPriceMark(value: unknown): PriceMark {
  const source = sourceOf(value, 'a price', 'InvalidInput');
  return {
    venue: readId(source, 'venue'),
    symbol: readId(source, 'symbol'),
    price: readPositive(source, 'price'),
    at: readInstant(source, 'at'),
  };
}

/** Throws `WrongCurrency`, and `UnknownScope` for a bot that is not registered. */
export function recordMark(draft: Draft, { scope, at, equity, currency }: Mark): void {
  const { desk } = draft;
  if (currency !== desk.currency)
    refuse('WrongCurrency', `a mark in ${currency}, and the desk counts in ${desk.currency}`);
  const bot = botOf(scope);
  if (bot !== undefined && entry(desk.bots, bot) === undefined) refuse('UnknownScope', `${scope} is not registered`);
  // A clock that is ahead would hide every mark until it is reached.
  const mark = { at: Math.min(at, desk.clock), equity };
  keepBook(draft, scope, withMark(bookOf(draft, scope), zoneOf(draft, scope), mark, desk.clock));
  judge(draft, scope);
}

/** Values every position in the symbol; an older price than the one it is valued with changes nothing. */
export function recordPrice(draft: Draft, given: PriceMark): void {
  const mark = { ...given, at: Math.min(given.at, draft.desk.clock) };
  const touched = new Set<Scope>();
  for (const [instrument, position] of Object.entries(draft.desk.positions)) {
    const isMeant = position.venue === mark.venue && position.symbol === mark.symbol && mark.at >= position.price_at;
    if (isMeant) for (const scope of revalue(draft, instrument, position, mark)) touched.add(scope);
  }
  for (const scope of touched) judge(draft, scope);
}

function revalue(draft: Draft, instrument: string, position: Position, { price, at }: PriceMark): readonly Scope[] {
  const valued = (holding: Holding) => holdingAfter(holding, decimal('0'), decimal(price));
  const parts = Object.entries(position.parts).map(([scope, part]) => [scope, valued(part)] as const);
  const holders: readonly (readonly [Scope, Holding])[] = [
    ...scopesOf(position).map((scope) => [scope, position] as const),
    ...parts,
  ];
  const moved = decimal(price).minus(decimal(position.price));
  for (const [scope, { quantity }] of holders) {
    keepBook(draft, scope, withDrift(bookOfToday(draft, scope), at, decimal(quantity).times(moved)));
  }
  const after = { ...position, ...valued(position), price, price_at: at, parts: Object.fromEntries(parts) };
  keepPosition(draft, instrument, position, after);
  return holders.map(([scope]) => scope);
}
