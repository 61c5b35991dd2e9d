/** What was ordered and filled, in pages, newest first. */
import { wholeNumber } from '../whole-number';
import type { Database } from './database';
import { instant, ORDER_COLUMNS, type FillRow, type OrderRow } from './order-rows';

export interface OrderFilter {
  readonly desk_id: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
  readonly execution_id?: string;
  readonly symbol?: string;
  /** The client order id where there is one, else the permit's. */
  readonly order_id?: string;
  /** Any of these. */
  readonly statuses?: readonly string[];
  /** Of these alone, whatever else is asked for. */
  readonly bots?: readonly string[];
  readonly strategies?: readonly string[];
  /** Intended at or after, and before; milliseconds since 1970. */
  readonly from?: number;
  readonly to?: number;
  /** At most so many [100]. */
  readonly limit?: number;
  /** What a page before this one gave. */
  readonly page?: string;
}

export interface OrderPage {
  readonly orders: readonly OrderRow[];
  /** Absent on the last page. */
  readonly next_page?: string;
}

/** Orders that have not ended. */
export const OPEN_STATUSES = ['intended', 'unknown', 'fenced', 'open'] as const;

interface Position {
  readonly order_key: string;
  readonly intended_at: string;
}

export async function orders(database: Database, filter: OrderFilter): Promise<OrderPage> {
  const { limit = 100 } = filter;
  const { text, values } = conditionsOf(filter);
  const query = `SELECT ${ORDER_COLUMNS}, order_key FROM holdfast.orders WHERE ${text}
    ORDER BY orders.intended_at DESC, order_key DESC LIMIT ${limit + 1}`;
  const { rows } = await database.transaction((client) => client.query<OrderRow & Position>(query, values));
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const page = shown.map(({ order_key, ...row }) => row);
  return rows.length > limit && last !== undefined ? { orders: page, next_page: pageAfter(last) } : { orders: page };
}

/** What came on top with each told state, oldest first; of the order that `order` is the row of. */
export async function fillsOf(database: Database, order: OrderRow): Promise<readonly FillRow[]> {
  const more = ['quantity', 'notional', 'fees', 'realized'].map(
    (name) => `trim_scale(${name} - coalesce(lag(${name}) OVER so_far, 0))::text AS ${name}`,
  );
  const text = `SELECT ${more.join(', ')}, trim_scale(quantity)::text AS filled_quantity, ${instant('at')}
    FROM holdfast.fills WHERE desk_id = $1 AND order_key = $2 WINDOW so_far AS (ORDER BY fills.quantity) ORDER BY fills.quantity`;
  const values = [order.desk_id, order.permit_id ?? order.order_id];
  return (await database.transaction((client) => client.query<FillRow>(text, values))).rows;
}

/** Undefined for a text that is no page. */
export function readPage(page: string): Position | undefined {
  const [, intended_at, order_key] = /^(\d{4}-[\d-]{5}T[\d:.]{12}Z)~(.+)$/su.exec(decoded(page)) ?? [];
  const isTime = intended_at !== undefined && !Number.isNaN(Date.parse(intended_at));
  return isTime && order_key !== undefined ? { intended_at, order_key } : undefined;
}

function decoded(page: string): string {
  return Buffer.from(page, 'base64url').toString();
}

function pageAfter({ intended_at, order_key }: Position): string {
  return Buffer.from(`${intended_at}~${order_key}`).toString('base64url');
}

function conditionsOf(filter: OrderFilter): { readonly text: string; readonly values: unknown[] } {
  const values: unknown[] = [];
  const value = (given: unknown, type: string): string => `$${values.push(given)}::${type}`;
  const conditions = [`desk_id = ${value(filter.desk_id, 'text')}`];
  for (const name of ['bot_id', 'strategy_id', 'execution_id', 'symbol', 'order_id'] as const) {
    if (filter[name] !== undefined) conditions.push(`${name} = ${value(filter[name], 'text')}`);
  }
  const lists = { status: filter.statuses, bot_id: filter.bots, strategy_id: filter.strategies };
  for (const [name, list] of Object.entries(lists)) {
    if (list !== undefined) conditions.push(`${name} = ANY(${value(list, 'text[]')})`);
  }
  if (filter.from !== undefined) conditions.push(`intended_at >= ${value(new Date(filter.from), 'timestamptz')}`);
  if (filter.to !== undefined) conditions.push(`intended_at < ${value(new Date(filter.to), 'timestamptz')}`);
  const after = filter.page === undefined ? undefined : readPage(filter.page);
  if (after !== undefined) {
    const [time, key] = [value(after.intended_at, 'timestamptz'), value(after.order_key, 'text')];
    conditions.push(`(intended_at, order_key) < (${time}, ${key})`);
  }
  return { text: conditions.join(' AND '), values };
}

/** What orders and fills of a window came to. */
export interface Performance {
  readonly orders: number;
  readonly fills: number;
  readonly realized: string;
  readonly fees: string;
  /** Orders that closed something within the window, and those of them that earned, fees off. */
  readonly closed: number;
  readonly won: number;
}

/** `since`: milliseconds since 1970, on the clock of fills and of the desk. */
export async function performance(
  database: Database,
  desk_id: string,
  { bot_id, strategy_id }: { readonly bot_id?: string; readonly strategy_id?: string },
  since: number,
): Promise<Performance> {
  const values = [desk_id, bot_id ?? null, strategy_id ?? null, new Date(since)];
  const { rows } = await database.transaction((client) => client.query<StoredPerformance>(PERFORMANCE, values));
  const { orders: ordered, fills, realized, fees, closed, won } = rows[0] ?? NOTHING;
  return {
    ...{ orders: wholeNumber(ordered), fills: wholeNumber(fills), realized, fees },
    ...{ closed: wholeNumber(closed), won: wholeNumber(won) },
  };
}

type StoredPerformance = { readonly [Name in keyof Performance]: string };
const NOTHING: StoredPerformance = { orders: '0', fills: '0', realized: '0', fees: '0', closed: '0', won: '0' };

/** One that was never sent is no order. A part counts with what it added to the row before it. */
const PERFORMANCE = `
  WITH own AS (
    SELECT * FROM holdfast.orders WHERE desk_id = $1 AND ($2::text IS NULL OR bot_id = $2) AND ($3::text IS NULL OR strategy_id = $3)
      AND (intended_at >= $4::timestamptz OR filled_at >= $4::timestamptz)
  ), parts AS (
    SELECT fills.at, fees - coalesce(lag(fees) OVER so_far, 0) AS fees,
      coalesce(realized, 0) - coalesce(lag(realized) OVER so_far, 0) AS realized
    FROM holdfast.fills JOIN (SELECT order_key FROM own) AS filled USING (order_key) WHERE desk_id = $1
    WINDOW so_far AS (PARTITION BY order_key ORDER BY quantity)
  )
  SELECT
    (SELECT count(*) FROM own WHERE intended_at >= $4 AND status <> 'unused') AS orders,
    (SELECT count(*) FROM own WHERE filled_at >= $4 AND realized IS NOT NULL) AS closed,
    (SELECT count(*) FROM own WHERE filled_at >= $4 AND realized > fees) AS won,
    count(*) AS fills, trim_scale(coalesce(sum(realized), 0))::text AS realized, trim_scale(coalesce(sum(fees), 0))::text AS fees
  FROM parts WHERE at >= $4`;
