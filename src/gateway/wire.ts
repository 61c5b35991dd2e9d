/**
 * Events as the text that goes to clients, made once however many get it: encoding each for each client is most of what a full room costs.
 *
 * The text is a packet of Socket.IO's protocol (version 5), an event in the main namespace, and goes past the library's own encoder to the
 * engine. It is the same as that encoder's, so a client cannot tell, and the order with what is emitted stays: both end in the engine's queue.
 */
import type { EventEnvelope } from '../events/envelope';

/** A text is kept as long as its event, which nobody keeps for long. */
const texts = new WeakMap<EventEnvelope, string>();

/** Of the clients of one room many get the same batch in the same turn. */
let lastBatch: { readonly events: readonly EventEnvelope[]; readonly packet: string } | undefined;

export function eventPacket(event: EventEnvelope): string {
  return `2["workflow_event",${textOf(event)}]`;
}

export function batchPacket(events: readonly EventEnvelope[]): string {
  if (lastBatch === undefined || !isSame(lastBatch.events, events)) {
    lastBatch = { events, packet: `2["workflow_event_batch",[${events.map(textOf).join(',')}]]` };
  }
  return lastBatch.packet;
}

function textOf(event: EventEnvelope): string {
  const known = texts.get(event);
  if (known !== undefined) return known;
  const text = JSON.stringify(event);
  texts.set(event, text);
  return text;
}

function isSame(some: readonly EventEnvelope[], others: readonly EventEnvelope[]): boolean {
  return some.length === others.length && some.every((event, index) => event === others[index]);
}
