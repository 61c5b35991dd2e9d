/**
 * Limits that are judged by what happened, not by what is asked for: past one, the scope halts. `approaching` begins at 80 percent.
 * Exactly at the limit is within, but for `consecutive_losses`, which counts how many are too many.
 */
import { decimal, formatDecimal, type Decimal } from '../money';
import { wholeNumber } from '../whole-number';
import { bookOf, bookOfToday, keepBook } from './books';
import { dailyLoss, drawdownPercent, realizedLoss, withHighWater } from './equity';
import type { LimitName, Scope } from './model';
import { raise, standingOf } from './standing';
import { entry, exact, exposureOf, type Draft, type Level } from './state';

export const JUDGED = ['daily_loss', 'max_drawdown_percent', 'max_position_notional', 'consecutive_losses'] as const;
export type JudgedLimit = (typeof JUDGED)[number];

const APPROACHING = '0.8';
/** Of what is allowed. Past it nobody is told of every further tenth, and a number would not hold it. */
const MOST_TENTHS = decimal('1000000000');

interface Judgement {
  readonly scope: Scope;
  readonly limit: JudgedLimit;
  readonly used: Decimal;
  readonly allowed: Decimal;
}

export function usedOf(draft: Draft, scope: Scope, limit: JudgedLimit): Decimal {
  const book = bookOfToday(draft, scope);
  switch (limit) {
    case 'daily_loss':
      return dailyLoss(book, draft.desk.clock);
    case 'max_drawdown_percent':
      return drawdownPercent(book);
    case 'max_position_notional':
      return committed(draft, scope);
    case 'consecutive_losses':
      return decimal(String(book.losses));
  }
}

/** Held and reserved. */
export function committed(draft: Draft, scope: Scope): Decimal {
  const { held, reserved } = exposureOf(draft, scope);
  return held.plus(reserved);
}

export function allowedBy({ desk }: Draft, scope: Scope, limit: LimitName): Decimal | undefined {
  const value = entry(desk.limits, scope)?.values[limit];
  return value === undefined ? undefined : decimal(value);
}

/** As a part of what is allowed: `0.8` is 80 percent. All of a limit of zero is used as soon as anything is. */
export function utilization(used: Decimal, allowed: Decimal): Decimal {
  if (allowed.gt('0')) return used.div(allowed);
  return decimal(used.gt('0') ? '1' : '0');
}

export function breachedLimits(draft: Draft, scope: Scope): readonly JudgedLimit[] {
  return judgements(draft, scope, JUDGED)
    .filter(isBreached)
    .map(({ limit }) => limit);
}

/** Raises what is breached or approached anew, in the same step. */
export function judge(draft: Draft, scope: Scope, limits: readonly JudgedLimit[] = JUDGED): void {
  keepTurnedBook(draft, scope);
  for (const judgement of judgements(draft, scope, limits)) judgeOne(draft, judgement);
}

/** A fill that arrives late counts on its own day. Had it been known then, that day's halt would still hold: halts outlast midnight. */
export function judgeEarlierDay(draft: Draft, scope: Scope, at: number): void {
  const book = bookOf(draft, scope);
  const allowed = allowedBy(draft, scope, 'daily_loss');
  if (allowed === undefined || book.equity !== undefined) return;
  const judgement = { scope, limit: 'daily_loss', used: realizedLoss(book, at), allowed } as const;
  if (isBreached(judgement)) exceed(draft, judgement);
}

function judgements(draft: Draft, scope: Scope, limits: readonly JudgedLimit[]): readonly Judgement[] {
  return limits.flatMap((limit) => {
    const allowed = allowedBy(draft, scope, limit);
    return allowed === undefined ? [] : [{ scope, limit, used: usedOf(draft, scope, limit), allowed }];
  });
}

function keepTurnedBook(draft: Draft, scope: Scope): void {
  if (entry(draft.desk.books, scope) !== undefined) keepBook(draft, scope, withHighWater(bookOfToday(draft, scope)));
}

function isBreached({ limit, used, allowed }: Judgement): boolean {
  return limit === 'consecutive_losses' ? used.gte(allowed) : used.gt(allowed);
}

function levelOf(judgement: Judgement): Level {
  const { used, allowed } = judgement;
  const tenths = wholeNumber(least(utilization(used, allowed).times('10'), MOST_TENTHS).round(0, 0).toFixed());
  if (isBreached(judgement)) return { level: 'exceeded', tenths };
  const isNear = used.gt('0') && used.gte(allowed.times(APPROACHING));
  return { level: isNear ? 'approaching' : 'below', tenths };
}

function least(a: Decimal, b: Decimal): Decimal {
  return a.lt(b) ? a : b;
}

function judgeOne(draft: Draft, judgement: Judgement): void {
  const { scope, limit } = judgement;
  const now = levelOf(judgement);
  const book = bookOf(draft, scope);
  const before = book.levels[limit] ?? { level: 'below', tenths: 0 };
  if (now.level !== before.level || now.tenths !== before.tenths) {
    keepBook(draft, scope, { ...book, levels: { ...book.levels, [limit]: now } });
  }
  if (!isNews(draft, { judgement, before, now })) {
    if (before.tenths !== now.tenths) publish(draft, judgement, 'update');
  } else if (now.level === 'exceeded') exceed(draft, judgement);
  else approach(draft, judgement);
}

interface Turn {
  readonly judgement: Judgement;
  readonly before: Level;
  readonly now: Level;
}

function isNews(draft: Draft, { judgement, before, now }: Turn): boolean {
  if (now.level === 'approaching') return before.level === 'below';
  return now.level === 'exceeded' && (before.level !== 'exceeded' || !isHalted(draft, judgement));
}

/** With `auto_halt` off nothing halts, so there is nothing to repeat either. */
function isHalted(draft: Draft, { scope, limit }: Judgement): boolean {
  if (entry(draft.desk.limits, scope)?.auto_halt === false) return true;
  const cause = standingOf(draft, scope)?.causes.find(({ id }) => id === `limit:${limit}`);
  return cause !== undefined && cause.state !== 'alert';
}

function exceed(draft: Draft, judgement: Judgement): void {
  const halts = entry(draft.desk.limits, judgement.scope)?.auto_halt === true;
  raiseLimit(draft, judgement, halts ? 'halt' : 'alert');
  publish(draft, judgement, 'exceeded');
}

function approach(draft: Draft, judgement: Judgement): void {
  raiseLimit(draft, judgement, 'alert');
  publish(draft, judgement, 'approaching');
}

function raiseLimit(draft: Draft, judgement: Judgement, state: 'alert' | 'halt'): void {
  const { scope, limit, used, allowed } = judgement;
  const reason = `${limit} of ${scope}: ${money(used)} of ${money(allowed)}`;
  raise(draft, { scope, state, cause: `limit:${limit}`, reason, actor: 'desk' });
  const { clock: at, epoch } = draft.desk;
  draft.effects.push({
    kind: 'audit',
    at,
    action: state,
    actor: 'desk',
    scope,
    reason,
    epoch,
    outcome: 'ok',
    body: '',
  });
}

function publish(
  draft: Draft,
  { scope, limit, used, allowed }: Judgement,
  level: 'update' | 'approaching' | 'exceeded',
): void {
  draft.effects.push({
    kind: 'limit',
    level,
    scope,
    limit,
    used: exact(used),
    allowed: exact(allowed),
    utilization: formatDecimal(utilization(used, allowed), 4),
    epoch: draft.desk.epoch,
  });
}

function money(value: Decimal): string {
  return formatDecimal(value, 8);
}
