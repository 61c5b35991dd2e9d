/**
 * How a workflow publishes. Sinks cost no history and no time; one call may be lost with its worker or told twice. Ids make the
 * repeat harmless, and the gateway's reconciler finds what was lost.
 */
import { proxySinks, type Sinks } from '@temporalio/workflow';
import { executionEvent, nodeEvent, type ExecutionContext, type Publication } from '../events/build';
import type { ExecutionFact, NodeFact, NodeTurn } from '../events/envelope';

export interface EventSinks extends Sinks {
  events: { publish(publication: Publication): void };
}

export const sinks = proxySinks<EventSinks>();

/** `ordinal`: see `executionEvent`. */
export function tellExecution(context: ExecutionContext, ordinal: number | 'ending', fact: ExecutionFact): void {
  sinks.events.publish(executionEvent(context, ordinal, fact, Date.now()));
}

export function tellNode(context: ExecutionContext, turn: NodeTurn, fact: NodeFact): void {
  sinks.events.publish(nodeEvent(context, turn, fact, Date.now()));
}
