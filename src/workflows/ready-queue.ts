/**
 * Node instances that may start, and what still keeps them from it. Each part keeps the order in which they became ready. One that
 * was skipped meanwhile is passed over when it is launched: to look for it here would cost O(queue) for every skip.
 */
export class ReadyQueue {
  #ready: number[];
  /** What runs at a halt; halts do not keep it back. */
  #aside: number[];
  /** Kept back by the budget of local activities. */
  #held: number[] = [];
  /** For which there is no room among the activities. */
  #queued: number[] = [];

  constructor(ready: readonly number[], aside: readonly number[]) {
    this.#ready = [...ready];
    this.#aside = [...aside];
  }

  get isEmpty(): boolean {
    return this.#ready.length + this.#held.length + this.#queued.length === 0;
  }

  get holds(): boolean {
    return this.#held.length > 0;
  }

  add(id: number): void {
    this.#ready.push(id);
  }

  addAside(id: number): void {
    this.#aside.push(id);
  }

  hold(id: number): void {
    this.#held.push(id);
  }

  queue(id: number): void {
    this.#queued.push(id);
  }

  get hasAside(): boolean {
    return this.#aside.length > 0;
  }

  takeAside(): number[] {
    return this.#aside.splice(0);
  }

  /** True when something could be taken. */
  hasNext(hasRoom: boolean): boolean {
    return this.#ready.length > 0 || (hasRoom && this.#queued.length > 0);
  }

  take(hasRoom: boolean): number | undefined {
    return hasRoom && this.#queued.length > 0 ? this.#queued.shift() : this.#ready.shift();
  }

  /** What the budget kept back may start first. */
  release(): void {
    this.#ready = this.#held.splice(0).concat(this.#ready);
  }
}
