/** Reads the log: what happened after a position, what holds now, which executions there are. */
import { HoldfastError, messageOf } from '../errors';
import type { EventEnvelope } from '../events/envelope';
import { wholeNumber } from '../whole-number';
import { connectRedis, disconnectRedis, serverRunId } from './connection';
import type { Cursor } from './cursor';
import {
  EPOCH_KEY,
  GAPS_KEY,
  MOVED_KEY,
  OPEN_KEY,
  metaKey,
  recentKey,
  snapshotKey,
  streamKey,
  type Scope,
} from './keys';
import { defineReads } from './log-commands';
import { isGap, type Gap } from './outbox';
import { parsed, readEvent } from './read-event';
import { GAPS_LENGTH, MOVED_LENGTH } from './scripts';

export interface Replay {
  /** The stream's last event when the events were read. */
  readonly position: Cursor;
  /** False when events after the cursor are no longer there, or are more than `limit`; `events` is then empty or partial. */
  readonly recovered: boolean;
  readonly events: readonly EventEnvelope[];
}

export interface Snapshot {
  readonly stream: string;
  readonly position: Cursor;
  readonly started: boolean;
  readonly ended: boolean;
  /** Of the execution's graph; absent before its start is known. */
  readonly node_count?: number;
  /** The last state change of the execution, or the last event of the desk. */
  readonly latest?: EventEnvelope;
  /** By node key: the event that stands for the node now. */
  readonly nodes: Readonly<Record<string, EventEnvelope>>;
}

/** What the log has of one execution. */
export interface Progress {
  readonly started: boolean;
  readonly ended: boolean;
  readonly position: Cursor;
}

/** `complete`: nothing else happened, as far as the log remembers. */
export interface Since<T> {
  readonly found: readonly T[];
  readonly complete: boolean;
}

const REPLAY_LIMIT = 300;

export class EventReader {
  readonly #redis: ReturnType<typeof defineReads>;
  readonly #onRefused: (stream: string) => void;
  /** Of the server at the other end of the present connection. */
  #runId: Promise<string> | undefined;

  /** `onRefused` hears of what stands in a stream or snapshot and is no event of it. */
  constructor(
    url: string,
    onError: (error: Error) => void = () => undefined,
    onRefused: (stream: string) => void = () => undefined,
  ) {
    this.#onRefused = onRefused;
    this.#redis = defineReads(connectRedis(url, 'holdfast-reader', onError));
    this.#redis.on('close', () => (this.#runId = undefined));
  }

  /** Resolves once connected, or throws `RedisUnavailable` at the deadline. */
  async ready(deadlineMs: number): Promise<void> {
    if (this.#redis.status === 'ready') return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new HoldfastError('RedisUnavailable', `Redis did not answer within ${deadlineMs} ms.`));
      }, deadlineMs);
      this.#redis.once('ready', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Throws `RedisUnavailable`, as all reads do. */
  async ping(): Promise<void> {
    await this.#ask(() => this.#redis.ping());
  }

