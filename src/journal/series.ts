/** How scopes and positions stood over time; of one second the latest. Written when it changed, by whoever watches the desk. */
import type { Database } from './database';
import { storable } from './entry';
import { amount, instant } from './order-rows';

export interface EquityPoint {
  readonly scope: string;
  /** Of the latest trading day: before fees, and the fees. */
  readonly realized: string;
  readonly fees: string;
  readonly unrealized: string;
  /** Held and reserved. */
  readonly exposure: string;
  readonly equity?: string;
  readonly high_water?: string;
}

export interface PositionPoint {
  readonly account: string;
  readonly venue: string;
  readonly symbol: string;
  readonly quantity: string;
  readonly cost: string;
  readonly price: string;
  readonly unrealized: string;
}

export interface Points {
  /** Milliseconds since 1970, by the desk's clock; cut to the second. */
  readonly at: number;
  readonly equity: readonly EquityPoint[];
  readonly positions: readonly PositionPoint[];
}

const SECOND = 1_000;

export async function recordPoints(database: Database, desk: string, points: Points): Promise<void> {
  const common = { desk_id: storable(desk), at: new Date(points.at - (points.at % SECOND)).toISOString() };
  const rows = (of: readonly object[]) => JSON.stringify(of.map((each) => ({ ...common, ...each })));
  await database.transaction(async (client) => {
    if (points.equity.length > 0) await client.query(UPSERT_EQUITY, [rows(points.equity)]);
    if (points.positions.length > 0) await client.query(UPSERT_POSITIONS, [rows(points.positions)]);
  });
}

const EQUITY = ['realized', 'fees', 'unrealized', 'exposure', 'equity', 'high_water'];
const POSITION = ['quantity', 'cost', 'price', 'unrealized'];
const UPSERT_EQUITY = upsert('equity', ['desk_id', 'scope', 'at'], EQUITY);
const UPSERT_POSITIONS = upsert('positions', ['desk_id', 'account', 'venue', 'symbol', 'at'], POSITION);

function upsert(table: string, key: readonly string[], values: readonly string[]): string {
  return `INSERT INTO holdfast.${table} SELECT * FROM jsonb_populate_recordset(NULL::holdfast.${table}, $1::jsonb)
    ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${values.map((name) => `${name} = EXCLUDED.${name}`).join(', ')}`;
}

export interface EquityRow extends EquityPoint {
  readonly at: string;
}

/** Oldest first, the latest `limit` since a moment. */
export async function equitySeries(
  database: Database,
  { desk_id, scope, since, limit }: EquityQuery,
): Promise<readonly EquityRow[]> {
  const columns = ['scope', instant('at'), ...EQUITY.map(amount)].join(', ');
  const text = `SELECT ${columns} FROM holdfast.equity WHERE desk_id = $1 AND scope = $2 AND equity.at >= $3
    ORDER BY equity.at DESC LIMIT $4`;
  const values = [desk_id, scope, new Date(since), limit];
  const { rows } = await database.transaction((client) => client.query<EquityRow>(text, values));
  return rows.reverse();
}

export interface EquityQuery {
  readonly desk_id: string;
  readonly scope: string;
  readonly since: number;
  readonly limit: number;
}
