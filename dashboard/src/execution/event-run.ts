/**
 * Events in the order of their log, as a value that grows at its end: what comes after the last is not paid for with a copy of all before it.
 * Several runs share one list, each sees as much of it as there was when it was made. Pure.
 */
import { merged } from './trace';
import type { TraceEvent } from '../wire';

export class EventRun implements Iterable<TraceEvent> {
  static readonly empty = new EventRun([], 0);
  readonly length: number;
  readonly #all: TraceEvent[];

  private constructor(all: TraceEvent[], length: number) {
    this.#all = all;
    this.length = length;
  }

  /** From the end where it is negative. */
  at(index: number): TraceEvent | undefined {
    const place = index < 0 ? this.length + index : index;
    return place < this.length ? this.#all[place] : undefined;
  }

  *[Symbol.iterator](): Iterator<TraceEvent> {
    for (let index = 0; index < this.length; index += 1) yield this.at(index) as TraceEvent;
  }

  /** Each event once; `this` when nothing is new. */
  with(more: readonly TraceEvent[]): EventRun {
    const [last, next] = [this.at(-1), more[0]];
    if (next === undefined) return this;
    const follows = last === undefined || (next.log_epoch === last.log_epoch && next.seq > last.seq);
    if (!follows) {
      const all = merged([...this], more);
      return new EventRun([...all], all.length);
    }
    // What another run has put there since is not this one's.
    const all = this.#all.length === this.length ? this.#all : this.#all.slice(0, this.length);
    for (const event of more) all.push(event);
    return new EventRun(all, all.length);
  }

  /** The last of them. */
  latest(count: number): EventRun {
    const all = this.#all.slice(Math.max(0, this.length - count), this.length);
    return new EventRun(all, all.length);
  }
}
