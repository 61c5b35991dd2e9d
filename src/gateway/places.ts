/** So many things at once. Who finds no place waits for one, though not for long: what came too late is not begun at all. */
import { HoldfastError } from '../errors';

export class Places {
  readonly #patienceMs: number;
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(most: number, patienceMs: number) {
    this.#free = most;
    this.#patienceMs = patienceMs;
  }

  /** Throws `RateLimited` when no place was free in time. */
  async within<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#place();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #place(): Promise<void> {
    return new Promise((resolve, reject) => {
      const given = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(given);
        reject(new HoldfastError('RateLimited', 'Too many executions are being asked about at once; ask again.'));
      }, this.#patienceMs);
      this.#waiting.add(given);
    });
  }

  /** A place goes from hand to hand, so nobody who comes meanwhile takes it. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
