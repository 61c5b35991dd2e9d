import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 20;

/** Asks again and again until there is an answer; undefined when the deadline passes first. Errors end it. */
export async function until<T>(ms: number, ask: () => Promise<T | undefined>, every = POLL_MS): Promise<T | undefined> {
  const deadline = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() >= deadline) return undefined;
    await pause(every);
  }
}
