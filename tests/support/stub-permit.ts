/** A permit of no desk: it ends when a test says, and tells what was done with it. Longer by default than any machine is slow. */
import type { UsablePermit } from '../../src/venues/order-sender';

export class StubPermit implements UsablePermit {
  readonly settlements: string[] = [];
  readonly ends_at: number;
  readonly #refusal: Error | undefined;
  #isUsed = false;

  /** `refusal`: what the last check throws. */
  constructor({ lifetime_ms = 10_000, refusal }: { readonly lifetime_ms?: number; readonly refusal?: Error } = {}) {
    this.ends_at = performance.now() + lifetime_ms;
    this.#refusal = refusal;
  }

  get isUsed(): boolean {
    return this.#isUsed;
  }

  remainingMs(): number {
    return Math.max(0, this.ends_at - performance.now());
  }

  assertUsable(): void {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#isUsed) throw new Error('used before');
    if (this.remainingMs() === 0) throw new Error('not used in time');
    this.#isUsed = true;
  }

  settle(outcome: 'unused'): void {
    this.settlements.push(outcome);
  }
}
