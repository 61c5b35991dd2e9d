/**
 * What a scope earned, lost and is worth.
 *
 * Equity now is the last mark, plus money paid in since, plus what fills and prices made of it since: a loss counts with its fill and
 * need not wait for the next mark. The day opens with the last mark at or before its midnight and what was made of it since; until there
 * is one, with the first that is known. The high-water mark is moved by money paid in and out, so neither hides a loss nor feigns one.
 */
import { decimal, formatDecimal, type Decimal } from '../money';
import type { Book, DayBook, EquityBook, EquityMark, Movement } from './state';
import { isWithin, tradingDayOf } from './trading-day';

/** Late fills find their day among these. */
const MOST_DAYS = 5;
const MOST_FLOWS = 64;
const MOST_DRIFT = 16;

export const EMPTY_BOOK: Book = { days: [], losses: 0, levels: {} };

export interface Result {
  readonly at: number;
  /** Before fees. */
  readonly realized: Decimal;
  readonly fees: Decimal;
}

/** Counts on the day it happened; one that ended too many days ago counts on none. */
export function withResult(book: Book, zone: string, { at, realized, fees }: Result): Book {
  const day = book.days.find((each) => isWithin(each, at)) ?? { ...tradingDayOf(at, zone), realized: '0', fees: '0' };
  const counted: DayBook = {
    ...day,
    realized: money(decimal(day.realized).plus(realized)),
    fees: money(decimal(day.fees).plus(fees)),
  };
  const days = [counted, ...book.days.filter((each) => each !== day)].sort((a, b) => b.starts - a.starts);
  return { ...book, days: days.slice(0, MOST_DAYS) };
}

export function withMark(book: Book, zone: string, mark: EquityMark, now: number): Book {
  if (book.equity === undefined) return { ...book, equity: firstEquity(mark, tradingDayOf(now, zone)) };
  const equity = turned(book.equity, zone, now);
  const isLatest = mark.at >= equity.mark.at;
  const worth = decimal(mark.equity).plus(since(equity.flows, mark.at));
  return {
    ...book,
    equity: {
      ...equity,
      mark: isLatest ? mark : equity.mark,
      opening: opensBetter(equity, mark) ? mark : equity.opening,
      high_water: worth.gt(decimal(equity.high_water)) ? money(worth) : equity.high_water,
      drift: isLatest ? equity.drift.filter(([at]) => at > mark.at) : equity.drift,
    },
  };
}

/** Without a mark there is nothing to move. */
export function withFlow(book: Book, zone: string, amount: string, now: number): Book {
  if (book.equity === undefined) return book;
  const equity = turned(book.equity, zone, now);
  const at = Math.max(now, equity.mark.at + 1);
  const high_water = money(decimal(equity.high_water).plus(decimal(amount)));
  return {
    ...book,
    equity: { ...equity, high_water, flows: folded([...equity.flows, [at, amount]], MOST_FLOWS, equity.mark.at) },
  };
}

/** What is older than the mark is in it. */
export function withDrift(book: Book, at: number, amount: Decimal): Book {
  if (book.equity === undefined || at <= book.equity.mark.at || amount.eq('0')) return book;
  const drift = folded([...book.equity.drift, [at, money(amount)]], MOST_DRIFT, book.equity.mark.at);
  return { ...book, equity: { ...book.equity, drift } };
}

export function withDayTurned(book: Book, zone: string, now: number): Book {
  if (book.equity === undefined || now < book.equity.day.ends) return book;
  return { ...book, equity: turned(book.equity, zone, now) };
}

/** To be called once all that an input made of it is in. */
export function withHighWater(book: Book): Book {
  if (book.equity === undefined) return book;
  const worth = equityNow(book.equity);
  return worth.gt(decimal(book.equity.high_water))
    ? { ...book, equity: { ...book.equity, high_water: money(worth) } }
    : book;
}

export function equityNow({ mark, flows, drift }: EquityBook): Decimal {
  return decimal(mark.equity).plus(since(flows, mark.at)).plus(since(drift, mark.at));
}

/**
 * A positive amount, zero for a profit. With marks it is what equity fell since the day opened; without them, what the day's fills lost,
 * fees included. While no mark at or before midnight is known, the worse of both.
 */
export function dailyLoss(book: Book, now: number): Decimal {
  const { equity } = book;
  if (equity === undefined) return realizedLoss(book, now);
  const { opening, flows, day } = equity;
  const fallen = notNegative(decimal(opening.equity).plus(since(flows, opening.at)).minus(equityNow(equity)));
  return opening.at <= day.starts ? fallen : worse(fallen, realizedLoss(book, now));
}

/** Of the day that `at` is in. */
export function realizedLoss({ days }: Book, at: number): Decimal {
  const day = days.find((each) => isWithin(each, at));
  return day === undefined ? decimal('0') : notNegative(decimal(day.fees).minus(decimal(day.realized)));
}

/** Below the high-water mark, in percent of it. Without a mark it is not known and none. */
export function drawdownPercent({ equity }: Book): Decimal {
  if (equity === undefined) return decimal('0');
  const high = decimal(equity.high_water);
  const fallen = notNegative(high.minus(equityNow(equity)));
  if (fallen.eq('0')) return fallen;
  return high.gt('0') ? fallen.times('100').div(high) : decimal('100');
}

function firstEquity(mark: EquityMark, day: EquityBook['day']): EquityBook {
  return { mark, day, opening: mark, high_water: mark.equity, flows: [], drift: [] };
}

/** What fills and prices made of it after the mark and before midnight is no result of the new day: a profit would hide its losses. */
function turned(equity: EquityBook, zone: string, now: number): EquityBook {
  if (now < equity.day.ends) return equity;
  const { mark, flows, drift } = equity;
  const day = tradingDayOf(now, zone);
  const before = drift.filter(([at]) => at <= day.starts);
  const opening = { at: mark.at, equity: money(decimal(mark.equity).plus(since(before, mark.at))) };
  return { ...equity, day, opening, flows: flows.filter(([at]) => at > mark.at) };
}

/** The last at or before midnight; of those after it, the first. A repeat says nothing of what came between it and midnight. */
function opensBetter({ opening, day, mark: known }: EquityBook, mark: EquityMark): boolean {
  if (mark.at === known.at && mark.equity === known.equity) return false;
  const isLate = opening.at > day.starts;
  if (mark.at > day.starts) return isLate && mark.at < opening.at;
  return isLate || mark.at >= opening.at;
}

function since(movements: readonly Movement[], moment: number): Decimal {
  return movements.reduce((sum, [at, amount]) => (at > moment ? sum.plus(decimal(amount)) : sum), decimal('0'));
}

/** Beyond the bound the two oldest on the same side of the mark become one, as of the later. */
function folded(movements: readonly Movement[], most: number, marked: number): readonly Movement[] {
  if (movements.length <= most) return movements;
  const pair = movements.findIndex(([at], n) => at > marked === (movements[n + 1]?.[0] ?? at) > marked);
  const joined = movements.slice(pair, pair + 2);
  const sum = joined.reduce((total, [, amount]) => total.plus(decimal(amount)), decimal('0'));
  const last = Math.max(...joined.map(([at]) => at));
  return [...movements.slice(0, pair), [last, money(sum)], ...movements.slice(pair + 2)];
}

function worse(a: Decimal, b: Decimal): Decimal {
  return a.gt(b) ? a : b;
}

function notNegative(value: Decimal): Decimal {
  return worse(value, decimal('0'));
}

function money(value: Decimal): string {
  return formatDecimal(value);
}
