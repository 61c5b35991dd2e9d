/** Events as they come out of Redis, where others than the log may have written. */
import { isEvent } from '../events/shape';
import type { EventEnvelope } from '../events/envelope';

/** Undefined for what is no event. */
export function readEvent(text: string): EventEnvelope | undefined {
  const value = parsed(text);
  return isEvent(value) ? value : undefined;
}

/** Undefined for what is no JSON; what is thrown here would end the process. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
