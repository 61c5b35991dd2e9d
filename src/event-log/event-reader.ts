/** Reads the log: what happened after a position, what holds now, which executions there are. */
import { HoldfastError, messageOf } from '../errors';
import type { EventEnvelope } from '../events/envelope';
import { isWholeNumber, wholeNumber } from '../whole-number';
import { connectRedis, disconnectRedis, serverRunId, serverTime } from './connection';
import type { Cursor } from './cursor';
import { Partitions, type Partition, type Scope } from './keys';
import { hasAgreed } from './layout';
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

export interface ReaderOptions {
  readonly onError?: (error: Error) => void;
  /** Hears of what stands in a stream or snapshot and is no event of it. */
  readonly onRefused?: (stream: string) => void;
  /** Of the log, default 1; the same for all that write and read it. */
  readonly partitions?: number;
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

/** Every read throws `RedisUnavailable`, and `ConfigurationInvalid` where the log has another number of partitions: it would look empty. */
export class EventReader {
  readonly #redis: ReturnType<typeof defineReads>;
  readonly #partitions: Partitions;
  readonly #onRefused: (stream: string) => void;
  /** Whether the log has been seen to have as many partitions as this reads. */
  #hasAgreed = false;
  /** Of the server at the other end of the present connection. */
  #runId: Promise<string> | undefined;

