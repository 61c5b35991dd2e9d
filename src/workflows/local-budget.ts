/**
 * Local activities hold the workflow task, and while it lasts nothing else is heard. So after `MAX_STARTS` of them, `MAX_MS` from
 * the start of the first to the end of the last, or `MAX_CHARS` of results the next one waits for a workflow task boundary.
 * Measured on a long pure chain: a halt was handled after 6.6 s without a budget.
 *
 * Time is what the worker reported with their results, because that is in the history. The workflow's clock is not the same to the millisecond in a
 * replay once a local activity has ended within the task: with it, one of 50 runs at the limit could not be replayed.
 */
const MAX_STARTS = 64;
const MAX_MS = 250;
const MAX_CHARS = 256 * 1024;

export class LocalBudget {
  #starts = 0;
  #ms = 0;
  #since: number | undefined;
  #chars = 0;

  get isSpent(): boolean {
    return this.#starts >= MAX_STARTS || this.#ms >= MAX_MS || this.#chars >= MAX_CHARS;
  }

  started(): void {
    this.#starts += 1;
  }

  /** One ended, after `duration_ms` and at `ended_at` by the worker's clock. */
  returned(result: unknown, duration_ms = 0, ended_at = 0): void {
    this.#since ??= ended_at - duration_ms;
    this.#ms = Math.max(this.#ms + duration_ms, ended_at - this.#since);
    this.#chars += JSON.stringify(result).length;
  }

  renew(): void {
    this.#starts = 0;
    this.#ms = 0;
    this.#since = undefined;
    this.#chars = 0;
  }
}
