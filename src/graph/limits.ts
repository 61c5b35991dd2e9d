/** What one graph may be at most. */
export const MAX_BYTES = 1_048_576;
export const MAX_DEPTH = 64;
export const MAX_NODES = 10_000;
/** Graph and traits together; the server's 2 MiB must also hold the state at continue-as-new. */
export const MAX_INPUT_BYTES = Math.floor(1.8 * 1_048_576);

/** Length in UTF-8. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
