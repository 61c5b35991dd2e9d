/**
 * How a workflow publishes. Sinks cost no history and no time; one call may be lost with its worker or told twice. Ids make the
 * repeat harmless, and the gateway's reconciler finds what was lost.
 */
import { proxySinks, type Sinks } from '@temporalio/workflow';
import type { Publication } from '../events/build';

export interface EventSinks extends Sinks {
  events: { publish(publication: Publication): void };
}

export const sinks = proxySinks<EventSinks>();
