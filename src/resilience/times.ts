/** Times, oldest first, taken off at the front at no cost per element that stays. */

const SLACK = 1_024;

export class Times {
  #times: number[] = [];
  #head = 0;

  get length(): number {
    return this.#times.length - this.#head;
  }

  push(time: number): void {
    this.#times.push(time);
  }

  /** The time at this place from the oldest; throws `RangeError` where there is none. */
  at(index: number): number {
    const time = this.#times[this.#head + index];
    if (time === undefined) throw new RangeError(`no time at ${index} of ${this.length}`);
    return time;
  }

  /** Drops this time and all before it. */
  dropUntil(time: number): void {
    while (this.length > 0 && this.at(0) <= time) this.#head += 1;
    if (this.#head < SLACK || this.#head * 2 < this.#times.length) return;
    this.#times = this.#times.slice(this.#head);
    this.#head = 0;
  }
}
