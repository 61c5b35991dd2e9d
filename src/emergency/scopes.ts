/** What can be halted and limited, and how severe that is. */
import { isId } from './fields';
import type { EmergencyState, Scope } from './model';

export const GLOBAL: Scope = 'global';

/** What stands before the colon of a scope; `global` has none. */
export const SCOPE_KINDS: readonly string[] = ['venue', 'bot', 'strategy', 'symbol'];
const FROM_MILD_TO_SEVERE: readonly EmergencyState[] = ['normal', 'alert', 'halt', 'shutdown'];

/** What an order is for; every scope of it is judged. */
export interface Parties {
  readonly venue: string;
  readonly symbol: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
}

export function scopesOf({ venue, symbol, bot_id, strategy_id }: Parties): readonly Scope[] {
  const scopes = [GLOBAL, `venue:${venue}`, `symbol:${symbol}`];
  if (bot_id !== undefined) scopes.push(`bot:${bot_id}`);
  if (strategy_id !== undefined) scopes.push(`strategy:${strategy_id}`);
  return scopes;
}

/** The scopes that hold less than the whole account does: a position of theirs is counted apart. */
export function partScopesOf({
  bot_id,
  strategy_id,
}: Partial<Record<'bot_id' | 'strategy_id', string | undefined>>): readonly Scope[] {
  return [
    ...(bot_id === undefined ? [] : [`bot:${bot_id}`]),
    ...(strategy_id === undefined ? [] : [`strategy:${strategy_id}`]),
  ];
}

/** Whether it is written like a scope; whether its bot is registered is the desk's to say. */
export function isScope(value: unknown): value is Scope {
  if (typeof value !== 'string') return false;
  const colon = value.indexOf(':');
  return value === GLOBAL || (SCOPE_KINDS.includes(value.slice(0, colon)) && isId(value.slice(colon + 1)));
}

/** The id of a bot's scope, undefined for any other scope. */
export function botOf(scope: Scope): string | undefined {
  return scope.startsWith('bot:') ? scope.slice('bot:'.length) : undefined;
}

/** Greater is more severe. */
export function severity(state: EmergencyState): number {
  return FROM_MILD_TO_SEVERE.indexOf(state);
}

/** `normal` when there is none. */
export function mostSevere<T extends EmergencyState>(states: readonly T[]): T | 'normal' {
  return states.reduce<T | 'normal'>((worst, state) => (severity(state) > severity(worst) ? state : worst), 'normal');
}

/** `can_trade`: new executions and increasing orders; `can_operate`: reducing orders of `on_halt` and operators. */
export function permissionsOf(state: EmergencyState): { readonly can_trade: boolean; readonly can_operate: boolean } {
  return { can_trade: severity(state) < severity('halt'), can_operate: state !== 'shutdown' };
}
