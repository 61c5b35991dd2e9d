/**
 * What waits to be published: bounded in number and in bytes. When it is full the oldest progress goes first, because a
 * snapshot can do without it; then the oldest of the rest. What was dropped is counted per stream until it is announced.
 */
import type { Publication } from '../events/build';
import type { EventType } from '../events/envelope';
import { isObject } from '../json';
import { Fifo } from './fifo';

export interface OutboxLimits {
  readonly events: number;
  readonly bytes: number;
}

/** One publication, already serialised: what happens to the caller's objects later does not reach the log. */
export interface Outgoing {
  readonly publication: Publication;
  readonly json: string;
  readonly order: number;
  /** As it was given with it. */
  readonly queued_at: number;
}

/** Told to readers once Redis is back. `streams` is cut at 1,000; `complete` says whether it names them all. */
export interface Gap {
  readonly type: 'gap';
  readonly dropped: number;
  readonly streams: readonly string[];
  readonly complete: boolean;
}

/** Anyone who reaches Redis can write there. */
export function isGap(message: unknown): message is Gap {
  if (!isObject(message) || message['type'] !== 'gap') return false;
  const { dropped, streams, complete } = message;
  const areStreams = Array.isArray(streams) && streams.every((each) => typeof each === 'string');
  return areStreams && Number.isSafeInteger(dropped) && typeof complete === 'boolean';
}

const PROGRESS: ReadonlySet<EventType> = new Set(['node_started', 'node_retrying', 'node_waiting']);
const MOST_STREAMS = 1_000;

export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #progress = new Fifo<Outgoing>();
  readonly #lasting = new Fifo<Outgoing>();
  readonly #droppedStreams = new Set<string>();
  #order = 0;
  #bytes = 0;
  #unannounced = 0;
  #dropped = 0;
  #unnamed = false;

  constructor(limits: OutboxLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#progress.length + this.#lasting.length;
  }

  /** Since the beginning. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `now`: milliseconds of any clock. */
  push(publication: Publication, now = 0): void {
    const item = { publication, json: JSON.stringify(publication.event), order: this.#order++, queued_at: now };
    (PROGRESS.has(publication.event.type) ? this.#progress : this.#lasting).push(item);
    this.#bytes += item.json.length;
    while (this.length > this.#limits.events || this.#bytes > this.#limits.bytes) this.#drop();
  }

  /** The oldest `most`, in the order they were pushed; they are the caller's from here on. */
  take(most: number): Outgoing[] {
    const taken: Outgoing[] = [];
    while (taken.length < most) {
      const item = this.#shiftOldest();
      if (item === undefined) break;
      taken.push(item);
    }
    return taken;
  }

  /** What was dropped since the last call, or nothing. */
  takeGap(): Gap | undefined {
    if (this.#unannounced === 0) return undefined;
    const streams = [...this.#droppedStreams];
    const gap: Gap = { type: 'gap', dropped: this.#unannounced, streams, complete: !this.#unnamed };
    this.#unannounced = 0;
    this.#unnamed = false;
    this.#droppedStreams.clear();
    return gap;
  }

  #shiftOldest(): Outgoing | undefined {
    const progress = this.#progress.peek()?.order ?? Infinity;
    const lasting = this.#lasting.peek()?.order ?? Infinity;
    return this.#release((progress < lasting ? this.#progress : this.#lasting).shift());
  }

  #drop(): void {
    const item = this.#release(this.#progress.shift() ?? this.#lasting.shift());
    if (item === undefined) return;
    this.#dropped += 1;
    this.#unannounced += 1;
    if (this.#droppedStreams.size < MOST_STREAMS) this.#droppedStreams.add(item.publication.event.stream);
    else if (!this.#droppedStreams.has(item.publication.event.stream)) this.#unnamed = true;
  }

  #release(item: Outgoing | undefined): Outgoing | undefined {
    if (item !== undefined) this.#bytes -= item.json.length;
    return item;
  }
}
