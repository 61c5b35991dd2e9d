/** A decision that is begun before it is asked for. */

/** What was decided from is no older than it says by more than this. */
const GOOD_FOR_MS = 250;

/** Made now and given once it is asked for; made anew where that comes late. */
export function begun<T>(decide: () => Promise<T>, now: () => number): () => Promise<T> {
  const began = now();
  const decided = decide();
  // Perhaps nobody asks for it.
  decided.catch(() => undefined);
  return () => (now() - began < GOOD_FOR_MS ? decided : decide());
}
