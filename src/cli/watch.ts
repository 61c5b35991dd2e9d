import { setTimeout as pause } from 'node:timers/promises';
import type { Io } from './io';

const CLEAR = '\u001B[H\u001B[2J\u001B[3J';

export interface WatchOptions {
  readonly every_ms: number;
  /** Whether the screen is cleared before each; only where there is one. */
  readonly redraws: boolean;
}

/** Shows again and again until Ctrl-C. What `show` throws ends it. */
export async function watch(io: Io, { every_ms, redraws }: WatchOptions, show: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const release = io.onInterrupt(() => {
    stop.abort();
  });
  try {
    while (!stop.signal.aborted) {
      if (redraws) io.out(CLEAR);
      await show();
      await pause(every_ms, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    release();
  }
}
