/** How long a venue wants to be left alone. Who goes on is banned from its address, and then no cancel comes through either. */
import { performance } from 'node:perf_hooks';
import { isWholeNumber, wholeNumber } from '../whole-number';

/** Then it is asked again. */
const LONGEST_MS = 120_000;

export class Silence {
  readonly #unsaid_ms: number;
  #until = 0;

  /** `unsaid_ms`: how long where it does not say. */
  constructor(unsaid_ms: number) {
    this.#unsaid_ms = unsaid_ms;
  }

  get isWanted(): boolean {
    return performance.now() < this.#until;
  }

  /** `retry_after`: the header of its answer. */
  heed(status: number, retry_after = ''): void {
    if (status !== 429 && status !== 418) return;
    const asked = isWholeNumber(retry_after) ? wholeNumber(retry_after) * 1_000 : 0;
    this.#until = performance.now() + (asked > 0 ? Math.min(asked, LONGEST_MS) : this.#unsaid_ms);
  }
}
