/**
 * What time it is, the same in a replay. The workflow's own clock is not: a replay hands the ends of several local activities over at once,
 * and then it shows for all of them when the last one ended. So this one shows when the server last brought something, and behind that
 * counts what the worker reported with the results of local activities, because both are in the history.
 */
export class Clock {
  #brought = Date.now();
  #localSince: number | undefined;
  #now = this.#brought;

  /** Milliseconds since 1970; never runs backwards. */
  get now(): number {
    return this.#now;
  }

  /** To be called for whatever the server brings. */
  look(): void {
    this.#brought = Date.now();
    this.#localSince = undefined;
    this.#advance(this.#brought);
  }

  /** A local activity ended at `ended_at` by the worker's clock, whose distance from the server's does not matter here. */
  local(duration_ms: number, ended_at: number): void {
    this.#localSince ??= ended_at - duration_ms;
    this.#advance(this.#brought + ended_at - this.#localSince);
  }

  #advance(instant: number): void {
    this.#now = Math.max(this.#now, instant);
  }
}
