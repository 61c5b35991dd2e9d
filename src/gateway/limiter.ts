/** A token bucket. */

export interface Rate {
  readonly per_second: number;
  readonly burst: number;
}

/** Says of each call whether it may pass. */
export function limiter({ per_second, burst }: Rate): () => boolean {
  let tokens = burst;
  let last = Date.now();
  return () => {
    const now = Date.now();
    tokens = Math.min(burst, tokens + ((now - last) / 1_000) * per_second);
    last = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
