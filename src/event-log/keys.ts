/**
 * Every key and channel in Redis; nothing outside this file spells one.
 *
 * A log of several partitions puts each stream into one of them. All names of a partition carry its hash tag (`{p3}`) before anything that came
 * from outside, so that a cluster keeps them on one node and a script may touch them together. A single partition carries none.
 */

/** The workflows' own word that they are ending: wakes the reconciler, is never numbered or shown. One for all partitions. */
export const HINTS_CHANNEL = 'execution_hints';
/** Signed closings of one desk; see `emergency/closing.ts`. */
export const closingsChannel = (desk: string): string => `holdfast:closings:${desk}`;
/** Hash `{partitions}`: of how many partitions the log is, said by who wrote first. */
export const LAYOUT_KEY = 'holdfast:layout';

/** What a list of recent executions is about. */
export type Scope =
  | { readonly workflow_id: string }
  | { readonly bot_id: string }
  | { readonly strategy_id: string }
  | { readonly all: true };

/** The names of one partition. */
export class Partition {
  /** Its events, and gaps. */
  readonly channel: string;
  /** Hash `{run_id, number}`: which server process the log was last written through, and the number of its epochs. */
  readonly epoch: string;
  /** Sorted set: executions without a terminal event, by the time of their last event. */
  readonly open: string;
  /** Sorted set: streams by when the log last took an event of theirs, by the clock of Redis. */
  readonly moved: string;
  /** Sorted set: what publishers had to drop, by when they said so, by the clock of Redis. The first partition's is that of the log. */
  readonly gaps: string;
  /** Stands where a script is given no key: users of Redis are allowed keys by their names, and an empty one matches none. */
  readonly none: string;
  readonly #log: string;
  readonly #workflows: string;

  constructor(tag?: string) {
    const mark = tag === undefined ? '' : `${tag}:`;
    this.#log = `holdfast:${mark}`;
    this.#workflows = `workflow:${mark}`;
    this.channel = tag === undefined ? 'workflow_events' : `workflow_events:${tag}`;
    this.epoch = `${this.#log}epoch`;
    this.open = `${this.#log}open`;
    this.moved = `${this.#log}moved`;
    this.gaps = `${this.#log}gaps`;
    this.none = `${this.#log}none`;
  }

  /** The numbered events, entry id `<seq>-0`. */
  stream(stream: string): string {
    return `${this.#log}stream:${stream}`;
  }

  /** Sorted set: the ids of the events the stream still holds, by seq. */
  seen(stream: string): string {
    return `${this.#log}seen:${stream}`;
  }

  /** Hash: node key → the event that stands for it now; the empty key for the execution itself. */
  snapshot(stream: string): string {
    return `${this.#log}snapshot:${stream}`;
  }

  /** Hash: `seq`, `log_epoch`, `born`, `started`, `ended`, `node_count`, `state`, and `reset_run` where a reset began the stream anew. */
  meta(stream: string): string {
    return `${this.#log}meta:${stream}`;
  }

  /** Hash: which gateway asks an execution how it stands; gone after some seconds. */
  claim(stream: string): string {
    return `${this.#log}claim:${stream}`;
  }

  /** Hash for people and monitors: the last execution of a workflow in this partition, its state and the time of its last event. */
  workflowStatus(workflowId: string): string {
    return `${this.#workflows}${workflowId}:status`;
  }

  /** Sorted set: executions by the time of their last event. */
  recent(scope: Scope): string {
    if ('workflow_id' in scope) return `${this.#log}recent:workflow:${scope.workflow_id}`;
    if ('bot_id' in scope) return `${this.#log}recent:bot:${scope.bot_id}`;
    if ('strategy_id' in scope) return `${this.#log}recent:strategy:${scope.strategy_id}`;
    return `${this.#log}recent:all`;
  }
}

/** All partitions of a log. Another number of them puts streams elsewhere, so it is the same wherever the log is written or read. */
export class Partitions {
  readonly all: readonly [Partition, ...Partition[]];

  constructor(count: number) {
    const tags = count === 1 ? [] : Array.from({ length: count }, (_, index) => `{p${index}}`);
    const [first, ...rest] = tags.map((tag) => new Partition(tag));
    this.all = [first ?? new Partition(), ...rest];
  }

  get count(): number {
    return this.all.length;
  }

  /** The one that holds a stream: a pure function of its name. */
  of(stream: string): Partition {
    return this.all[hashOf(stream) % this.all.length] ?? this.all[0];
  }
}

/** FNV-1a, 32 bits, over UTF-16 code units. Changing it moves every stream. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
