/**
 * How executions are called. Whoever may speak of one names it: addresses, messages, rooms, cursors. An id only some of them take could be
 * started and not be halted from everywhere.
 */

/** `~` and a number follow where the subgraph of a node that was retried runs anew. */
export const EXECUTION_ID = /^[A-Za-z0-9][\w:.~-]*$/;
/** Characters; Temporal takes no longer one. */
export const LONGEST_ID = 1_000;
/** Those of its subgraphs are longer by their nodes. */
const LONGEST_GIVEN = 300;

/** What every object has by inheritance is none: looked up as a key it would be found. */
export function isExecutionId(text: string): boolean {
  return EXECUTION_ID.test(text) && text.length <= LONGEST_ID && !(text in Object.prototype);
}

/** Whether an execution may be started under it. */
export function mayBeGiven(text: string): boolean {
  return isExecutionId(text) && text.length <= LONGEST_GIVEN;
}
