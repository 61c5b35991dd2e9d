/** How long an answer waits for what it can do without. */

const WORD_MS = 2_000;

/** What comes within two seconds. A worker has to say it, and without one the rest is still worth showing. */
export async function soon<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, WORD_MS, undefined);
  });
  return Promise.race([answer.catch(() => undefined), late]).finally(() => {
    clearTimeout(timer);
  });
}
