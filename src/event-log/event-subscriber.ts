/**
 * Hears every event as it is published. What Redis publishes while nobody listens is gone from the channel but not from
 * the streams, so a hole in the connection is reported once listening has begun again, for the reader to fill.
 */
import type { Redis } from 'ioredis';
import { messageOf } from '../errors';
import type { EventEnvelope, UnnumberedEvent } from '../events/envelope';
import { LONGEST_ID } from '../events/execution-id';
import { isEvent } from '../events/shape';
import { isObject } from '../json';
import { connectRedis, disconnectRedis } from './connection';
import { HINTS_CHANNEL, Partitions } from './keys';
import { isGap, type Gap } from './outbox';
import { parsed } from './read-event';

export interface SubscriberHandlers {
  readonly onEvent: (event: EventEnvelope) => void;
  /** A publisher had to drop events. */
  readonly onGap?: (gap: Gap) => void;
  /** A workflow says it is ending. */
  readonly onHint?: (hint: UnnumberedEvent) => void;
  /** Listening for the first time. */
  readonly onFirst?: () => void;
  /** Listening again after a hole that began at `since` (epoch ms). Not called for the first connection. */
  readonly onHole?: (since: number) => void;
  /** Something on `channel` that is no message of its kind. */
  readonly onRefused?: (channel: string) => void;
  readonly onError?: (error: Error) => void;
}

/** Three in a row of these unanswered would be silence; one is enough, since a command times out after 1.5 s. */
const HEARTBEAT_MS = 2_000;
/** Characters. Outputs are cut at 16 KiB, and a gap names at most 1,000 streams. */
const LARGEST_MESSAGE = 1024 * 1024;

export class EventSubscriber {
  readonly #redis: Redis;
  readonly #handlers: SubscriberHandlers;
  readonly #channels: readonly string[];
  readonly #heartbeat: NodeJS.Timeout;
  #heardUntil: number | undefined;
  #listening = false;
  /** What a new connection brought before its hole was reported: passed on first, it would hide what lies in the hole. */
  #early: (readonly [channel: string, text: string])[] = [];

  /** `partitions`: of the log. Who listens to another number of them hears less than all, so a reader is asked beside it. */
  constructor(url: string, handlers: SubscriberHandlers, partitions = 1) {
    this.#handlers = handlers;
    this.#channels = [...new Partitions(partitions).all.map(({ channel }) => channel), HINTS_CHANNEL];
    this.#redis = connectRedis(url, 'holdfast-subscriber', (error) => handlers.onError?.(error));
    this.#redis.on('message', (channel: string, text: string) => {
      if (this.#listening) this.#hear(channel, text);
      else this.#early.push([channel, text]);
    });
    this.#redis.on('ready', () => void this.#listen());
    this.#redis.on('close', () => {
      this.#listening = false;
      this.#early = [];
    });
    this.#heartbeat = setInterval(() => void this.#beat(), HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  get listening(): boolean {
    return this.#listening;
  }

  close(): void {
    clearInterval(this.#heartbeat);
    disconnectRedis(this.#redis);
  }

  async #listen(): Promise<void> {
    try {
      await this.#redis.subscribe(...this.#channels);
      this.#listening = true;
      if (this.#heardUntil === undefined) this.#handlers.onFirst?.();
      else this.#handlers.onHole?.(this.#heardUntil);
      this.#heardUntil = Date.now();
      const early = this.#early;
      this.#early = [];
      for (const [channel, text] of early) this.#hear(channel, text);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A connection that is half open delivers nothing and never closes; only a question shows it. */
  async #beat(): Promise<void> {
    if (!this.#listening) return;
    try {
      await this.#redis.ping();
      this.#heardUntil = Date.now();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#handlers.onError?.(new Error(messageOf(error)));
    this.#listening = false;
    if (this.#redis.status === 'ready') this.#redis.disconnect(true);
  }

  #hear(channel: string, text: string): void {
    const message = text.length > LARGEST_MESSAGE ? undefined : parsed(text);
    const isKnown = channel === HINTS_CHANNEL ? this.#hearHint(message) : this.#hearEvent(message);
    if (!isKnown) this.#handlers.onRefused?.(channel);
  }

  #hearHint(message: unknown): boolean {
    if (!isHint(message)) return false;
    this.#handlers.onHint?.(message);
    return true;
  }

  #hearEvent(message: unknown): boolean {
    if (isGap(message)) this.#handlers.onGap?.(message);
    else if (isEvent(message)) this.#handlers.onEvent(message);
    else return false;
    return true;
  }
}

/** A workflow's word carries no place in a stream yet. */
function isHint(message: unknown): message is UnnumberedEvent {
  if (!isObject(message)) return false;
  const { type, execution_id = '' } = message;
  return typeof type === 'string' && typeof execution_id === 'string' && execution_id.length <= LONGEST_ID;
}
