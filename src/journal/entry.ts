/** One entry of the audit, and how it is bound to the one before it. Pure. */
import { createHash } from 'node:crypto';
import type { Effect } from '../emergency/model';

type AuditEffect = Omit<Extract<Effect, { kind: 'audit' }>, 'kind'>;

/** What a desk did, as its outbox delivers it. `at`: milliseconds since 1970 on the desk's clock. */
export interface AuditEntry extends AuditEffect {
  readonly desk_id: string;
  /** Given by the desk's outbox, unique within the desk for ever: what is delivered twice is written once. */
  readonly ordinal: number;
}

/** An entry with its place in the chain of its desk. */
export interface AuditRow extends AuditEntry {
  /** 1, 2, 3 … per desk, in the order of arrival. */
  readonly position: number;
  readonly previous_hash: string;
  readonly hash: string;
}

/** What the first row of a desk follows. */
export const GENESIS = '0'.repeat(64);

/**
 * The text as the database gives it back: well-formed, and without NUL, which PostgreSQL cannot hold. Without this a reason somebody
 * typed could never be written, or would be hashed in a form that is not the stored one.
 */
export function storable(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8').replaceAll('\0', '\u2400');
}

/** The entry as it is stored. */
export function stored(entry: AuditEntry): AuditEntry {
  const { desk_id, ordinal, at, epoch, command_id } = entry;
  return {
    desk_id: storable(desk_id),
    ordinal,
    at,
    epoch,
    action: storable(entry.action),
    actor: storable(entry.actor),
    scope: storable(entry.scope),
    reason: storable(entry.reason),
    ...(command_id === undefined ? {} : { command_id: storable(command_id) }),
    outcome: storable(entry.outcome),
    body: storable(entry.body),
  };
}

/** One JSON object on one line, members by name, absent ones left out; `at` in ISO 8601 with milliseconds, UTC. */
export function canonical(entry: AuditEntry): string {
  const { command_id } = entry;
  return JSON.stringify({
    action: entry.action,
    actor: entry.actor,
    at: new Date(entry.at).toISOString(),
    body: entry.body,
    ...(command_id === undefined ? {} : { command_id }),
    desk_id: entry.desk_id,
    epoch: entry.epoch,
    ordinal: entry.ordinal,
    outcome: entry.outcome,
    reason: entry.reason,
    scope: entry.scope,
  });
}

/** SHA-256 over the hash before (64 hexadecimal digits) and the canonical entry, as 64 hexadecimal digits. */
export function chainHash(previous_hash: string, entry: AuditEntry): string {
  return createHash('sha256').update(previous_hash).update(canonical(entry)).digest('hex');
}
