/** Limits as the form has them: texts by name, an empty one for no limit. Whether one is a decimal is the desk's to say. Pure. */
import { amount, percent } from '../format';
import type { DeskScope, LimitStatus } from '../wire';

/** Every limit the desk knows, in words. */
export const LIMITS = [
  ['daily_loss', 'Loss of a day'],
  ['max_drawdown_percent', 'Drawdown, in percent'],
  ['max_position_notional', 'Worth of what is held'],
  ['max_order_notional', 'Worth of one order'],
  ['max_open_orders', 'Open orders'],
  ['order_rate', 'Orders within a minute'],
  ['consecutive_losses', 'Losses in a row'],
  ['price_collar_percent', 'Distance from the price, in percent'],
  ['max_price_age', 'Age of the price, in seconds'],
] as const;

export type LimitTexts = Readonly<Record<string, string>>;

export interface LimitDraft {
  readonly texts: LimitTexts;
  /** Whether a breach halts the scope. */
  readonly auto_halt: boolean;
}

/** A scope the desk does not list has no limits, and would halt at a breach. */
export function draftOf(scope: DeskScope | undefined): LimitDraft {
  const set = new Map(scope?.limits.map(({ limit, allowed }) => [limit, allowed]));
  return {
    texts: Object.fromEntries(LIMITS.map(([name]) => [name, set.get(name) ?? ''])),
    auto_halt: scope?.auto_halt ?? true,
  };
}

export interface LimitChanges {
  /** `null` takes one away; what is not changed is not named, so what somebody else set meanwhile stays. */
  readonly limits: Readonly<Record<string, string | null>>;
  readonly auto_halt?: boolean;
  readonly words: readonly string[];
}

export function changesOf(seen: LimitDraft, draft: LimitDraft): LimitChanges {
  const changed = Object.entries(draft.texts)
    .map(([name, text]) => ({ name, from: seen.texts[name] ?? '', to: text.trim() }))
    .filter(({ from, to }) => from !== to);
  const halts = draft.auto_halt === seen.auto_halt ? [] : [`halts at a breach: ${draft.auto_halt ? 'yes' : 'no'}`];
  return {
    limits: Object.fromEntries(changed.map(({ name, to }) => [name, to === '' ? null : to])),
    ...(halts.length === 0 ? {} : { auto_halt: draft.auto_halt }),
    words: [...changed.map(({ name, from, to }) => `${name}: ${from || 'none'} → ${to || 'none'}`), ...halts],
  };
}

export function isSame(a: LimitDraft, b: LimitDraft): boolean {
  return changesOf(a, b).words.length === 0;
}

/** Beside a field: what holds now, and how far it is used. */
export function standingOf(limit: LimitStatus | undefined): string {
  if (limit === undefined) return 'not set';
  const { allowed, used, utilization } = limit;
  const part = used === undefined || utilization === undefined ? 'judged per order' : usedWords(used, utilization);
  return `now ${amount(allowed)}, ${part}`;
}

function usedWords(used: string, utilization: string): string {
  return `${amount(used)} used (${percent(utilization)})`;
}
