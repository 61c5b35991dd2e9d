import { HoldfastError } from '../../src/errors';

/** Waits for a condition, looking every few milliseconds; throws with `what` at the deadline. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  deadlineMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const result = await condition();
    if (result !== undefined && result !== false) return result;
    if (Date.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * The answer to a question that is asked again while an answer is only late: whoever lost its worker may be silent for longer than one call
 * waits. A command of a desk is answered once, however often it is sent.
 */
export async function answered<T>(question: () => Promise<T>, deadlineMs = 60_000): Promise<T> {
  const { answer } = await until(
    'it is answered',
    async () => {
      try {
        // An answer may be none.
        return { answer: await question() };
      } catch (error) {
        if (error instanceof HoldfastError && error.entry.retryable) return undefined;
        throw error;
      }
    },
    deadlineMs,
  );
  return answer;
}

/** Until the clock shows another second. Two starts of one schedule within a second share an execution id, and the latter is lost. */
export async function anotherSecond(): Promise<void> {
  const second = () => Math.floor(Date.now() / 1_000);
  const begun = second();
  await until('the second is over', () => second() > begun);
}
