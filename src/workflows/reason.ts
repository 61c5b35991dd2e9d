/** Reasons as signals carry them, whose payload may not even be JSON. */
import * as emergency from '../emergency/reason';
import { isUnreadable } from './payload-converter';

/** What cannot be read lowers nothing; see the pure rule. */
export function resumeReason(payload: unknown): string | undefined {
  return isUnreadable(payload) ? undefined : emergency.resumeReason(payload);
}
