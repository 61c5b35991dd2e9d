/** Names of the language. */

export const NODE_ID = /^[A-Za-z][A-Za-z0-9_-]*$/;
export const RESERVED_IDS: ReadonlySet<string> = new Set(['input', 'item', 'success', 'error', 'finished']);

/**
 * `when` on a node becomes a condition node of its own under this id. The colon keeps it apart from every id an author
 * can write.
 */
export function guardIdOf(nodeId: string): string {
  return `${nodeId}:when`;
}
