/**
 * All events, once each and in order per stream, however the connection to Redis behaves: what the channel did not carry is
 * read from the streams. What is gone from there too is told as a gap.
 */
import {
  EventSubscriber,
  isAfter,
  type Cursor,
  type EventReader,
  type Gap,
  type SubscriberHandlers,
} from '../event-log';
import type { EventEnvelope, UnnumberedEvent } from '../events/envelope';
import type { Logger } from '../logging';
import { HoldfastError, messageOf } from '../errors';
import type { GapNotice } from './protocol';

export interface FeedListeners {
  readonly onEvent: (event: EventEnvelope) => void;
  readonly onGap: (gap: GapNotice) => void;
  readonly onHint: (hint: UnnumberedEvent) => void;
  /** Something came over a channel that is no event, or one that the log does not hold. */
  readonly onRefused: (where: string) => void;
}

interface Waiting {
  readonly event: EventEnvelope;
  /** The log was read after it had come. */
  readonly wasRead: boolean;
}

/** What is no more in the log. */
interface Missed {
  readonly stream: string;
  readonly reason: 'out_of_reach' | 'log_restarted';
  readonly dropped: number;
}

/** Streams one gap names. */
const MOST_IN_GAP = 1_000;
/** Streams whose position is remembered. */
const MOST_STREAMS = 20_000;
/** A stream's whole window. */
const FILL_LIMIT = 2_000;
/** For a clock that was set back meanwhile. */
const SLACK_MS = 60_000;
/** Nobody has looked into the log for it yet, or been told that something is missing. */
const JUST_COME = { wasRead: false, gapTold: false };

export class EventFeed {
  readonly #reader: EventReader;
  readonly #listeners: FeedListeners;
  readonly #log: Logger;
  readonly #subscriber: EventSubscriber;
  readonly #positions = new Map<string, Cursor>();
  /** What arrives while fills are pending, for when the last of them is over. */
  #waiting: Waiting[] = [];
  #pendingFills = 0;
  #fills = 0;
  #lastFill: Promise<void> = Promise.resolve();
  /** A pending fill failed and a gap was told: holes before what waits are not read again. */
  #unfilled = false;
  #closed = false;
  readonly #begun: Promise<void>;

  constructor(redisUrl: string, reader: EventReader, log: Logger, listeners: FeedListeners) {
    this.#reader = reader;
    this.#listeners = listeners;
    this.#log = log;
    let begin: () => void = () => undefined;
    this.#begun = new Promise((resolve) => (begin = resolve));
    const handlers: SubscriberHandlers = {
      onFirst: () => {
        begin();
      },
      onEvent: (event) => {
        this.#accept(event);
      },
      onGap: (gap) => {
        this.#tellGap(gap, 'dropped');
      },
      onHint: listeners.onHint,
      onRefused: listeners.onRefused,
      onHole: (since) => {
        this.#fill(() => this.#afterHole(since));
      },
      onError: (error) => {
        log.warn({ error: error.message }, 'redis_subscription_failing');
      },
    };
    this.#subscriber = new EventSubscriber(redisUrl, handlers, reader.partitions);
  }

  get listening(): boolean {
    return this.#subscriber.listening;
  }

  /** How often the log was read for what a channel had not carried. */
  get backfills(): number {
    return this.#fills;
  }

