/** Rows of the audit as the database has them. */
import { wholeNumber } from '../whole-number';
import type { AuditEntry, AuditRow } from './entry';

/** Numbers of 64 bits come as text; all of ours are safe integers. */
export interface StoredRow {
  readonly desk_id: string;
  readonly position: string;
  readonly ordinal: string;
  readonly at: Date;
  readonly epoch: string;
  readonly action: string;
  readonly actor: string;
  readonly scope: string;
  readonly reason: string;
  readonly command_id: string | null;
  readonly outcome: string;
  readonly body: string;
  readonly previous_hash: string;
  readonly hash: string;
}

export function rowOf(row: StoredRow): AuditRow {
  const { command_id, ...others } = row;
  return {
    ...others,
    position: wholeNumber(row.position),
    ordinal: wholeNumber(row.ordinal),
    at: row.at.getTime(),
    epoch: wholeNumber(row.epoch),
    ...(command_id === null ? {} : { command_id }),
  };
}

export const byOrdinal = (a: AuditEntry, b: AuditEntry): number => a.ordinal - b.ordinal;
