/** Writes entries at the end of their desk's chain, each once. */
import type { PoolClient } from 'pg';
import { HoldfastError } from '../errors';
import { wholeNumber } from '../whole-number';
import { canonical, chainHash, GENESIS, type AuditEntry, type AuditRow } from './entry';
import { byOrdinal, rowOf, type StoredRow } from './rows';

interface Head {
  readonly position: number;
  readonly hash: string;
}

/**
 * Appends the entries of one desk, in their stored form, that are not there yet, lowest ordinal first; returns how many those were. Throws `JournalConflict`, and
 * writes nothing, when an ordinal is taken by another content.
 */
export async function appendToDesk(client: PoolClient, desk_id: string, given: readonly AuditEntry[]): Promise<number> {
  const head = await lockHead(client, desk_id);
  const fresh = newOnes(given, await known(client, desk_id, given));
  const rows = chained(head, fresh);
  const last = rows.at(-1);
  if (last === undefined) return 0;
  await insert(client, rows);
  await client.query('UPDATE holdfast.audit_head SET position = $2, hash = $3 WHERE desk_id = $1', [
    desk_id,
    last.position,
    last.hash,
  ]);
  return rows.length;
}

/** Whoever holds the row of the head is the only one who appends to this desk until the end of the transaction. */
async function lockHead(client: PoolClient, desk_id: string): Promise<Head> {
  const lock = async () => {
    const text = 'SELECT position, hash FROM holdfast.audit_head WHERE desk_id = $1 FOR UPDATE';
    return (await client.query<{ position: string; hash: string }>(text, [desk_id])).rows[0];
  };
  let row = await lock();
  if (row === undefined) {
    const text = 'INSERT INTO holdfast.audit_head (desk_id, position, hash) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING';
    await client.query(text, [desk_id, GENESIS]);
    row = await lock();
  }
  return { position: wholeNumber(row?.position ?? '0'), hash: row?.hash ?? GENESIS };
}

async function known(client: PoolClient, desk_id: string, given: readonly AuditEntry[]): Promise<AuditRow[]> {
  const text = 'SELECT * FROM holdfast.audit WHERE desk_id = $1 AND ordinal = ANY($2::bigint[])';
  const { rows } = await client.query<StoredRow>(text, [desk_id, given.map(({ ordinal }) => ordinal)]);
  return rows.map(rowOf);
}

function newOnes(given: readonly AuditEntry[], known: readonly AuditEntry[]): AuditEntry[] {
  const contents = new Map(known.map((entry) => [entry.ordinal, canonical(entry)]));
  const fresh: AuditEntry[] = [];
  for (const entry of given) {
    const content = contents.get(entry.ordinal);
    if (content === undefined) fresh.push(entry);
    else if (content !== canonical(entry)) throw conflict(entry);
    contents.set(entry.ordinal, canonical(entry));
  }
  return fresh.sort(byOrdinal);
}

function chained(head: Head, entries: readonly AuditEntry[]): AuditRow[] {
  let { position, hash } = head;
  return entries.map((entry) => {
    const previous_hash = hash;
    hash = chainHash(previous_hash, entry);
    return { ...entry, position: ++position, previous_hash, hash };
  });
}

async function insert(client: PoolClient, rows: readonly AuditRow[]): Promise<void> {
  const json = JSON.stringify(rows.map((row) => ({ ...row, at: new Date(row.at).toISOString() })));
  await client.query(
    'INSERT INTO holdfast.audit SELECT * FROM jsonb_populate_recordset(NULL::holdfast.audit, $1::jsonb)',
    [json],
  );
}

function conflict({ desk_id, ordinal }: AuditEntry): HoldfastError {
  const message = `Entry ${ordinal} of desk ${desk_id} is in the audit with another content.`;
  return new HoldfastError('JournalConflict', message, { desk_id, ordinal });
}
