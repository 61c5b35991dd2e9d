/**
 * The clock of a recorded market: recorded time as a pure function of wall time. Every worker computes the same instant
 * without talking to another, and a restart goes on where the clock stands, not where the process stopped.
 */

export interface ReplayWindow {
  /** First instant of the replay, UTC epoch milliseconds. */
  readonly start_ms: number;
  /** The instant after the last one; the replay goes on at `start_ms`. */
  readonly end_ms: number;
  /** Recorded milliseconds per wall millisecond. */
  readonly speed: number;
  /** The wall time at which the replay stands at `start_ms`; 0 when absent. */
  readonly anchor_ms?: number;
}

/** Recorded time at a wall time: whole milliseconds in `[start_ms, end_ms)`. */
export function replayTime(wallMs: number, window: ReplayWindow): number {
  const { start_ms, end_ms } = window;
  const span = end_ms - start_ms;
  const into = replayedSince(wallMs, window) % span;
  return start_ms + (into < 0 ? into + span : into);
}

/** Recorded milliseconds that passed since the anchor, all rounds of the replay together: it never goes back. */
export function replayedSince(wallMs: number, { speed, anchor_ms = 0 }: ReplayWindow): number {
  return Math.floor((wallMs - anchor_ms) * speed);
}
