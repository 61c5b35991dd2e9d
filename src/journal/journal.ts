/** The memory for people: what the desks decided, and the highest epoch each was seen at. Losing it costs no safety. */
import type { PoolClient } from 'pg';
import type { OrderFact } from '../emergency/model';
import { wholeNumber } from '../whole-number';
import { appendToDesk } from './append';
import { openDatabase, type Database } from './database';
import { stored, type AuditEntry, type AuditRow } from './entry';
import { migrate } from './migrate';
import { fillsOf, orders, performance, type OrderFilter, type OrderPage, type Performance } from './order-queries';
import type { FillRow, OrderRow } from './order-rows';
import { recordOrders } from './record-orders';
import { fillsSince, haltsSince, type FillMoment, type FillsQuery, type HaltMoment, type HaltsQuery } from './results';
import { equitySeries, recordPoints, type EquityQuery, type EquityRow, type Points } from './series';
import { readPage, verify, type Verdict } from './verify';

export type { AuditEntry, AuditRow } from './entry';
export type { OrderFilter, OrderPage, Performance } from './order-queries';
export type { FillRow, OrderRow } from './order-rows';
export type { FillMoment, HaltMoment } from './results';
export type { BrokenLink, DeskVerdict, Verdict } from './verify';

export interface JournalOptions {
  /** Hears of idle connections that broke; nothing need be done about them. */
  readonly onError?: (error: Error) => void;
}

export interface AuditQuery {
  readonly desk_id: string;
  /** Only what comes after this position; 0, the default, means from the start. */
  readonly after?: number;
  /** At most so many; default 100. */
  readonly limit?: number;
}

export interface Witness {
  readonly epoch: number;
  /** When this epoch was first seen: milliseconds since 1970 on the database's clock. */
  readonly seen_at: number;
}

/** Every method rejects with `JournalUnavailable` within seconds when PostgreSQL is down, hung or refuses. */
export interface Journal {
  /** Written once however often they are delivered; returns how many were new. Throws `JournalConflict`. */
  appendAudit(entries: readonly AuditEntry[]): Promise<number>;
  /** In the order they were appended. */
  audit(query: AuditQuery): Promise<AuditRow[]>;
  /** The last position of a desk; 0 when it has none. */
  auditLength(desk_id: string): Promise<number>;
  verifyAudit(desk_id?: string): Promise<Verdict>;
  /** Lower epochs than the one on record change nothing. */
  recordWitness(desk_id: string, epoch: number): Promise<void>;
  witness(desk_id: string): Promise<Witness | undefined>;
  /** Facts may come again and in any order. Resolves when they are committed. */
  recordOrders(desk_id: string, facts: readonly OrderFact[]): Promise<void>;
  orders(filter: OrderFilter): Promise<OrderPage>;
  fillsOf(order: OrderRow): Promise<readonly FillRow[]>;
  performance(
    desk_id: string,
    owner: { readonly bot_id?: string; readonly strategy_id?: string },
    since: number,
  ): Promise<Performance>;
  fillsSince(query: FillsQuery): Promise<readonly FillMoment[]>;
  haltsSince(query: HaltsQuery): Promise<readonly HaltMoment[]>;
  recordPoints(desk_id: string, points: Points): Promise<void>;
  equitySeries(query: EquityQuery): Promise<readonly EquityRow[]>;
  close(): Promise<void>;
}

/** So that one call stays well within its deadline. */
const BATCH = 500;

/** Connects at the first call, and brings the tables up to date then. */
export function openJournal(url: string, { onError = () => undefined }: JournalOptions = {}): Journal {
  const database = migrated(openDatabase(url, onError));
  return {
    appendAudit: (entries) => append(database, entries),
    audit: ({ desk_id, after = 0, limit = 100 }) => readPage(database, desk_id, after, limit),
    auditLength: (desk_id) => auditLength(database, desk_id),
    verifyAudit: (desk_id) => verify(database, desk_id),
    recordWitness: (desk_id, epoch) => recordWitness(database, desk_id, epoch),
    witness: (desk_id) => witness(database, desk_id),
    recordOrders: (desk_id, facts) => recordOrders(database, desk_id, facts),
    orders: (filter) => orders(database, filter),
    fillsOf: (order) => fillsOf(database, order),
    performance: (desk_id, owner, since) => performance(database, desk_id, owner, since),
    fillsSince: (query) => fillsSince(database, query),
    haltsSince: (query) => haltsSince(database, query),
    recordPoints: (desk_id, points) => recordPoints(database, desk_id, points),
    equitySeries: (query) => equitySeries(database, query),
    close: () => database.close(),
  };
}

/** Migrates before the first transaction, and again after any that failed: the database may be another one by then. */
function migrated(database: Database): Database {
  let ready: Promise<void> | undefined;
  const forget = (error: unknown): never => {
    ready = undefined;
    throw error;
  };
  return {
    ...database,
    transaction: async (work) => {
      ready ??= database.transaction(migrate);
      await ready.catch(forget);
      return database.transaction(work).catch(forget);
    },
  };
}

async function append(database: Database, entries: readonly AuditEntry[]): Promise<number> {
  let written = 0;
  for (let from = 0; from < entries.length; from += BATCH) {
    const batch = entries.slice(from, from + BATCH);
    written += await database.transaction((client) => appendBatch(client, batch));
  }
  return written;
}

async function appendBatch(client: PoolClient, entries: readonly AuditEntry[]): Promise<number> {
  const given = entries.map(stored);
  // Always in one order, so that two batches with the same desks cannot wait for one another.
  const desks = [...new Set(given.map(({ desk_id }) => desk_id))].sort();
  let written = 0;
  for (const desk of desks) {
    const ofDesk = given.filter(({ desk_id }) => desk_id === desk);
    written += await appendToDesk(client, desk, ofDesk);
  }
  return written;
}

async function auditLength(database: Database, desk_id: string): Promise<number> {
  const text = 'SELECT position FROM holdfast.audit_head WHERE desk_id = $1';
  const { rows } = await database.transaction((client) => client.query<{ position: string }>(text, [desk_id]));
  return wholeNumber(rows[0]?.position ?? '0');
}

async function recordWitness(database: Database, desk_id: string, epoch: number): Promise<void> {
  const text = `
    INSERT INTO holdfast.witness AS known (desk_id, epoch, seen_at) VALUES ($1, $2, now())
    ON CONFLICT (desk_id) DO UPDATE SET epoch = EXCLUDED.epoch, seen_at = EXCLUDED.seen_at WHERE known.epoch < EXCLUDED.epoch`;
  await database.transaction((client) => client.query(text, [desk_id, epoch]));
}

async function witness(database: Database, desk_id: string): Promise<Witness | undefined> {
  const text = 'SELECT epoch, seen_at FROM holdfast.witness WHERE desk_id = $1';
  const { rows } = await database.transaction((client) =>
    client.query<{ epoch: string; seen_at: Date }>(text, [desk_id]),
  );
  const [row] = rows;
  return row && { epoch: wholeNumber(row.epoch), seen_at: row.seen_at.getTime() };
}
