/**
 * One read at a time, and what it came to for a moment. For what anybody may ask without a token and a budget: however often they do, those
 * the gateway asks in turn are asked once a moment at most.
 */
import { performance } from 'node:perf_hooks';

/** No answer is older than the read it came from and this, milliseconds. */
const KEPT_MS = 1_000;

export class Recent<T> {
  readonly #read: () => Promise<T>;
  readonly #now: () => number;
  #latest: Promise<T> | undefined;
  /** By `now`, endless while the latest read is under way. */
  #until = 0;

  /** `now` only grows, milliseconds; by default since this process began. */
  constructor(read: () => Promise<T>, now: () => number = () => performance.now()) {
    this.#read = read;
    this.#now = now;
  }

  /** Rejects as the read did: a failure is kept like an answer, or what fails would be asked without end. */
  get(): Promise<T> {
    if (this.#latest !== undefined && this.#now() < this.#until) return this.#latest;
    this.#until = Infinity;
    this.#latest = this.#read().finally(() => {
      this.#until = this.#now() + KEPT_MS;
    });
    return this.#latest;
  }
}
