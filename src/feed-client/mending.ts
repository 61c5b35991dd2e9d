/**
 * Executions whose view may be wrong, until a gateway has said how they stand. They are asked for one at a time and spaced, so that a
 * program that follows hundreds of them keeps most of what its connection may ask for itself.
 */

/** `refused`: there is nothing to be had, now or later. `busy`: asked too often. `failed`: somebody did not answer. */
export type MendOutcome = 'mended' | 'refused' | 'busy' | 'failed';

/** A gateway takes a hundred messages in five seconds: most of them. */
const SPACE_MS = 60;
const BUSY_MS = 1_000;

export class Mending {
  readonly #ask: (executionId: string) => Promise<MendOutcome>;
  readonly #stale = new Set<string>();
  #running: Promise<boolean> | undefined;

  constructor(ask: (executionId: string) => Promise<MendOutcome>) {
    this.#ask = ask;
  }

  add(executionIds: Iterable<string>): void {
    for (const id of executionIds) this.#stale.add(id);
  }

  /** Asks for all of them. False when one could not be had for now: it stays among them. */
  run(): Promise<boolean> {
    this.#running ??= this.#all().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #all(): Promise<boolean> {
    // What is added meanwhile is visited too.
    for (const id of this.#stale) {
      // Before it is asked for: a hole that shows after the answer was made is another one.
      this.#stale.delete(id);
      const outcome = await this.#ask(id);
      if (outcome === 'busy' || outcome === 'failed') this.#stale.add(id);
      if (outcome === 'failed') return false;
      await pause(outcome === 'busy' ? BUSY_MS : SPACE_MS);
    }
    return true;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
