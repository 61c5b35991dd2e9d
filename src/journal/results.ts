/** What happened to a bot or a strategy over a span, moment by moment: what it filled, and what halted it. */
import type { Database } from './database';
import { amount, instant } from './order-rows';

export interface FillMoment {
  /** ISO 8601. */
  readonly at: string;
  readonly order_id: string;
  readonly venue: string;
  readonly symbol: string;
  readonly side: string;
  readonly quantity: string;
  readonly notional: string;
  /** What was realised since the span began, fees off, with this one. */
  readonly profit: string;
}

export interface FillsQuery {
  readonly desk_id: string;
  readonly bot_id?: string;
  readonly strategy_id?: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly limit: number;
}

/** Oldest first, the latest `limit`; each row of fills is all so far of its order, so what came on top is the difference to the one before. */
export async function fillsSince(database: Database, query: FillsQuery): Promise<readonly FillMoment[]> {
  const { desk_id, bot_id = null, strategy_id = null, since, limit } = query;
  const values = [desk_id, bot_id, strategy_id, new Date(since), limit];
  const { rows } = await database.transaction((client) => client.query<FillMoment>(FILLS, values));
  return rows.reverse();
}

const FILLS = `
  WITH own AS (
    SELECT order_key, order_id, venue, symbol, side FROM holdfast.orders
    WHERE desk_id = $1 AND ($2::text IS NULL OR bot_id = $2) AND ($3::text IS NULL OR strategy_id = $3)
      AND (intended_at >= $4::timestamptz OR filled_at >= $4::timestamptz)
  ), parts AS (
    SELECT own.*, fills.at, fills.quantity AS so_much,
      fills.quantity - coalesce(lag(fills.quantity) OVER so_far, 0) AS quantity,
      notional - coalesce(lag(notional) OVER so_far, 0) AS notional,
      coalesce(realized, 0) - coalesce(lag(realized) OVER so_far, 0) - fees + coalesce(lag(fees) OVER so_far, 0) AS earned
    FROM holdfast.fills JOIN own USING (order_key) WHERE desk_id = $1
    WINDOW so_far AS (PARTITION BY order_key ORDER BY fills.quantity)
  ), summed AS (
    SELECT *, sum(earned) OVER (ORDER BY at, order_key, so_much ROWS UNBOUNDED PRECEDING) AS profit
    FROM parts WHERE at >= $4
  )
  SELECT ${instant('summed.at')}, order_id, venue, symbol, side, ${['quantity', 'notional', 'profit'].map(amount).join(', ')}
  FROM summed ORDER BY summed.at DESC, order_key DESC, so_much DESC LIMIT $5`;

export interface HaltMoment {
  /** ISO 8601. */
  readonly at: string;
  readonly state: string;
  readonly scope: string;
  readonly actor: string;
  readonly reason: string;
}

export interface HaltsQuery {
  readonly desk_id: string;
  readonly scopes: readonly string[];
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly limit: number;
}

/** Of the audit's latest entries alone, so that a chain of years is not walked for a week. */
const ENTRIES = 5_000;

/** Oldest first, the latest `limit`: by whom or what it was halted. */
export async function haltsSince(database: Database, query: HaltsQuery): Promise<readonly HaltMoment[]> {
  const { desk_id, scopes, since, limit } = query;
  const values = [desk_id, scopes, new Date(since), limit];
  const { rows } = await database.transaction((client) => client.query<HaltMoment>(HALTS, values));
  return rows.reverse();
}

const HALTS = `
  SELECT ${instant('audit.at')}, replace(action, 'signal ', '') AS state, scope, actor, reason FROM holdfast.audit
  WHERE desk_id = $1 AND position > (SELECT coalesce(max(position), 0) FROM holdfast.audit_head WHERE desk_id = $1) - ${ENTRIES}
    AND scope = ANY($2::text[]) AND outcome = 'ok' AND audit.at >= $3
    AND action IN ('halt', 'shutdown', 'signal halt', 'signal shutdown')
  ORDER BY position DESC LIMIT $4`;
