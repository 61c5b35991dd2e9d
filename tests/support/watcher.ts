/** A client of `holdfast/client` that remembers what it was told, to be judged. */
import { isAfter, type Cursor } from '../../src/event-log';
import type { EventEnvelope } from '../../src/events/envelope';
import { Feed, type Target } from '../../src/feed-client';
import { token } from './gateway-under-test';

/** What says which rooms tell of an execution. */
interface Followed {
  readonly execution_id: string;
  readonly workflow_id: string;
  readonly bot_id?: string | undefined;
}

export class Watcher {
  readonly name: string;
  readonly feed: Feed;
  readonly #targets: readonly Target[];
  readonly #seen = new Map<string, Set<string>>();
  readonly #places = new Map<string, Cursor>();
  /** Streams it was told that events of may be missing. */
  readonly #told = new Set<string>();
  readonly #wrong: string[] = [];
  #isToldOfAny = false;
  #gaps = 0;

  constructor(name: string, url: string, targets: readonly Target[]) {
    this.name = name;
    this.#targets = targets;
    this.feed = new Feed({ url, token: () => token() });
    this.feed.on('event', (event) => {
      this.#hear(event);
    });
    this.feed.on('gap', ({ streams, complete }) => {
      this.#gaps += 1;
      for (const stream of streams) this.#told.add(stream);
      if (!complete) this.#isToldOfAny = true;
    });
  }

  async begin(): Promise<void> {
    for (const target of this.#targets) await this.feed.watch(target);
  }

  /** How often it was told that something may be missing. */
  get gaps(): number {
    return this.#gaps;
  }

  /** Events that came twice or out of order, in words. */
  get wrong(): readonly string[] {
    return this.#wrong;
  }

  follows({ execution_id, workflow_id, bot_id }: Followed): boolean {
    return this.#targets.some((target) => {
      if ('all' in target) return true;
      if ('execution_id' in target) return target.execution_id === execution_id;
      if ('workflow_id' in target) return target.workflow_id === workflow_id;
      return 'bot_id' in target && target.bot_id === bot_id;
    });
  }

  /** How many of these events of a stream it neither got nor was told of. */
  unnoticed(stream: string, eventIds: ReadonlySet<string>): number {
    if (this.#isToldOfAny || this.#told.has(stream)) return 0;
    const seen = this.#seen.get(stream);
    return [...eventIds].filter((id) => seen?.has(id) !== true).length;
  }

  close(): void {
    this.feed.close();
  }

  #hear(event: EventEnvelope): void {
    const { stream, event_id, log_epoch, seq } = event;
    const known = this.#places.get(stream);
    if (known !== undefined && !isAfter(event, known)) this.#wrong.push(`${stream}: ${seq} after ${known.seq}`);
    this.#places.set(stream, { log_epoch, seq });
    const seen = this.#seen.get(stream) ?? new Set();
    this.#seen.set(stream, seen.add(event_id));
  }
}
