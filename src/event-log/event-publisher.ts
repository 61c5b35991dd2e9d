/**
 * Puts events into the log without ever making its caller wait or fail: `publish` only queues.
 *
 * P1. One batch is under way at a time, in the order published. It leaves the memory once Redis has answered for it.
 * P2. A batch without an answer is sent again on a new connection; the script knows an event it has already taken.
 *     The old connection is dropped, or a hung Redis would collect a copy of the batch in it with every try.
 * P3. The outbox is bounded; what it drops is announced as a `gap` before the events after it, and the announcement is kept: who
 *     listens was away for the same reason as the publisher, and may be back later.
 */
import { performance } from 'node:perf_hooks';
import type { Redis } from 'ioredis';
import type { Publication } from '../events/build';
import { HoldfastError, messageOf } from '../errors';
import { connectRedis, disconnectRedis, serverRunId } from './connection';
import { HINTS_CHANNEL, Partitions } from './keys';
import { agreeOnPartitions } from './layout';
import { addPublish, claimStream, definePublish, renewStream, tellGap, type Writer } from './log-commands';
import { Outbox, type Gap, type Outgoing } from './outbox';

export interface PublisherOptions {
  /** Events kept while Redis is away, default 10,000. */
  readonly max_events?: number;
  /** Their bytes as JSON, default 32 MiB. */
  readonly max_bytes?: number;
  /** Of the log, default 1; the same for all that write and read it. */
  readonly partitions?: number;
  /** Hears what goes wrong, at most once a second. */
  readonly onError?: (error: Error) => void;
  /** Hears for each batch Redis has answered for how long its oldest event had waited since it was queued, milliseconds. */
  readonly onTaken?: (waited_ms: number) => void;
}

export interface PublisherStats {
  readonly connected: boolean;
  readonly queued: number;
  /** Taken by the log, known ones included. */
  readonly published: number;
  readonly dropped: number;
  /** Refused by Redis for what they are; lost, and reported through `onError`. */
  readonly refused: number;
}

const BATCH = 200;
const CLOSE_DEADLINE_MS = 2_000;
/**
 * Refusals that say something about the server's state now, not about the event. A redirection is not followed: the event waits here until
 * the server, or the proxy in front of it, holds the slot again.
 */
const PASSING = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|BUSY|OOM|MISCONF|NOREPLICAS|NOSCRIPT)\b/;
const PASSING_RETRY_MS = 250;
/** Until a log with another number of partitions is looked at again. */
const LAYOUT_RETRY_MS = 1_000;

export class EventPublisher {
  readonly #redis: Writer;
  readonly #partitions: Partitions;
  readonly #outbox: Outbox;
  readonly #report: (error: Error) => void;
  readonly #onTaken: (waited_ms: number) => void;
  #runId: string | undefined;
  #batch: Outgoing[] = [];
  #gap: Gap | undefined;
  #pumping: Promise<void> | undefined;
  #published = 0;
  #refused = 0;
  #closed = false;

  constructor(url: string, options: PublisherOptions = {}) {
    const { max_events = 10_000, max_bytes = 32 * 1024 * 1024, partitions = 1 } = options;
    this.#report = atMostOncePerSecond(options.onError ?? (() => undefined));
    this.#onTaken = options.onTaken ?? (() => undefined);
    this.#partitions = new Partitions(partitions);
    this.#outbox = new Outbox({ events: max_events, bytes: max_bytes });
    this.#redis = definePublish(connectRedis(url, 'holdfast-publisher', this.#report));
    this.#redis.on('ready', () => void this.#meetServer());
    this.#redis.on('close', () => (this.#runId = undefined));
  }

