/** How a scope becomes more and less severe. Every change takes the next epoch, also a raise of what is as severe already. */
import { present } from '../json';
import { stateOf, withCause } from './causes';
import type { Cause, EmergencyState, Scope } from './model';
import { GLOBAL, permissionsOf } from './scopes';
import { entry, exposureOf, nextEpoch, put, remove, type Draft, type Standing } from './state';

/** Scopes that are not normal at once. What is raised beyond is raised for `global`: too wide is safe, forgotten is not. */
export const MOST_STANDINGS = 500;

export interface Raise {
  readonly scope: Scope;
  readonly state: Cause['state'];
  readonly cause: string;
  readonly reason: string;
  readonly actor: string;
  readonly cancel_open?: boolean;
  readonly cancel_stops?: boolean;
}

export function standingOf({ desk }: Draft, scope: Scope): Standing | undefined {
  return entry(desk.scopes, scope);
}

export function scopeState(draft: Draft, scope: Scope): EmergencyState {
  return stateOf(standingOf(draft, scope)?.causes ?? []);
}

/** Returns the scope it was raised for. */
export function raise(draft: Draft, { cause, state, reason, actor, ...wanted }: Raise): Scope {
  const scope = roomFor(draft, wanted.scope);
  const before = standingOf(draft, scope);
  const raised = { id: cause, state, reason, actor, since: draft.desk.clock, epoch: nextEpoch(draft) };
  const causes = withCause(before?.causes ?? [], raised);
  setCauses(draft, scope, causes);
  publish(draft, scope, {
    previous: stateOf(before?.causes ?? []),
    reason,
    actor,
    ...present({ cancel_open: wanted.cancel_open, cancel_stops: wanted.cancel_stops }),
  });
  sealIfQuiet(draft, scope);
  return scope;
}

/** Leaves the causes that are given. */
export function lower(
  draft: Draft,
  scope: Scope,
  left: readonly Cause[],
  said: { readonly reason: string; readonly actor: string },
): void {
  const previous = scopeState(draft, scope);
  nextEpoch(draft);
  setCauses(draft, scope, left);
  publish(draft, scope, { previous, ...said });
}

/** A halt is sealed once no increasing order of its scope can be accepted by a venue any more. */
export function sealIfQuiet(draft: Draft, scope: Scope): void {
  const standing = standingOf(draft, scope);
  if (standing?.halted_at === undefined || standing.sealed_at !== undefined) return;
  if (exposureOf(draft, scope).unsettled > 0 || draft.desk.clock < (draft.desk.blind_until ?? 0)) return;
  const at = draft.desk.clock;
  put(draft, 'scopes', scope, { ...standing, sealed_at: at });
  const { epoch, halted_at } = standing;
  draft.effects.push({ kind: 'sealed', scope, state: scopeState(draft, scope), epoch, halted_at, at });
}

/** What was sealed may not be, for permits were forgotten. */
export function unseal(draft: Draft, scope: Scope): void {
  const standing = standingOf(draft, scope);
  if (standing?.sealed_at === undefined) return;
  const { sealed_at, ...open } = standing;
  put(draft, 'scopes', scope, open);
}

function roomFor({ desk }: Draft, scope: Scope): Scope {
  const isFull = Object.keys(desk.scopes).length >= MOST_STANDINGS;
  return isFull && entry(desk.scopes, scope) === undefined ? GLOBAL : scope;
}

/** A resume that waits for a second person is void as soon as anything changes. */
function setCauses(draft: Draft, scope: Scope, causes: readonly Cause[]): void {
  const { clock, epoch } = draft.desk;
  if (causes.length === 0) {
    remove(draft, 'scopes', scope);
    return;
  }
  const before = standingOf(draft, scope);
  const closed = present({ halted_at: before?.halted_at ?? clock, sealed_at: before?.sealed_at });
  const isClosed = !permissionsOf(stateOf(causes)).can_trade;
  put(draft, 'scopes', scope, { causes, epoch, ...(isClosed ? closed : {}) });
}

interface Change {
  readonly previous: EmergencyState;
  readonly reason: string;
  readonly actor: string;
  readonly cancel_open?: boolean;
  readonly cancel_stops?: boolean;
}

function publish(draft: Draft, scope: Scope, change: Change): void {
  draft.effects.push({
    kind: 'state_changed',
    scope,
    state: scopeState(draft, scope),
    epoch: draft.desk.epoch,
    ...change,
  });
}
