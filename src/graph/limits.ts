/** What one graph may be at most. */
export const MAX_BYTES = 1_048_576;
export const MAX_DEPTH = 64;
export const MAX_NODES = 10_000;
/** Bodies inside bodies. */
export const MAX_BODY_DEPTH = 5;
/** Graph, traits and start inputs together. */
export const MAX_INPUT_BYTES = Math.floor(1.5 * 1_048_576);
/** What travels to the next run beside them: the server takes 2 MiB for all of it, and states and turns need their share. */
export const MAX_CARRIED_BYTES = Math.floor(1.8 * 1_048_576);

/** Levels of a value that enters an execution: it is walked by recursion, and some thousand levels exhaust the stack. */
export const MAX_VALUE_DEPTH = 256;

/** Length in UTF-8. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