  constructor(url: string, options: ReaderOptions = {}) {
    const { onError = () => undefined, onRefused = () => undefined, partitions = 1 } = options;
    this.#onRefused = onRefused;
    this.#partitions = new Partitions(partitions);
    this.#redis = defineReads(connectRedis(url, 'holdfast-reader', onError));
    // The next server may be another one.
    this.#redis.on('close', () => {
      this.#hasAgreed = false;
      this.#runId = undefined;
    });
  }

  get partitions(): number {
    return this.#partitions.count;
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

  async ping(): Promise<void> {
    await this.#ask(() => this.#redis.ping());
  }

  /** Every event after `after`, or from the beginning; at most `limit`, default 300. */
  async replay(stream: string, after?: Cursor, limit = REPLAY_LIMIT): Promise<Replay> {
    const partition = this.#partitions.of(stream);
    const [seq, log_epoch, recovered, entries] = await this.#ask(async () =>
      this.#redis.holdfastReplay(
        partition.stream(stream),
        partition.meta(stream),
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
    const partition = this.#partitions.of(stream);
    const [[seq, log_epoch, started, ended, nodeCount], fields] = await this.#ask(() =>
      this.#redis.holdfastSnapshot(partition.snapshot(stream), partition.meta(stream)),
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
    const lists = await this.#ofEach((partition) =>
      this.#redis.zrange(
        partition.recent(scope),
        '+inf',
        String(since),
        'BYSCORE',
        'REV',
        'LIMIT',
        0,
        limit,
        'WITHSCORES',
      ),
    );
    const latestFirst = lists.flatMap(timed).sort((a, b) => b.at - a.at);
    return latestFirst.slice(0, limit).map(({ execution_id }) => execution_id);
  }

  /** Which of `executionIds` the scope's lists still hold. */
  async amongRecent(scope: Scope, executionIds: readonly string[]): Promise<Set<string>> {
    const held = await this.#ofEach(async (partition) => {
      const ids = executionIds.filter((id) => this.#partitions.of(id) === partition);
      if (ids.length === 0) return [];
      const scores = await this.#redis.zmscore(partition.recent(scope), ...ids);
      return ids.filter((_, index) => scores[index] != null);
    });
    return new Set(held.flat());
  }

  /** Executions without a terminal event, quietest first, with the time of their last event in epoch ms. */
  async openExecutions(limit = 1_000): Promise<{ execution_id: string; last_event_ms: number }[]> {
    const lists = await this.#ofEach(({ open }) => this.#redis.zrange(open, 0, String(limit - 1), 'WITHSCORES'));
    const quietestFirst = lists.flatMap(timed).sort((a, b) => a.at - b.at);
    return quietestFirst.slice(0, limit).map(({ execution_id, at }) => ({ execution_id, last_event_ms: at }));
  }

  /** Which of the executions the log has seen start, and end, and how far it is with them. */
  async progressOf(executionIds: readonly string[]): Promise<Map<string, Progress>> {
    const pipeline = this.#redis.pipeline();
    for (const id of executionIds) {
      pipeline.hmget(this.#partitions.of(id).meta(id), 'started', 'ended', 'log_epoch', 'seq');
    }
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
      const known = this.#partitions.all.map(({ epoch }) => this.#redis.hmget(epoch, 'run_id', 'number'));
      const [run, ...each] = await Promise.all([this.#serverRunId(), ...known]);
      return [run, ...each.flat()].join(' ');
    });
  }

  /** Streams the log took an event of within the last milliseconds: by the clock of Redis, which may be another than this one. */
  async movedWithin(ms: number): Promise<Since<string>> {
    const since = await this.#ago(ms);
    const lists = await this.#ofEach(({ moved }) => this.#redis.zrange(moved, since, '+inf', 'BYSCORE'));
    return { found: lists.flat(), complete: lists.every(({ length }) => length < MOVED_LENGTH) };
  }

  /** When the log took the last event of a stream, epoch ms by the clock of Redis; undefined where it no longer remembers. */
  async movedAt(stream: string): Promise<number | undefined> {
    const at = await this.#ask(() => this.#redis.zscore(this.#partitions.of(stream).moved, stream));
    return at === null ? undefined : wholeNumber(at);
  }

  /** What publishers said they had dropped within the last milliseconds, by the clock of Redis. */
  async gapsWithin(ms: number): Promise<Since<Gap>> {
    const { gaps } = this.#partitions.all[0];
    const since = await this.#ago(ms);
    const texts = await this.#ask(() => this.#redis.zrange(gaps, since, '+inf', 'BYSCORE'));
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

  /** So many milliseconds before now by the clock of Redis, as a score. */
  async #ago(ms: number): Promise<string> {
    return this.#ask(async () => String((await serverTime(this.#redis)) - ms));
  }

  /** The event, or none. */
  #events(stream: string, text: string): EventEnvelope[] {
    const event = readEvent(text);
    if (event?.stream === stream) return [event];
    this.#onRefused(stream);
    return [];
  }

  #ofEach<T>(read: (partition: Partition) => Promise<T>): Promise<T[]> {
    return this.#ask(() => Promise.all(this.#partitions.all.map(read)));
  }

  async #ask<T>(command: () => Promise<T>): Promise<T> {
    try {
      const [, answer] = await Promise.all([this.#agree(), command()]);
      return answer;
    } catch (error) {
      if (error instanceof HoldfastError) throw error;
      throw new HoldfastError('RedisUnavailable', `Redis did not answer: ${messageOf(error)}.`);
    }
  }

  /** Asked with each read until somebody has said how many partitions there are: on an empty log that is whoever writes first. */
  async #agree(): Promise<void> {
    if (!this.#hasAgreed) this.#hasAgreed = await hasAgreed(this.#redis, this.#partitions.count);
  }
}

/** Members and scores in turn, as a sorted set gives them. What others put in with a score that is no time counts as the quietest. */
function timed(flat: readonly string[]): { readonly execution_id: string; readonly at: number }[] {
  return flat.flatMap((execution_id, index) => {
    if (index % 2 === 1) return [];
    const score = flat[index + 1] ?? '';
    return [{ execution_id, at: isWholeNumber(score) ? wholeNumber(score) : 0 }];
  });
}

function progressIn([started, ended, log_epoch, seq]: readonly (string | null)[]): Progress {
  const position = { log_epoch: log_epoch ?? '', seq: wholeNumber(seq ?? '0') };
  return { started: started != null, ended: ended != null, position };
}

function withoutPrecedence(value = '{}'): string {
  return value.slice(value.indexOf('{'));
}
