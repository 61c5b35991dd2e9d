/**
 * Hears every event as it is published. What Redis publishes while nobody listens is gone from the channel but not from
 * the streams, so a hole in the connection is reported once listening has begun again, for the reader to fill.
 */
import type { Redis } from 'ioredis';
import { messageOf } from '../errors';
import type { EventEnvelope, UnnumberedEvent } from '../events/envelope';
import { connectRedis, disconnectRedis } from './connection';
import { EVENTS_CHANNEL, HINTS_CHANNEL } from './keys';
import type { Gap } from './outbox';

export interface SubscriberHandlers {
  readonly onEvent: (event: EventEnvelope) => void;
  /** A publisher had to drop events. */
  readonly onGap?: (gap: Gap) => void;
  /** A workflow says it is ending. */
  readonly onHint?: (hint: UnnumberedEvent) => void;
  /** Listening again after a hole that began at `since` (epoch ms). Not called for the first connection. */
  readonly onHole?: (since: number) => void;
  readonly onError?: (error: Error) => void;
}

/** Three in a row of these unanswered would be silence; one is enough, since a command times out after 1.5 s. */
const HEARTBEAT_MS = 2_000;

export class EventSubscriber {
  readonly #redis: Redis;
  readonly #handlers: SubscriberHandlers;
  readonly #heartbeat: NodeJS.Timeout;
  #heardUntil: number | undefined;
  #listening = false;

  constructor(url: string, handlers: SubscriberHandlers) {
    this.#handlers = handlers;
    this.#redis = connectRedis(url, 'holdfast-subscriber', (error) => handlers.onError?.(error));
    this.#redis.on('message', (channel: string, text: string) => {
      this.#hear(channel, text);
    });
    this.#redis.on('ready', () => void this.#listen());
    this.#redis.on('close', () => (this.#listening = false));
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
      await this.#redis.subscribe(EVENTS_CHANNEL, HINTS_CHANNEL);
      this.#listening = true;
      if (this.#heardUntil !== undefined) this.#handlers.onHole?.(this.#heardUntil);
      this.#heardUntil = Date.now();
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
    const message = parse(text);
    if (message === undefined) {
      this.#handlers.onError?.(new Error(`What came over ${channel} is no message of Holdfast.`));
    } else if (channel === HINTS_CHANNEL) {
      this.#handlers.onHint?.(message as UnnumberedEvent);
    } else if (message.type === 'gap') this.#handlers.onGap?.(message);
    else if (isNumbered(message)) this.#handlers.onEvent(message);
    else this.#handlers.onError?.(new Error(`What came over ${channel} is no numbered event.`));
  }
}

type Message = EventEnvelope | UnnumberedEvent | Gap;

/** Anyone can publish on a channel; what is thrown here would end the process. */
function parse(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'type' in value ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
}

function isNumbered(message: Message): message is EventEnvelope {
  const { stream, seq, log_epoch } = message as Partial<EventEnvelope>;
  return typeof stream === 'string' && typeof seq === 'number' && typeof log_epoch === 'string';
}
