/** What a cancel is sent with: nobody has to allow it, but one call is one request, also when a connection breaks. */
import { HoldfastError } from '../errors';
import type { UsablePermit } from './order-sender';

export class OncePermit implements UsablePermit {
  readonly #until: number;
  #isUsed = false;

  constructor(lifetime_ms: number) {
    this.#until = performance.now() + lifetime_ms;
  }

  get isUsed(): boolean {
    return this.#isUsed;
  }

  remainingMs(): number {
    return Math.max(0, this.#until - performance.now());
  }

  assertUsable(): void {
    if (this.#isUsed) throw new HoldfastError('ConnectionError', 'the connection broke after the cancel was written');
    if (this.remainingMs() === 0) throw new HoldfastError('TimeoutError', 'the cancel found no connection in time');
    this.#isUsed = true;
  }

  settle(): void {
    // Nobody keeps count of it.
  }
}
