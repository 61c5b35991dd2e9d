import type { DenialCode } from '../../emergency/model';
import { HoldfastError, type ErrorCode } from '../../errors';

export function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof HoldfastError ? error.code : undefined;
}

/** The desk says these only after it has found that it never granted the permit's id. */
export function isDenial(error: unknown): boolean {
  return DENIALS.has(codeOf(error));
}

const DENIALS: ReadonlySet<unknown> = new Set<DenialCode>([
  'AuditUnavailable',
  'DeskBusy',
  'LimitExceeded',
  'PositionUnproven',
  'UnknownScope',
  'WrongCurrency',
]);
