/** The limits there are, and what they may be set to. Amounts are in the desk's currency. */
import { hasField, readAmount, readCount, refuse, sourceOf } from './fields';
import type { LimitName, Limits } from './model';
import type { ScopeLimits } from './state';

/** What `global` is held to before anybody has said otherwise. */
export const DEFAULT_LIMITS: Readonly<Partial<Record<LimitName, string>>> = {
  daily_loss: '500',
  max_position_notional: '10000',
  max_drawdown_percent: '20',
};

const READERS: Readonly<Record<LimitName, typeof readAmount>> = {
  daily_loss: readAmount,
  max_order_notional: readAmount,
  max_position_notional: readAmount,
  max_drawdown_percent: readAmount,
  max_open_orders: readCount,
  order_rate: readCount,
  price_collar_percent: readAmount,
  consecutive_losses: readCount,
  max_price_age: readAmount,
};

const isLimitName = (name: string): name is LimitName => Object.hasOwn(READERS, name);

/** Throws `BadRequest` for a name or value that is none. */
export function readLimits(value: unknown): Limits {
  const source = sourceOf(value, 'limits', 'BadRequest');
  const names = Object.keys(source.members).filter((name) => hasField(source, name));
  return Object.fromEntries(
    names.map((name) => {
      if (!isLimitName(name)) return refuse('BadRequest', `there is no limit ${name.slice(0, 100)}`);
      return [name, source.members[name] === null ? null : READERS[name](source, name)];
    }),
  );
}

export function withLimits(known: ScopeLimits | undefined, limits: Limits, autoHalt: boolean | undefined): ScopeLimits {
  const values = Object.entries({ ...known?.values, ...limits }).filter(([, value]) => value !== null);
  return { values: Object.fromEntries(values), auto_halt: autoHalt ?? known?.auto_halt ?? true };
}
