/** Walks the chain of each desk and finds the first entry that is not as it was written. */
import { wholeNumber } from '../whole-number';
import type { Database } from './database';
import { chainHash, GENESIS, type AuditRow } from './entry';
import { rowOf, type StoredRow } from './rows';

/**
 * `changed`: the entry is not what its hash was made of; `reordered`: it does not follow the entry before it; `missing`: entries before it are
 * gone; `cut_off`: the last entries are gone; `unaccounted`: entries were added past the recorded end, or there is no recorded end.
 */
export type Damage = 'changed' | 'reordered' | 'missing' | 'cut_off' | 'unaccounted';

export interface BrokenLink {
  readonly damage: Damage;
  /** Where in the chain, counted from 1. */
  readonly position: number;
  /** Of the entry where the damage shows; absent for `cut_off`, where there is none. */
  readonly ordinal?: number;
}

export interface DeskVerdict {
  readonly desk_id: string;
  /** How many entries are intact from the start. */
  readonly entries: number;
  /** The hash of the last of them: noted elsewhere, it proves later that nothing up to it was rewritten. */
  readonly hash: string;
  readonly broken?: BrokenLink;
}

export interface Verdict {
  readonly intact: boolean;
  readonly desks: readonly DeskVerdict[];
}

interface End {
  readonly desk_id: string;
  /** Nothing when there is no recorded end. */
  readonly head_position: number | undefined;
  readonly head_hash: string | undefined;
  readonly last_position: number;
}

const PAGE = 1_000;

/** One desk, or all. What is appended meanwhile is left for the next time. */
export async function verify(database: Database, desk_id: string | undefined): Promise<Verdict> {
  const desks: DeskVerdict[] = [];
  for (const end of await ends(database, desk_id)) desks.push(await verifyDesk(database, end));
  return { intact: desks.every(({ broken }) => broken === undefined), desks };
}

interface StoredEnd {
  readonly desk_id: string;
  readonly head_position: string | null;
  readonly head_hash: string | null;
  readonly last_position: string | null;
}

/** In one statement, so that heads and rows are of one moment. */
async function ends(database: Database, desk_id: string | undefined): Promise<End[]> {
  const text = `
    SELECT coalesce(head.desk_id, rows.desk_id) AS desk_id, head.position AS head_position, head.hash AS head_hash, rows.last_position
    FROM holdfast.audit_head AS head
    FULL JOIN (SELECT desk_id, max(position) AS last_position FROM holdfast.audit GROUP BY desk_id) AS rows USING (desk_id)
    WHERE $1::text IS NULL OR coalesce(head.desk_id, rows.desk_id) = $1
    ORDER BY 1`;
  const { rows } = await database.transaction((client) => client.query<StoredEnd>(text, [desk_id ?? null]));
  return rows.map((row) => ({
    desk_id: row.desk_id,
    head_position: row.head_position === null ? undefined : wholeNumber(row.head_position),
    head_hash: row.head_hash ?? undefined,
    last_position: wholeNumber(row.last_position ?? '0'),
  }));
}

async function verifyDesk(database: Database, end: End): Promise<DeskVerdict> {
  const { desk_id, head_position = 0, head_hash = GENESIS, last_position } = end;
  const walked = await walk(database, desk_id, head_position);
  const { entries, hash } = walked;
  if (walked.broken !== undefined) return walked;
  const broken = async (damage: Damage, position: number): Promise<DeskVerdict> => {
    const [row] = await readPage(database, desk_id, position - 1, 1);
    return { ...walked, broken: { damage, position, ...(row === undefined ? {} : { ordinal: row.ordinal }) } };
  };
  if (hash !== head_hash) return broken('changed', entries);
  return last_position > head_position ? broken('unaccounted', entries + 1) : walked;
}

/** From the first entry to the recorded end, or to the first that is broken. */
async function walk(database: Database, desk_id: string, end: number): Promise<DeskVerdict> {
  let [entries, hash] = [0, GENESIS];
  while (entries < end) {
    const page = await readPage(database, desk_id, entries, Math.min(PAGE, end - entries));
    const position = entries + 1;
    if (page.length === 0) return { desk_id, entries, hash, broken: { damage: 'cut_off', position } };
    for (const row of page) {
      const damage = damageOf(row, entries + 1, hash);
      const { ordinal } = row;
      if (damage !== undefined) return { desk_id, entries, hash, broken: { damage, position: entries + 1, ordinal } };
      [entries, hash] = [row.position, row.hash];
    }
  }
  return { desk_id, entries, hash };
}

function damageOf(row: AuditRow, position: number, previous_hash: string): Damage | undefined {
  if (row.position !== position) return 'missing';
  if (chainHash(row.previous_hash, row) !== row.hash) return 'changed';
  return row.previous_hash === previous_hash ? undefined : 'reordered';
}

/** The rows after a position, in order. */
export function readPage(database: Database, desk_id: string, after: number, limit: number): Promise<AuditRow[]> {
  const text = 'SELECT * FROM holdfast.audit WHERE desk_id = $1 AND position > $2 ORDER BY position LIMIT $3';
  return database.transaction(async (client) =>
    (await client.query<StoredRow>(text, [desk_id, after, limit])).rows.map(rowOf),
  );
}
