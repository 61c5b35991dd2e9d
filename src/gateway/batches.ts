/**
 * What one client is told of busy rooms, where it asked for batches: each event at once while little happens, else one message per window.
 * Within a window only the last state of a node is kept. What a node began, waits for or tries again is said once more by whatever
 * follows; ends, and all that is about no node, are never left out.
 */
import { nodeKey } from '../events/build';
import type { EventEnvelope } from '../events/envelope';

export interface BatchOutlet {
  one(event: EventEnvelope): void;
  many(events: readonly EventEnvelope[]): void;
}

const SHORTEST_MS = 16;
const LONGEST_MS = 100;
/** Events of one window from which the next is twice as long. */
const MANY = 50;
const PROGRESS: ReadonlySet<string> = new Set(['node_started', 'node_retrying', 'node_waiting']);

export class Batches {
  readonly #outlet: BatchOutlet;
  /** By what may stand for it: a node's progress under the node, all else under itself. */
  readonly #waiting = new Map<string | EventEnvelope, EventEnvelope>();
  #window = SHORTEST_MS;
  #timer: NodeJS.Timeout | undefined;

  constructor(outlet: BatchOutlet) {
    this.#outlet = outlet;
  }

  add(event: EventEnvelope): void {
    if (this.#timer === undefined) {
      this.#outlet.one(event);
      this.#open();
      return;
    }
    const node = progressKey(event);
    if (node !== undefined) this.#waiting.delete(node);
    this.#waiting.set(node !== undefined && PROGRESS.has(event.type) ? node : event, event);
  }

  /** Sends what waits: before anything else is said, or what is older would come after it. */
  flush(): void {
    const events = [...this.#waiting.values()];
    this.#waiting.clear();
    if (events.length > 0) this.#outlet.many(events);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  #open(): void {
    this.#timer = setTimeout(() => {
      this.#end();
    }, this.#window);
    this.#timer.unref();
  }

  /** A window in which nothing came is the last. */
  #end(): void {
    const count = this.#waiting.size;
    this.#window = count >= MANY ? Math.min(LONGEST_MS, this.#window * 2) : SHORTEST_MS;
    this.flush();
    this.#timer = undefined;
    if (count > 0) this.#open();
  }
}

/** The node whose state an event tells, undefined for what is about no node or about its worker's breakers. */
function progressKey({ type, stream, node_id, frame = '' }: EventEnvelope): string | undefined {
  return node_id === undefined || !type.startsWith('node_') ? undefined : `${stream} ${nodeKey(frame, node_id)}`;
}
