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

/** The condition node at the end of a body that `while` stands for. */
export const LOOP_GUARD = ':while';

/** What a reference may start with beside a node: what the execution was started with, and the item a loop is at. */
export const SCOPE_IDS: ReadonlySet<string> = new Set(['input', 'item']);

const LONGEST_MESSAGE_NAME = 200;

/** What a message can be delivered under, and waited for. */
export function isMessageName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name.length <= LONGEST_MESSAGE_NAME;
}