  /** Queues one event. Never throws, never waits; after `close` it does nothing. */
  publish(publication: Publication): void {
    if (this.#closed) return;
    this.#outbox.push(publication, performance.now());
    this.#kick();
  }

  stats(): PublisherStats {
    return {
      connected: this.#runId !== undefined,
      queued: this.#outbox.length + this.#batch.length,
      published: this.#published,
      dropped: this.#outbox.dropped,
      refused: this.#refused,
    };
  }

  /** Queues these and resolves once Redis has answered for them. Rejects when it has not within the deadline; they stay queued. */
  async deliver(publications: readonly Publication[], deadline_ms: number): Promise<void> {
    for (const publication of publications) this.publish(publication);
    const mine = this.#settled + this.stats().queued;
    const deadline = Date.now() + deadline_ms;
    while (this.#settled < mine) {
      if (Date.now() > deadline) throw new HoldfastError('RedisUnavailable', 'Redis has not taken the events in time.');
      await Promise.race([this.#pumping, pause(20)]);
    }
  }

  /**
   * Says in a log that was emptied, or whose server is another process, what the first event would: its number of partitions and the
   * process. Throws `RedisUnavailable`, `ConfigurationInvalid`.
   */
  async begin(): Promise<void> {
    await this.#ask(async () => {
      const runId = await serverRunId(this.#redis);
      await agreeOnPartitions(this.#redis, this.#partitions.count);
      await Promise.all(this.#partitions.all.map(({ epoch }) => this.#redis.holdfastBegin(epoch, runId)));
    });
  }

  /** Empties a stream for an execution that was reset, once for each run a reset made. Throws `RedisUnavailable`. */
  async renew(stream: string, runId: string): Promise<boolean> {
    return this.#ask(() => renewStream(this.#redis, stream, runId, this.#partitions.of(stream)));
  }

  /** Whether `by` may look after a stream for some seconds: nobody else does. Throws `RedisUnavailable`. */
  async claim(stream: string, by: string): Promise<boolean> {
    return this.#ask(() => claimStream(this.#redis, this.#partitions.of(stream).claim(stream), by));
  }

  async #ask<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command();
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      throw new HoldfastError('RedisUnavailable', `Redis did not answer: ${messageOf(error)}.`);
    }
  }

  /** Events that have left the memory. */
  get #settled(): number {
    return this.#published + this.#refused + this.#outbox.dropped;
  }

  /** Sends what is queued, as far as the deadline allows, and closes the connection. */
  async close({ deadline_ms = CLOSE_DEADLINE_MS }: { readonly deadline_ms?: number } = {}): Promise<void> {
    this.#closed = true;
    const deadline = Date.now() + deadline_ms;
    while (this.stats().queued > 0 && Date.now() < deadline) {
      await Promise.race([this.#pumping, pause(20)]);
    }
    disconnectRedis(this.#redis);
  }

  async #meetServer(): Promise<void> {
    try {
      const runId = await serverRunId(this.#redis);
      await agreeOnPartitions(this.#redis, this.#partitions.count);
      this.#runId = runId;
      this.#kick();
    } catch (error) {
      if (isMisconfigured(error)) this.#waitForLayout(error);
      else this.#reconnect(error);
    }
  }

  /** What is queued stays, within its bound: written elsewhere it would be read by nobody. */
  #waitForLayout(error: HoldfastError): void {
    this.#report(error);
    const timer = setTimeout(() => {
      if (!this.#closed && this.#redis.status === 'ready') void this.#meetServer();
    }, LAYOUT_RETRY_MS);
    timer.unref();
  }

  /** Starts after this turn's other work, a node's own end first of all; what is published within it travels together. */
  #kick(): void {
    if (this.#pumping !== undefined || this.#runId === undefined) return;
    this.#pumping = new Promise(setImmediate)
      .then(() => this.#pump())
      .catch((error: unknown) => {
        this.#reconnect(error);
      })
      .finally(() => {
        this.#pumping = undefined;
        if (this.#runId !== undefined && this.stats().queued > 0) this.#kick();
      });
  }

  async #pump(): Promise<void> {
    while (this.#runId !== undefined) {
      await this.#announceGap();
      if (this.#batch.length === 0) this.#batch = this.#outbox.take(BATCH);
      if (this.#batch.length === 0) return;
      await this.#sendBatch(this.#runId);
    }
  }

  async #announceGap(): Promise<void> {
    this.#gap ??= this.#outbox.takeGap();
    if (this.#gap === undefined) return;
    await tellGap(this.#redis, this.#gap, this.#partitions.all[0]);
    this.#gap = undefined;
  }

  async #sendBatch(runId: string): Promise<void> {
    const pipeline = this.#redis.pipeline();
    for (const outgoing of this.#batch) this.#addTo(pipeline, outgoing, runId);
    const results = (await pipeline.exec()) ?? [];
    const [oldest] = this.#batch;
    const again: Outgoing[] = [];
    let unanswered: Error | undefined;
    this.#batch.forEach((outgoing, index) => {
      const error = results[index]?.[0] ?? null;
      if (error === null) this.#published += 1;
      else if (isReply(error) && !PASSING.test(error.message)) this.#refuse(outgoing, error);
      else {
        again.push(outgoing);
        if (!isReply(error)) unanswered = error;
        else this.#report(error);
      }
    });
    this.#batch = again;
    if (unanswered !== undefined) throw unanswered;
    if (oldest !== undefined) this.#onTaken(performance.now() - oldest.queued_at);
    if (again.length > 0) await pause(PASSING_RETRY_MS);
  }

  #addTo(pipeline: ReturnType<Redis['pipeline']>, outgoing: Outgoing, run_id: string): void {
    const { type, stream } = outgoing.publication.event;
    if (type === 'execution_ending') pipeline.publish(HINTS_CHANNEL, outgoing.json);
    else addPublish(pipeline, outgoing, { partition: this.#partitions.of(stream), run_id });
  }

  #refuse({ publication }: Outgoing, error: Error): void {
    this.#refused += 1;
    this.#report(new Error(`Redis refuses ${publication.event.event_id}: ${error.message}`));
  }

  #reconnect(error: unknown): void {
    this.#report(new Error(messageOf(error)));
    this.#runId = undefined;
    if (this.#redis.status === 'ready') this.#redis.disconnect(true);
  }
}

function isMisconfigured(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError && error.code === 'ConfigurationInvalid';
}

/** Redis answered, with no. Anything else is silence. */
function isReply(error: Error): boolean {
  return error.name === 'ReplyError';
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms));
  });
}

function atMostOncePerSecond(report: (error: Error) => void): (error: Error) => void {
  let last = 0;
  return (error) => {
    if (Date.now() - last < 1_000) return;
    last = Date.now();
    report(error);
  };
}
