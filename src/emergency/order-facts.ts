/**
 * What is told of orders: for each order that an input changed one fact, cumulative, as the order stands after it. Whoever keeps the newest
 * fact of each order has missed nothing.
 */
import { present } from '../json';
import { decimal } from '../money';
import { find } from './forgetting';
import type { Fill, OrderFact, OrderFill, OrderNews, OrderStatus, PermittedOrder } from './model';
import { entry, type DeskState, type Draft, type OpenPermit, type OrderChange, type OrderSoFar } from './state';

/** How a permit ended. */
export type Ending = 'unused' | 'rejected' | 'closed';

/** The order of an open permit has changed. */
export function noteOrder(draft: Draft, permitId: string, news: OrderNews): OrderChange {
  const change = draft.orders.get(permitId) ?? { news: new Set<OrderNews>() };
  change.news.add(news);
  draft.orders.set(permitId, change);
  return change;
}

/** Its permit has ended; `permit` is what it was. */
export function noteEnd(draft: Draft, permitId: string, permit: OpenPermit, ending: Ending): void {
  noteOrder(draft, permitId, 'ended').fact = factOf(draft.desk, permitId, permit, ending);
}

/** A fill of an order that has no open permit: it has ended, or there never was one here. */
export function noteUnpermitted(draft: Draft, fill: Fill, order: OrderSoFar): void {
  const { order_id, permit_id, account, venue, symbol, side, currency, bot_id, strategy_id } = fill;
  const fact: OrderFact = {
    ...{ order_id, account, venue, symbol, side, currency, status: 'unpermitted', updated_at: draft.desk.clock },
    ...present({ permit_id, bot_id, strategy_id }),
    fill: fillOf(order),
  };
  draft.orders.set(permit_id ?? order_id, { news: new Set(['filled']), fact });
}

/** Once per input, when all of it was decided. */
export function tellOrders(draft: Draft): void {
  for (const [id, { news, fact }] of draft.orders) {
    const told = fact ?? openFact(draft.desk, id);
    if (told === undefined) continue;
    draft.effects.push({ kind: 'order', fact: told, news: [...news], is_open: fact === undefined });
  }
}

/** Both say something of one order; nothing is lost of what only the older one knows. */
export function mergedFact(older: OrderFact | undefined, newer: OrderFact): OrderFact {
  if (older === undefined) return newer;
  const status = newer.status === 'unpermitted' ? lateStatus(older, newer.fill) : newer.status;
  return { ...older, ...newer, status };
}

/** A fill that comes after the end changes how an order ended only when it fills it whole. */
function lateStatus({ status, permitted }: OrderFact, fill: OrderFill | undefined): OrderStatus {
  if (permitted === undefined || fill === undefined) return status;
  return decimal(fill.quantity).gte(decimal(permitted.quantity)) ? 'filled' : status;
}

/** The order of a permit that is open, as it stands; undefined when there is no such permit. */
export function openFact(desk: DeskState, permitId: string): OrderFact | undefined {
  const permit = entry(desk.permits, permitId);
  return permit === undefined ? undefined : factOf(desk, permitId, permit);
}

/** What the fills of a permit's order are reported under. */
export function orderIdOf(permitId: string, { order_id, client_order_id }: OpenPermit): string {
  return order_id ?? client_order_id ?? permitId;
}

function factOf(desk: DeskState, permit_id: string, permit: OpenPermit, ending?: Ending): OrderFact {
  const { instrument, venue, symbol, side, bot_id, strategy_id } = permit;
  const order = find(desk.orders, orderIdOf(permit_id, permit));
  return {
    order_id: permit.client_order_id ?? permit_id,
    permit_id,
    // Ids hold no blanks.
    account: instrument.split(' ')[1] ?? '',
    ...{ venue, symbol, side, currency: desk.currency, status: statusOf(permit, ending) },
    permitted: permittedOf(permit),
    updated_at: desk.clock,
    ...present({ bot_id, strategy_id, fill: order === undefined ? undefined : fillOf(order) }),
  };
}

function permittedOf(permit: OpenPermit): PermittedOrder {
  const { quantity, ordered = quantity, price, epoch, reduces, at: granted_at } = permit;
  const { execution_id, workflow_id, mode, client_order_id } = permit;
  return {
    ...{ quantity: ordered, price, execution_id, epoch, reduces, granted_at },
    ...present({ workflow_id, mode, client_order_id }),
  };
}

function fillOf({ quantity, notional, fees, realized, at }: OrderSoFar): OrderFill {
  return { quantity, notional, fees, at, ...present({ realized }) };
}

const BY_STATUS: Readonly<Record<Exclude<OpenPermit['status'], 'closed'>, OrderStatus>> = {
  granted: 'intended',
  acknowledged: 'open',
  fenced: 'fenced',
};

function statusOf(permit: OpenPermit, ending: Ending | undefined): OrderStatus {
  const { status, quantity, ordered = quantity, filled } = permit;
  if (ending === 'unused' || ending === 'rejected') return ending;
  // What a closed one is said to have filled is its quantity, though not every fill may be recorded yet.
  const whole = decimal(status === 'closed' ? quantity : filled).gte(decimal(ordered));
  if (whole) return 'filled';
  if (status === 'closed' || ending !== undefined) return 'cancelled';
  return permit.unknown === true ? 'unknown' : BY_STATUS[status];
}
