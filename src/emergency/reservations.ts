/** What open permits hold back: exposure when they increase, a part of the position when they reduce. */
import { isObject } from '../json';
import { decimal, type Decimal } from '../money';
import { readAmount, readId, readOneOf, refuse, sourceOf } from './fields';
import { withAll, type Bounds } from './forgetting';
import type { Fill, Settlement } from './model';
import { noteEnd, noteOrder, orderIdOf, type Ending } from './order-facts';
import { instrumentOf, keepPosition, moveReducing } from './positions';
import { scopesOf } from './scopes';
import { entry, exact, exposureOf, put, remove, type Draft, type OpenPermit } from './state';

/**
 * Ended permits whose ids are remembered, so that none is granted twice. A request is sent again within its deadline of half a second;
 * these are those of the last seconds at the highest rate that was measured. Open permits are remembered however old.
 */
export const ENDED_BOUNDS: Bounds = { groups: 12, size: 500 };

export function reserve(draft: Draft, permitId: string, permit: OpenPermit): void {
  hold(draft, permit, decimal(permit.quantity));
  countOpen(draft, permit, { open: 1, unsettled: 1 });
  put(draft, 'permits', permitId, permit);
  noteOrder(draft, permitId, 'granted');
}

/**
 * The part that was filled is held now and reserved no more, in the same scopes: throws `InvalidInput` for a fill of another order than
 * the permit is for, which would free the exposure of a scope that then holds it. Returns whether the permit was open.
 */
export function recordPermitFill(draft: Draft, permitId: string, fill: Fill): boolean {
  const permit = entry(draft.desk.permits, permitId);
  if (permit === undefined) return false;
  if (!isOfOrder(permit, fill)) refuse('InvalidInput', `permit ${permitId} is for another order`);
  const known = orderIdOf(permitId, permit) === fill.order_id ? permit : { ...permit, order_id: fill.order_id };
  if (known !== permit) put(draft, 'permits', permitId, known);
  noteOrder(draft, permitId, 'filled');
  const filled = least(decimal(fill.filled_quantity), decimal(permit.quantity));
  const more = filled.minus(decimal(permit.filled));
  if (more.gt('0')) fillReservation(draft, permitId, known, { filled, more });
  return true;
}

function fillReservation(
  draft: Draft,
  permitId: string,
  permit: OpenPermit,
  { filled, more }: { readonly filled: Decimal; readonly more: Decimal },
): void {
  hold(draft, permit, more.neg());
  const now: OpenPermit = { ...permit, filled: exact(filled) };
  put(draft, 'permits', permitId, now);
  if (permit.status === 'granted') setStatus(draft, permitId, 'acknowledged');
  if (permit.status === 'closed' && filled.eq(decimal(permit.quantity))) {
    end(draft, new Map([[permitId, { permit: now, ending: 'closed' }]]));
  }
}

/** Unreadable ones change nothing: the reservation stays, which is safe. Returns what was wrong with them. */
export function settleAll(draft: Draft, settlements: readonly unknown[]): readonly unknown[] {
  const ended = new Map<string, Ended>();
  const mistakes: unknown[] = [];
  for (const value of settlements) {
    try {
      settle(draft, readSettlement(value), ended);
    } catch (error) {
      mistakes.push(error);
    }
  }
  end(draft, ended);
  return mistakes;
}

interface Ended {
  readonly permit: OpenPermit;
  readonly ending: Ending;
}

function isOfOrder(permit: OpenPermit, fill: Fill): boolean {
  const isSame = permit.instrument === instrumentOf(fill.account, fill) && permit.side === fill.side;
  return isSame && permit.bot_id === fill.bot_id && permit.strategy_id === fill.strategy_id;
}

const OUTCOMES = ['acknowledged', 'unknown', 'fenced', 'unused', 'rejected', 'closed'] as const;

function readSettlement(value: unknown): Settlement {
  const source = sourceOf(value, 'a settlement', 'InvalidInput');
  const outcome = readOneOf(source, 'outcome', OUTCOMES);
  const permit_id = readId(source, 'permit_id');
  const isFilled = isObject(value) && value['filled_quantity'] !== undefined;
  return isFilled
    ? { permit_id, outcome, filled_quantity: readAmount(source, 'filled_quantity') }
    : { permit_id, outcome };
}

function settle(draft: Draft, { permit_id, outcome, filled_quantity }: Settlement, ended: Map<string, Ended>): void {
  const permit = entry(draft.desk.permits, permit_id);
  if (permit === undefined || ended.has(permit_id)) return;
  assertConsistent(permit, permit_id, outcome);
  if (outcome === 'unknown') {
    if (UNCLEAR.includes(permit.status)) setUnknown(draft, permit_id, true);
    return;
  }
  if (outcome === 'fenced') {
    advance(draft, permit_id, ['granted'], 'fenced');
    return;
  }
  setUnknown(draft, permit_id, false);
  if (outcome === 'acknowledged') {
    advance(draft, permit_id, ['granted', 'fenced'], 'acknowledged');
    return;
  }
  const awaited = least(decimal(filled_quantity ?? '0'), decimal(permit.quantity));
  if (outcome === 'closed' && awaited.gt(decimal(permit.filled))) {
    awaitFills(draft, permit_id, awaited);
    return;
  }
  ended.set(permit_id, { permit, ending: outcome });
}

