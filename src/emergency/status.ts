/** What the desk says of itself to people, gates and executions. */
import { present } from '../json';
import { decimal, formatDecimal, type Decimal } from '../money';
import { grantsWithin } from './admission';
import { bookOf, zoneOf } from './books';
import { JUDGED, usedOf, utilization, type JudgedLimit } from './breaches';
import { equityNow, withDayTurned } from './equity';
import type { Bot, Cause, EmergencyState, LimitName, Scope } from './model';
import { GLOBAL, mostSevere, permissionsOf } from './scopes';
import { scopeState, standingOf } from './standing';
import {
  entry,
  exact,
  exposureOf,
  openDraft,
  type DeskState,
  type Draft,
  type OpenPermit,
  type Standing,
} from './state';

/** The status travels in one message; it lists the oldest open permits and the counts of all. */
const MOST_LISTED = 200;

export interface LimitStatus {
  readonly limit: LimitName;
  readonly allowed: string;
  /** Absent for what is judged order by order: notional, collar and age of the price. */
  readonly used?: string;
  /** `0.8` is 80 percent. */
  readonly utilization?: string;
}

export interface ScopeStatus {
  readonly scope: Scope;
  /** Of its own causes. */
  readonly state: EmergencyState;
  /** With `global` taken into account. */
  readonly effective_state: EmergencyState;
  readonly can_trade: boolean;
  readonly can_operate: boolean;
  /** Of its latest change; zero while it is normal. */
  readonly epoch: number;
  readonly causes: readonly Cause[];
  readonly halted_at?: number;
  readonly sealed_at?: number;
  readonly awaits_approval_until?: number;
  readonly auto_halt?: boolean;
  readonly limits: readonly LimitStatus[];
  readonly reserved: string;
  readonly held: string;
  readonly open_orders: number;
  /** Increasing permits whose order may still be accepted by a venue. */
  readonly unsettled: number;
  /** Of the latest trading day with fills: before fees, and the fees. */
  readonly realized?: string;
  readonly fees?: string;
  readonly equity?: string;
  /** What the trading day began with. */
  readonly day_start_equity?: string;
  readonly high_water_mark?: string;
}

export interface PermitStatus extends OpenPermit {
  readonly permit_id: string;
}

export interface DeskStatus {
  readonly desk_id: string;
  readonly currency: string;
  readonly time_zone: string;
  readonly epoch: number;
  readonly clock: number;
  /** Of `global`, which holds for all. */
  readonly state: EmergencyState;
  readonly can_trade: boolean;
  readonly can_operate: boolean;
  /** `global` first, then every scope that is not normal, has limits, holds, reserves or earned something. */
  readonly scopes: readonly ScopeStatus[];
  /** It began anew, and nothing is sealed before: until then an order may come that the desk before it permitted. */
  readonly blind_until?: number;
  readonly bots: readonly Bot[];
  readonly open_permits: { readonly count: number; readonly unknown: number; readonly listed: readonly PermitStatus[] };
}

/** Pure; `now` only tells which trading day it is. */
export function statusOf(state: DeskState, now: number): DeskStatus {
  const draft = openDraft(state, now);
  const { desk_id, currency, time_zone, epoch, clock, blind_until = 0 } = draft.desk;
  const global = scopeState(draft, GLOBAL);
  return {
    ...{ desk_id, currency, time_zone, epoch, clock, state: global },
    ...permissionsOf(global),
    scopes: knownScopes(draft).map((scope) => scopeStatus(draft, scope)),
    ...(blind_until > clock ? { blind_until } : {}),
    bots: Object.values(state.bots),
    open_permits: permitsOf(state),
  };
}

/** The state that holds for what belongs to several scopes: the most severe of them. */
export function effectiveState(status: DeskStatus, scopes: readonly Scope[]): EmergencyState {
  const concerned = status.scopes.filter(({ scope }) => scope === GLOBAL || scopes.includes(scope));
  return mostSevere(concerned.map(({ state }) => state));
}

function knownScopes({ desk }: Draft): readonly Scope[] {
  const bots = Object.keys(desk.bots).map((id) => `bot:${id}`);
  const tables = [desk.scopes, desk.limits, desk.exposures, desk.books].flatMap((table) => Object.keys(table));
  return [...new Set([GLOBAL, ...[...tables, ...bots].sort()])];
}

function scopeStatus(draft: Draft, scope: Scope): ScopeStatus {
  const standing = standingOf(draft, scope);
  const state = scopeState(draft, scope);
  const effective_state = mostSevere([state, scopeState(draft, GLOBAL)]);
  const { reserved, held, open, unsettled } = exposureOf(draft, scope);
  const limits = entry(draft.desk.limits, scope);
  return {
    ...{ scope, state, effective_state },
    ...permissionsOf(effective_state),
    ...{ epoch: standing?.epoch ?? 0, causes: standing?.causes ?? [] },
    limits: Object.entries(limits?.values ?? {}).map(([limit, allowed]) =>
      limitStatus(draft, scope, limit as LimitName, decimal(allowed)),
    ),
    ...{ reserved: exact(reserved), held: exact(held), open_orders: open, unsettled },
    ...present({ auto_halt: limits?.auto_halt }),
    ...closing(standing),
    ...earnings(draft, scope),
  };
}

function closing(standing: Standing | undefined) {
  if (standing === undefined) return {};
  const { halted_at, sealed_at, pending } = standing;
  return present({ halted_at, sealed_at, awaits_approval_until: pending?.until });
}

function earnings(draft: Draft, scope: Scope) {
  const { days, equity } = withDayTurned(bookOf(draft, scope), zoneOf(draft, scope), draft.desk.clock);
  return present({
    realized: days[0]?.realized,
    fees: days[0]?.fees,
    equity: equity === undefined ? undefined : formatDecimal(equityNow(equity)),
    day_start_equity: equity?.opening.equity,
    high_water_mark: equity?.high_water,
  });
}

function limitStatus(draft: Draft, scope: Scope, limit: LimitName, allowed: Decimal): LimitStatus {
  const used = measured(draft, scope, limit);
  if (used === undefined) return { limit, allowed: exact(allowed) };
  return {
    limit,
    allowed: exact(allowed),
    used: exact(used),
    utilization: formatDecimal(utilization(used, allowed), 4),
  };
}

function measured(draft: Draft, scope: Scope, limit: LimitName): Decimal | undefined {
  const isJudged = (name: LimitName): name is JudgedLimit => JUDGED.some((judged) => judged === name);
  if (isJudged(limit)) return usedOf(draft, scope, limit);
  const { open, grants } = exposureOf(draft, scope);
  if (limit === 'max_open_orders') return decimal(String(open));
  if (limit !== 'order_rate') return undefined;
  return decimal(String(grantsWithin(grants, draft.desk.clock).reduce((sum, [, count]) => sum + count, 0)));
}

function permitsOf({ permits }: DeskState): DeskStatus['open_permits'] {
  const all = Object.entries(permits).map(([permit_id, permit]) => ({ permit_id, ...permit }));
  const listed = all.sort((a, b) => a.at - b.at).slice(0, MOST_LISTED);
  return { count: all.length, unknown: all.filter(({ unknown }) => unknown === true).length, listed };
}
