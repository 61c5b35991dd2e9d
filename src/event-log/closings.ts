/**
 * Closings over Redis: the fastest way to every worker, and no more than that. Redis can lose them, and anyone who reaches it can
 * publish; so they are signed, good for half a minute, and never open anything.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Redis } from 'ioredis';
import { canonicalClosing, readClosing, type Closing, type SignedClosing } from '../emergency/closing';
import { HoldfastError, messageOf } from '../errors';
import { connectRedis, disconnectRedis } from './connection';
import { closingsChannel } from './keys';
import { parsed } from './read-event';

/** How far a closing's time may be from the hearer's clock, milliseconds. */
export const CLOSING_VALID_MS = 30_000;
/** Of the text of one. */
export const LARGEST_CLOSING = 4_096;
const PING_EVERY_MS = 1_000;
/** With the interval, well within the three seconds after which silence is a gap. */
const PING_DEADLINE_MS = 1_000;
const READY_WITHIN_MS = 1_000;

export function signClosing(closing: Closing, key: string): SignedClosing {
  return { ...closing, signature: hmacOf(closing, key).toString('hex') };
}

export type ClosingRefusal = 'oversized' | 'unreadable' | 'forged' | 'late';

export interface ClosingExpectation {
  readonly desk: string;
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The closing in a message, or why it counts for nothing. */
export function openClosing(text: string, { desk, key, now }: ClosingExpectation): SignedClosing | ClosingRefusal {
  if (text.length > LARGEST_CLOSING) return 'oversized';
  const closing = readClosing(parsed(text));
  if (closing === undefined) return 'unreadable';
  if (!timingSafeEqual(hmacOf(closing, key), Buffer.from(closing.signature, 'hex'))) return 'forged';
  // One for another desk was signed by somebody who may, and put on this channel by somebody who may not.
  if (closing.desk !== desk) return 'forged';
  return Math.abs(now - closing.issued_at) > CLOSING_VALID_MS ? 'late' : closing;
}

function hmacOf(closing: Closing, key: string): Buffer {
  return createHmac('sha256', key).update(canonicalClosing(closing)).digest();
}

export class ClosingPublisher {
  readonly #redis: Redis;
  readonly #key: string;

  constructor(url: string, key: string, onError: (error: Error) => void = () => undefined) {
    this.#key = key;
    this.#redis = connectRedis(url, 'holdfast-closings', onError);
  }

  /**
   * Returns how many connections of one Redis server heard it. Throws `RedisUnavailable`, after two and a half seconds at the latest:
   * the command goes its own way whatever happens here.
   */
  async publish(closing: Closing): Promise<number> {
    try {
      await this.#ready();
      return await this.#redis.publish(closingsChannel(closing.desk), JSON.stringify(signClosing(closing, this.#key)));
    } catch (error) {
      throw new HoldfastError('RedisUnavailable', `The closing could not be published: ${messageOf(error)}`);
    }
  }

  close(): void {
    disconnectRedis(this.#redis);
  }

  async #ready(): Promise<void> {
    if (this.#redis.status === 'ready') return;
    await new Promise<void>((resolve, reject) => {
      const onReady = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#redis.off('ready', onReady);
        reject(new Error(`no connection within ${READY_WITHIN_MS} ms`));
      }, READY_WITHIN_MS);
      this.#redis.once('ready', onReady);
    });
  }
}

export interface ClosingHandlers {
  readonly onClosing: (closing: Closing) => void;
  /** Listening has begun, or begun again: whoever reads the desk after this misses nothing. */
  readonly onLive: () => void;
  /** Nothing is heard any more. Once per loss. */
  readonly onGap: (why: string) => void;
  /** Redis answered just now on the connection that listens. */
  readonly onBeat?: () => void;
  readonly onRefused?: (why: ClosingRefusal) => void;
  readonly onError?: (error: Error) => void;
}

export interface ClosingSubscriberOptions extends ClosingHandlers {
  readonly url: string;
  readonly desk: string;
  readonly key: string;
}

export type ClosingCounts = Readonly<Record<'heard' | ClosingRefusal, number>>;

/**
 * A connection of its own that listens and is asked every second whether it still does: a Redis that hangs, or a network that swallows,
 * is noticed after two seconds although nothing ever closes.
 */
export class ClosingSubscriber {
  readonly #redis: Redis;
  readonly #options: ClosingSubscriberOptions;
  readonly #heartbeat: NodeJS.Timeout;
  readonly #counts = { heard: 0, oversized: 0, unreadable: 0, forged: 0, late: 0 };
  #isLive = false;
  #isClosed = false;

  constructor(options: ClosingSubscriberOptions) {
    this.#options = options;
    this.#redis = connectRedis(options.url, 'holdfast-gate', (error) => options.onError?.(error));
    this.#redis.on('message', (_channel: string, text: string) => {
      this.#hear(text);
    });
    this.#redis.on('ready', () => void this.#listen());
    this.#redis.on('close', () => {
      this.#lose('the connection to Redis closed');
    });
    this.#heartbeat = setInterval(() => void this.#beat(), PING_EVERY_MS);
    this.#heartbeat.unref();
  }

  get counts(): ClosingCounts {
    return { ...this.#counts };
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#heartbeat);
    disconnectRedis(this.#redis);
  }

  async #listen(): Promise<void> {
    try {
      await withDeadline(this.#redis.subscribe(closingsChannel(this.#options.desk)));
      this.#isLive = true;
      this.#options.onBeat?.();
      this.#options.onLive();
    } catch (error) {
      this.#drop(error);
    }
  }

  async #beat(): Promise<void> {
    if (!this.#isLive) return;
    try {
      await withDeadline(this.#redis.ping());
      this.#options.onBeat?.();
    } catch (error) {
      this.#drop(error);
    }
  }

  #drop(error: unknown): void {
    this.#lose(messageOf(error));
    if (this.#redis.status === 'ready') this.#redis.disconnect(true);
  }

  #lose(why: string): void {
    if (!this.#isLive || this.#isClosed) return;
    this.#isLive = false;
    this.#options.onGap(why);
  }

  #hear(text: string): void {
    const { desk, key, onClosing, onRefused } = this.#options;
    const opened = openClosing(text, { desk, key, now: Date.now() });
    if (typeof opened === 'string') {
      this.#counts[opened] += 1;
      onRefused?.(opened);
      return;
    }
    this.#counts.heard += 1;
    onClosing(opened);
  }
}

/** The loser's rejection is heard by the race, so it is never unhandled. */
async function withDeadline<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Redis did not answer within ${PING_DEADLINE_MS} ms`));
    }, PING_DEADLINE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
