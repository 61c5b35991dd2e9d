/** What scopes earned, are worth and hold, and the positions that make it, for people. Pure. */
import { present } from '../json';
import { decimal, formatDecimal, type Decimal } from '../money';
import { bookOf, zoneOf } from './books';
import { committed } from './breaches';
import { drawdownPercent, equityNow, withDayTurned } from './equity';
import type { Scope } from './model';
import { GLOBAL, scopesOf } from './scopes';
import { entry, exact, openDraft, type DeskState, type Draft, type Position } from './state';

export interface ScopeFigures {
  readonly scope: Scope;
  /** Of the latest trading day with fills: before fees, and the fees. */
  readonly realized: string;
  readonly fees: string;
  /** What is held, at the latest price, against what it cost on average in its account. */
  readonly unrealized: string;
  /** Held and reserved. */
  readonly exposure: string;
  /** Absent without a mark or a starting equity. */
  readonly equity?: string;
  readonly high_water?: string;
  readonly drawdown_percent?: string;
}

export interface PositionFigures {
  readonly account: string;
  readonly venue: string;
  readonly symbol: string;
  /** Positive for long. */
  readonly quantity: string;
  /** What the whole quantity was bought or sold short for. */
  readonly cost: string;
  readonly price: string;
  readonly price_at: number;
  readonly notional: string;
  readonly unrealized: string;
  /** What bots and strategies hold of it. */
  readonly parts: readonly PartFigures[];
}

export interface PartFigures {
  readonly scope: Scope;
  readonly quantity: string;
  readonly notional: string;
  readonly unrealized: string;
}

export interface DeskFigures {
  readonly desk_id: string;
  readonly currency: string;
  readonly clock: number;
  /** `global`, and each bot, strategy, venue and symbol that earned, is worth or holds something. */
  readonly scopes: readonly ScopeFigures[];
  readonly positions: readonly PositionFigures[];
}

/** `now` only tells which trading day it is. */
export function figuresOf(state: DeskState, now: number): DeskFigures {
  const draft = openDraft(state, now);
  const positions = Object.entries(state.positions).map(([instrument, position]) => positionOf(instrument, position));
  const unrealized = unrealizedByScope(positions);
  const { desk_id, currency, clock } = draft.desk;
  const scopes = new Set([GLOBAL, ...Object.keys(state.books), ...Object.keys(state.exposures)]);
  return {
    ...{ desk_id, currency, clock, positions },
    scopes: [...scopes].map((scope) => scopeOf(draft, scope, unrealized.get(scope))),
  };
}

function scopeOf(draft: Draft, scope: Scope, unrealized = decimal('0')): ScopeFigures {
  const book = withDayTurned(bookOf(draft, scope), zoneOf(draft, scope), draft.desk.clock);
  const { equity } = book;
  const worth = equity && {
    equity: formatDecimal(equityNow(equity)),
    high_water: equity.high_water,
    drawdown_percent: formatDecimal(drawdownPercent(book), 4),
  };
  const [day] = book.days;
  return {
    ...{ scope, realized: day?.realized ?? '0', fees: day?.fees ?? '0' },
    ...{ unrealized: formatDecimal(unrealized), exposure: exact(committed(draft, scope)) },
    ...present(worth ?? {}),
  };
}

function positionOf(instrument: string, position: Position): PositionFigures {
  const { venue, symbol, quantity, cost, price, price_at, notional, parts } = position;
  // Ids hold no blanks.
  const account = instrument.split(' ')[1] ?? '';
  const gain = gainPerUnit(position);
  return {
    ...{ account, venue, symbol, quantity, cost, price, price_at, notional },
    unrealized: formatDecimal(decimal(quantity).times(gain)),
    parts: Object.keys(parts)
      .sort()
      .flatMap((scope) => {
        const part = entry(parts, scope);
        if (part === undefined) return [];
        const worth = formatDecimal(decimal(part.quantity).times(gain));
        return [{ scope, quantity: part.quantity, notional: part.notional, unrealized: worth }];
      }),
  };
}

/** By the average cost of the whole account, as results are realised by it too; nothing where all that is held cancels out. */
function gainPerUnit({ quantity, cost, price }: Position): Decimal {
  const held = decimal(quantity).abs();
  return held.eq('0') ? decimal('0') : decimal(price).minus(decimal(cost).div(held));
}

function unrealizedByScope(positions: readonly PositionFigures[]): ReadonlyMap<Scope, Decimal> {
  const sums = new Map<Scope, Decimal>();
  const add = (scope: Scope, amount: string) =>
    sums.set(scope, (sums.get(scope) ?? decimal('0')).plus(decimal(amount)));
  for (const position of positions) {
    for (const scope of scopesOf(position)) add(scope, position.unrealized);
    for (const { scope, unrealized } of position.parts) add(scope, unrealized);
  }
  return sums;
}