/** Whether the venue has its order is not settled. */
const UNCLEAR: readonly OpenPermit['status'][] = ['granted', 'fenced'];

/** An order whose end nobody knows keeps its whole reservation. */
function setUnknown(draft: Draft, permitId: string, isUnknown: boolean): void {
  const permit = entry(draft.desk.permits, permitId);
  if (permit === undefined || (permit.unknown ?? false) === isUnknown) return;
  const { unknown, ...known } = permit;
  put(draft, 'permits', permitId, isUnknown ? { ...known, unknown: true } : known);
  if (isUnknown) noteOrder(draft, permitId, 'unknown');
  // A fill has shown that the venue has it, and only now is nothing of it unknown.
  else if (permit.status === 'acknowledged') noteOrder(draft, permitId, 'acknowledged');
  const count = (entry(draft.desk.unproven, permit.instrument) ?? 0) + (unknown === undefined ? 1 : -1);
  if (count === 0) remove(draft, 'unproven', permit.instrument);
  else put(draft, 'unproven', permit.instrument, count);
}

/** A sweeper that thinks an order was never sent may be overtaken by the worker that sent it; the reservation stays. */
function assertConsistent({ status }: OpenPermit, permitId: string, outcome: Settlement['outcome']): void {
  const isUsed = status === 'acknowledged' || status === 'closed';
  const contradicts = outcome === 'unused' ? isUsed : outcome === 'rejected' && status === 'closed';
  if (contradicts) refuse('InvalidInput', `permit ${permitId} cannot be ${outcome}: it is ${status}`);
}

function advance(
  draft: Draft,
  permitId: string,
  from: readonly OpenPermit['status'][],
  to: OpenPermit['status'],
): void {
  const permit = entry(draft.desk.permits, permitId);
  if (permit !== undefined && from.includes(permit.status)) setStatus(draft, permitId, to);
}

/** The order has ended, and only what it is said to have filled stays reserved. */
function awaitFills(draft: Draft, permitId: string, awaited: Decimal): void {
  setStatus(draft, permitId, 'closed');
  const permit = entry(draft.desk.permits, permitId);
  if (permit === undefined) return;
  hold(draft, permit, awaited.minus(decimal(permit.quantity)));
  const { ordered = permit.quantity } = permit;
  put(draft, 'permits', permitId, { ...permit, quantity: exact(awaited), ordered });
}

function setStatus(draft: Draft, permitId: string, status: OpenPermit['status']): void {
  const permit = entry(draft.desk.permits, permitId);
  if (permit === undefined || permit.status === status) return;
  if (permit.status === 'granted') countOpen(draft, permit, { open: 0, unsettled: -1 });
  put(draft, 'permits', permitId, { ...permit, status });
  if (status !== 'granted') noteOrder(draft, permitId, status === 'closed' ? 'ended' : status);
}

function end(draft: Draft, permits: ReadonlyMap<string, Ended>): void {
  if (permits.size === 0) return;
  for (const [permitId, { permit, ending }] of permits) {
    hold(draft, permit, decimal(permit.filled).minus(decimal(permit.quantity)));
    countOpen(draft, permit, { open: -1, unsettled: permit.status === 'granted' ? -1 : 0 });
    remove(draft, 'permits', permitId);
    noteEnd(draft, permitId, permit, ending);
  }
  const ids = Object.fromEntries([...permits.keys()].map((permitId) => [permitId, 1 as const]));
  draft.desk.ended = withAll(draft.desk.ended, ids, ENDED_BOUNDS);
}

/** Moves what is held back by a quantity of the permit, up or down. */
function hold(draft: Draft, permit: OpenPermit, quantity: Decimal): void {
  if (permit.reduces) {
    holdPosition(draft, permit, quantity);
    return;
  }
  const notional = quantity.times(decimal(permit.counted_at ?? permit.price));
  for (const scope of scopesOf(permit)) {
    const exposure = exposureOf(draft, scope);
    exposure.reserved = exposure.reserved.plus(notional);
  }
}

function holdPosition(draft: Draft, permit: OpenPermit, quantity: Decimal): void {
  const position = entry(draft.desk.positions, permit.instrument);
  if (position === undefined) return;
  keepPosition(draft, permit.instrument, position, moveReducing(position, permit, permit.side, quantity));
}

function countOpen(
  draft: Draft,
  permit: OpenPermit,
  { open, unsettled }: { readonly open: number; readonly unsettled: number },
): void {
  if (permit.reduces) return;
  for (const scope of scopesOf(permit)) {
    const exposure = exposureOf(draft, scope);
    exposure.open += open;
    exposure.unsettled += unsettled;
  }
}

function least(a: Decimal, b: Decimal): Decimal {
  return a.lt(b) ? a : b;
}
