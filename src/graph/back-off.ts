import type { RetryTraits } from './kinds';

/** The wait after this attempt, counted from 1, before the next; in milliseconds. */
export function retryDelay({ initial_ms, backoff, max_ms }: RetryTraits, attempt: number): number {
  return Math.min(initial_ms * backoff ** (attempt - 1), Math.max(max_ms, initial_ms));
}
