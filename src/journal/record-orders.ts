/**
 * Writes what desks tell of orders. Facts are cumulative and may come again, and in any order: what is newer holds, fills only grow, and
 * what an older fact alone knows is kept.
 */
import type { PoolClient } from 'pg';
import type { OrderFact } from '../emergency/model';
import type { Database } from './database';
import { storable } from './entry';
import { rowOfFact } from './order-rows';

/** So that one call stays well within its deadline. */
const BATCH = 500;

export async function recordOrders(database: Database, desk: string, facts: readonly OrderFact[]): Promise<void> {
  for (let from = 0; from < facts.length; from += BATCH) {
    const batch = facts.slice(from, from + BATCH);
    await database.transaction((client) => recordBatch(client, storable(desk), batch));
  }
}

/** Those that name their permit first: by then the others find the order they mean. */
async function recordBatch(client: PoolClient, desk: string, facts: readonly OrderFact[]): Promise<void> {
  const permitted = facts.flatMap((fact) => (fact.permit_id === undefined ? [] : [{ key: fact.permit_id, fact }]));
  await recordAll(client, desk, permitted);
  const others = facts.filter(({ permit_id }) => permit_id === undefined);
  if (others.length === 0) return;
  const keys = await keysOf(client, desk, others);
  await recordAll(
    client,
    desk,
    others.map((fact) => ({ key: keys.get(placeOf(fact)) ?? fact.order_id, fact })),
  );
}

interface Keyed {
  readonly key: string;
  readonly fact: OrderFact;
}

/** One statement takes an order once. */
async function recordAll(client: PoolClient, desk: string, given: readonly Keyed[]): Promise<void> {
  let left = given;
  while (left.length > 0) {
    const round = new Map<string, OrderFact>();
    const later: Keyed[] = [];
    for (const each of left) {
      if (round.has(each.key)) later.push(each);
      else round.set(each.key, each.fact);
    }
    const rows = [...round].map(([key, fact]) => rowOfFact(desk, key, fact));
    await client.query(UPSERT_ORDERS, [JSON.stringify(rows)]);
    const filled = rows.filter(({ filled_at }) => filled_at !== undefined);
    if (filled.length > 0) await client.query(UPSERT_FILLS, [JSON.stringify(filled)]);
    left = later;
  }
}

/** By the client order id, the latest that went out: one that was never used may have left its id to the next. */
async function keysOf(
  client: PoolClient,
  desk: string,
  facts: readonly OrderFact[],
): Promise<ReadonlyMap<string, string>> {
  const text = `
    SELECT order_key, order_id, account, venue, symbol FROM holdfast.orders
    WHERE desk_id = $1 AND client_order_id = ANY($2::text[]) AND status <> 'unused' ORDER BY intended_at`;
  const ids = facts.map(({ order_id }) => storable(order_id));
  const { rows } = await client.query<Place & { readonly order_key: string }>(text, [desk, ids]);
  return new Map(rows.map((row) => [placeOf(row), row.order_key]));
}

type Place = Pick<OrderFact, 'order_id' | 'account' | 'venue' | 'symbol'>;

function placeOf({ order_id, account, venue, symbol }: Place): string {
  return [venue, account, symbol, order_id].join(' ');
}

const IS_NEWER = `(EXCLUDED.updated_at, holdfast.order_rank(EXCLUDED.status)) >= (known.updated_at, holdfast.order_rank(known.status))`;
const FILLS_GREW = `EXCLUDED.filled_at IS NOT NULL AND (known.filled_at IS NULL OR EXCLUDED.filled_quantity > known.filled_quantity
  OR (EXCLUDED.filled_quantity = known.filled_quantity AND EXCLUDED.updated_at >= known.updated_at))`;
const FIRST_KNOWN = ['permit_id', 'client_order_id', 'bot_id', 'strategy_id', 'execution_id', 'workflow_id', 'mode'];
const PERMITTED = ['quantity', 'price', 'epoch', 'reduces'];
const FILLED = ['filled_quantity', 'filled_notional', 'fees', 'realized', 'filled_at'];

/**
 * Who knows no permit says nothing of how an order stands; but filled whole is filled, also when the fill came after the end. The time of
 * the grant is that of whoever knows the permit.
 */
const UPSERT_ORDERS = `
  INSERT INTO holdfast.orders AS known
  SELECT * FROM jsonb_populate_recordset(NULL::holdfast.orders, $1::jsonb) ORDER BY order_key
  ON CONFLICT (desk_id, order_key) DO UPDATE SET
    ${[...FIRST_KNOWN, ...PERMITTED].map((name) => `${name} = coalesce(known.${name}, EXCLUDED.${name})`).join(', ')},
    ${FILLED.map((name) => `${name} = CASE WHEN ${FILLS_GREW} THEN EXCLUDED.${name} ELSE known.${name} END`).join(', ')},
    status = CASE
      WHEN 'unpermitted' IN (EXCLUDED.status, known.status)
        AND greatest(known.filled_quantity, EXCLUDED.filled_quantity) >= coalesce(known.quantity, EXCLUDED.quantity) THEN 'filled'
      WHEN EXCLUDED.status = 'unpermitted' THEN known.status
      WHEN known.status = 'unpermitted' OR ${IS_NEWER} THEN EXCLUDED.status
      ELSE known.status END,
    intended_at = CASE WHEN known.quantity IS NULL AND EXCLUDED.quantity IS NOT NULL THEN EXCLUDED.intended_at ELSE known.intended_at END,
    updated_at = greatest(known.updated_at, EXCLUDED.updated_at)`;

const UPSERT_FILLS = `
  INSERT INTO holdfast.fills AS known (desk_id, order_key, quantity, notional, fees, realized, at, updated_at)
  SELECT desk_id, order_key, filled_quantity, filled_notional, fees, realized, filled_at, updated_at
  FROM jsonb_populate_recordset(NULL::holdfast.orders, $1::jsonb) ORDER BY order_key
  ON CONFLICT (desk_id, order_key, quantity) DO UPDATE SET
    notional = EXCLUDED.notional, fees = EXCLUDED.fees, realized = EXCLUDED.realized, at = EXCLUDED.at, updated_at = EXCLUDED.updated_at
  WHERE known.updated_at < EXCLUDED.updated_at`;