  /** Every event after `after`, or from the beginning; at most `limit`, default 300. */
  async replay(stream: string, after?: Cursor, limit = REPLAY_LIMIT): Promise<Replay> {
    const [seq, log_epoch, recovered, entries] = await this.#ask(async () =>
      this.#redis.holdfastReplay(
        streamKey(stream),
        metaKey(stream),
        after?.log_epoch ?? '',
        String(after?.seq ?? 0),
        String(limit),
        await this.#serverRunId(),
      ),
    );
    const events = entries.flatMap((entry) => this.#events(stream, entry));
    return { position: { log_epoch, seq }, recovered: recovered === 1 && events.length === entries.length, events };
  }

  /** The state of all nodes and the position it belongs to, read in one step. */
  async snapshot(stream: string): Promise<Snapshot> {
    const [[seq, log_epoch, started, ended, nodeCount], fields] = await this.#ask(() =>
      this.#redis.holdfastSnapshot(snapshotKey(stream), metaKey(stream)),
    );
    const entries = new Map<string, EventEnvelope>();
    for (let i = 0; i + 1 < fields.length; i += 2) {
      for (const event of this.#events(stream, withoutPrecedence(fields[i + 1]))) entries.set(fields[i] ?? '', event);
    }
    const latest = entries.get('');
    entries.delete('');
    return {
      stream,
      position: { log_epoch: log_epoch ?? '', seq: wholeNumber(seq ?? '0') },
      started: started != null,
      ended: ended != null,
      ...(nodeCount == null ? {} : { node_count: wholeNumber(nodeCount) }),
      ...(latest === undefined ? {} : { latest }),
      nodes: Object.fromEntries(entries),
    };
  }

  /** Ids of the executions of a scope, the one with the latest event first. `since` (epoch ms) leaves out quieter ones. */
  async recent(scope: Scope, limit = 50, since = 0): Promise<string[]> {
    return this.#ask(() =>
      this.#redis.zrange(recentKey(scope), '+inf', String(since), 'BYSCORE', 'REV', 'LIMIT', 0, limit),
    );
  }

  /** Which of `executionIds` the scope's list still holds. */
  async amongRecent(scope: Scope, executionIds: readonly string[]): Promise<Set<string>> {
    if (executionIds.length === 0) return new Set();
    const scores = await this.#ask(() => this.#redis.zmscore(recentKey(scope), ...executionIds));
    return new Set(executionIds.filter((_, index) => scores[index] != null));
  }

  /** Executions without a terminal event, quietest first, with the time of their last event in epoch ms. */
  async openExecutions(limit = 1_000): Promise<{ execution_id: string; last_event_ms: number }[]> {
    const flat = await this.#ask(() => this.#redis.zrange(OPEN_KEY, 0, String(limit - 1), 'WITHSCORES'));
    const found = [];
    for (let i = 0; i + 1 < flat.length; i += 2) {
      found.push({ execution_id: flat[i] ?? '', last_event_ms: wholeNumber(flat[i + 1] ?? '') });
    }
    return found;
  }

  /** Which of the executions the log has seen start, and end, and how far it is with them. */
  async progressOf(executionIds: readonly string[]): Promise<Map<string, Progress>> {
    const pipeline = this.#redis.pipeline();
    for (const id of executionIds) pipeline.hmget(metaKey(id), 'started', 'ended', 'log_epoch', 'seq');
    const results = (await this.#ask(() => pipeline.exec())) ?? [];
    const progress = executionIds.map((id, index): [string, Progress] => {
      const [error, fields] = results[index] ?? [new Error('no answer')];
      if (error !== null) throw new HoldfastError('RedisUnavailable', `Redis did not answer: ${error.message}.`);
      return [id, progressIn(fields as (string | null)[])];
    });
    return new Map(progress);
  }

  /** Another one whenever the log may have lost something: its server is another process, or it was emptied. */
  async logId(): Promise<string> {
    return this.#ask(async () => {
      const [run, known] = await Promise.all([this.#serverRunId(), this.#redis.hmget(EPOCH_KEY, 'run_id', 'number')]);
      return [run, ...known].join(' ');
    });
  }

  /** Streams the log took an event of at `since` (epoch ms) or later, by the clock of Redis. */
  async movedSince(since: number): Promise<Since<string>> {
    const found = await this.#ask(() => this.#redis.zrange(MOVED_KEY, String(since), '+inf', 'BYSCORE'));
    return { found, complete: found.length < MOVED_LENGTH };
  }

  /** When the log took the last event of a stream, epoch ms by the clock of Redis; undefined where it no longer remembers. */
  async movedAt(stream: string): Promise<number | undefined> {
    const at = await this.#ask(() => this.#redis.zscore(MOVED_KEY, stream));
    return at === null ? undefined : wholeNumber(at);
  }

  /** What publishers said they had dropped at `since` (epoch ms) or later, by the clock of Redis. */
  async gapsSince(since: number): Promise<Since<Gap>> {
    const texts = await this.#ask(() => this.#redis.zrange(GAPS_KEY, String(since), '+inf', 'BYSCORE'));
    return { found: texts.map(parsed).filter(isGap), complete: texts.length < GAPS_LENGTH };
  }

  close(): void {
    disconnectRedis(this.#redis);
  }

  async #serverRunId(): Promise<string> {
    this.#runId ??= serverRunId(this.#redis);
    try {
      return await this.#runId;
    } catch (error) {
      this.#runId = undefined;
      throw error;
    }
  }

  /** The event, or none. */
  #events(stream: string, text: string): EventEnvelope[] {
    const event = readEvent(text);
    if (event?.stream === stream) return [event];
    this.#onRefused(stream);
    return [];
  }

  async #ask<T>(command: () => Promise<T>): Promise<T> {
    try {
      return await command();
    } catch (error) {
      throw new HoldfastError('RedisUnavailable', `Redis did not answer: ${messageOf(error)}.`);
    }
  }
}

function progressIn([started, ended, log_epoch, seq]: readonly (string | null)[]): Progress {
  const position = { log_epoch: log_epoch ?? '', seq: wholeNumber(seq ?? '0') };
  return { started: started != null, ended: ended != null, position };
}

function withoutPrecedence(value = '{}'): string {
  return value.slice(value.indexOf('{'));
}
