/** Works on at most so many things at once and on none twice at a time; what is added meanwhile waits its turn. */
export class Lanes {
  readonly #most: number;
  readonly #waiting = new Map<string, () => Promise<unknown>>();
  readonly #working = new Map<string, Promise<void>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Does nothing where `key` waits or is worked on. What `work` rejects with is its own to report. */
  add(key: string, work: () => Promise<unknown>): void {
    if (this.#waiting.has(key) || this.#working.has(key)) return;
    this.#waiting.set(key, work);
    this.#next();
  }

  /** Gives up what waits; resolves when what is worked on has ended. */
  async clear(): Promise<void> {
    this.#waiting.clear();
    await Promise.all(this.#working.values());
  }

  #next(): void {
    for (const [key, work] of this.#waiting) {
      if (this.#working.size >= this.#most) return;
      this.#waiting.delete(key);
      const ended = () => {
        this.#working.delete(key);
        this.#next();
      };
      this.#working.set(key, work().then(ended, ended));
    }
  }
}