  /** Resolves once it has listened: what is published before that it never brings. Throws `RedisUnavailable` at the deadline. */
  async begun(deadlineMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new HoldfastError('RedisUnavailable', 'The gateway hears nothing of Redis yet.'));
      }, deadlineMs);
    });
    await Promise.race([this.#begun, late]).finally(() => {
      clearTimeout(timer);
    });
  }

  close(): void {
    this.#closed = true;
    this.#subscriber.close();
  }

  #accept(event: EventEnvelope, { wasRead, gapTold } = JUST_COME): void {
    if (this.#pendingFills > 0) {
      this.#waiting.push({ event, wasRead });
      return;
    }
    const position = this.#positions.get(event.stream);
    if (position === undefined || isNext(position, event)) this.#pass(event);
    else if (isAfter(event, position)) this.#leap(event, position, { wasRead, gapTold });
  }

  /**
   * An event that does not follow on the one before it: a hole, or an epoch nobody has heard of. The log holds every event before
   * the channel carries it; one that is not there once the log was read is somebody else's, and believed it would silence the stream.
   */
  #leap(event: EventEnvelope, position: Cursor, { wasRead, gapTold }: typeof JUST_COME): void {
    if (gapTold) {
      if (event.log_epoch !== position.log_epoch)
        this.#tellMissed([{ stream: event.stream, reason: 'log_restarted', dropped: 0 }]);
      this.#pass(event);
    } else if (wasRead) this.#listeners.onRefused(event.stream);
    else {
      this.#waiting.push({ event, wasRead: true });
      this.#fill(async () => {
        this.#tellMissed([await this.#readOn(event.stream, this.#positions.get(event.stream) ?? position)]);
      });
    }
  }

  #pass(event: EventEnvelope): void {
    this.#positions.delete(event.stream);
    this.#positions.set(event.stream, { log_epoch: event.log_epoch, seq: event.seq });
    if (this.#positions.size > MOST_STREAMS) {
      const oldest = this.#positions.keys().next().value;
      if (oldest !== undefined) this.#positions.delete(oldest);
    }
    this.#listeners.onEvent(event);
  }

  /** One at a time: two reading the same stream would pass its events twice. */
  #fill(read: () => Promise<void>): void {
    this.#pendingFills += 1;
    this.#fills += 1;
    this.#lastFill = this.#lastFill.then(() => this.#runFill(read));
  }

  /** Never rejects, or no later fill would run. */
  async #runFill(read: () => Promise<void>): Promise<void> {
    try {
      if (!this.#closed) await read();
    } catch (error) {
      if (!this.#closed) this.#giveUp(error);
    }
    this.#pendingFills -= 1;
    if (this.#pendingFills === 0) this.#release();
  }

  #giveUp(error: unknown): void {
    this.#log.warn({ error: messageOf(error) }, 'event_hole_not_filled');
    this.#unfilled = true;
    this.#tellGap({ dropped: 0, streams: [], complete: false }, 'out_of_reach');
  }

  #release(): void {
    const [waiting, gapTold] = [this.#waiting, this.#unfilled];
    this.#waiting = [];
    this.#unfilled = false;
    if (this.#closed) return;
    for (const { event, wasRead } of waiting) this.#accept(event, { wasRead, gapTold });
  }

  /** Streams that moved during the hole: known ones from where they were, others, which began in it, from their start. */
  async #afterHole(since: number): Promise<void> {
    // How long it was, not when: this clock and that of Redis may differ.
    const within = Math.max(0, Date.now() - since) + SLACK_MS;
    const moved = await this.#reader.movedWithin(within);
    const missed: (Missed | undefined)[] = [];
    for (const stream of new Set([...this.#positions.keys(), ...moved.found])) {
      missed.push(await this.#readOn(stream, this.#positions.get(stream)));
    }
    this.#tellMissed(missed);
    // What was never in the log, and was said while nobody listened.
    const gaps = await this.#reader.gapsWithin(within);
    for (const gap of gaps.found) this.#tellGap(gap, 'dropped');
    // A full list may leave out others.
    if (!moved.complete || !gaps.complete) this.#tellGap({ dropped: 0, streams: [], complete: false }, 'out_of_reach');
  }

  /** Passes on what came after a position; gives what of it is no more. */
  async #readOn(stream: string, after: Cursor | undefined): Promise<Missed | undefined> {
    const { events, recovered, position } = await this.#reader.replay(stream, after, FILL_LIMIT);
    if (recovered) {
      for (const event of events) this.#pass(event);
      return undefined;
    }
    if (position.log_epoch === after?.log_epoch) {
      this.#positions.set(stream, position);
      return { stream, reason: 'out_of_reach', dropped: Math.max(0, position.seq - after.seq) };
    }
    this.#positions.delete(stream);
    return { stream, reason: 'log_restarted', dropped: 0 };
  }

  /** Many together: a Redis that was restarted has lost something of every stream, and each client hears of all of them. */
  #tellMissed(all: readonly (Missed | undefined)[]): void {
    const missed = all.filter((each) => each !== undefined);
    for (const reason of ['out_of_reach', 'log_restarted'] as const) {
      const these = missed.filter((each) => each.reason === reason);
      for (let at = 0; at < these.length; at += MOST_IN_GAP) {
        const some = these.slice(at, at + MOST_IN_GAP);
        const dropped = some.reduce((sum, each) => sum + each.dropped, 0);
        this.#tellGap({ dropped, streams: some.map(({ stream }) => stream), complete: true }, reason);
      }
    }
  }

  #tellGap({ dropped, streams, complete }: Omit<Gap, 'type'>, reason: GapNotice['reason']): void {
    this.#listeners.onGap({ reason, dropped, streams, complete });
  }
}

function isNext(position: Cursor, event: EventEnvelope): boolean {
  return event.log_epoch === position.log_epoch && event.seq === position.seq + 1;
}
