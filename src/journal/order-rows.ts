/** Orders as the journal has them. Amounts are decimal texts, times ISO 8601. */
import type { OrderFact } from '../emergency/model';
import { storable } from './entry';

export interface OrderRow {
  readonly desk_id: string;
  readonly order_id: string;
  readonly permit_id: string | null;
  readonly client_order_id: string | null;
  readonly account: string;
  readonly venue: string;
  readonly symbol: string;
  readonly side: string;
  readonly currency: string;
  readonly bot_id: string | null;
  readonly strategy_id: string | null;
  readonly execution_id: string | null;
  readonly workflow_id: string | null;
  readonly mode: string | null;
  /** As permitted; null where the desk knew no permit. */
  readonly quantity: string | null;
  readonly price: string | null;
  readonly reduces: boolean | null;
  readonly status: string;
  readonly filled_quantity: string;
  readonly filled_notional: string;
  readonly fees: string;
  /** Before fees; null while it closed nothing. */
  readonly realized: string | null;
  readonly filled_at: string | null;
  readonly intended_at: string;
  readonly updated_at: string;
}

/** What came on top with one told state of an order's fills. */
export interface FillRow {
  readonly quantity: string;
  readonly notional: string;
  readonly fees: string;
  readonly realized: string | null;
  /** So far, with this one. */
  readonly filled_quantity: string;
  readonly at: string;
}

/** The columns of `holdfast.orders` and how they are read as texts. */
export const ORDER_COLUMNS = [
  ...['desk_id', 'order_id', 'permit_id', 'client_order_id', 'account', 'venue', 'symbol', 'side', 'currency'],
  ...['bot_id', 'strategy_id', 'execution_id', 'workflow_id', 'mode', 'reduces', 'status'],
  ...['quantity', 'price', 'filled_quantity', 'filled_notional', 'fees', 'realized'].map(amount),
  ...['filled_at', 'intended_at', 'updated_at'].map(instant),
].join(', ');

/** Without trailing zeros, and never a number: JavaScript has none of that length. */
export function amount(column: string): string {
  return `trim_scale(${column})::text AS ${nameOf(column)}`;
}

export function instant(column: string): string {
  return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS ${nameOf(column)}`;
}

function nameOf(column: string): string {
  return column.slice(column.lastIndexOf('.') + 1);
}

/** A fact as a row to write. */
export function rowOfFact(desk_id: string, order_key: string, fact: OrderFact) {
  const { permitted, fill, ...order } = fact;
  const { granted_at, client_order_id, ...rest } = permitted ?? {};
  const { quantity: filled_quantity = '0', notional: filled_notional = '0', fees = '0', realized, at } = fill ?? {};
  return texts({
    ...{ desk_id, order_key, ...order, ...rest, client_order_id, filled_quantity, filled_notional, fees, realized },
    filled_at: at === undefined ? undefined : iso(at),
    intended_at: iso(granted_at ?? at ?? order.updated_at),
    updated_at: iso(order.updated_at),
  });
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

/** What PostgreSQL cannot hold is replaced. */
function texts<T extends object>(members: T): T {
  const all = Object.entries(members).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'string' ? storable(value) : value,
  ]);
  return Object.fromEntries(all) as T;
}
