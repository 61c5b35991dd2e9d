/** Whether runs of executions were made by a reset. That never changes, so each run is asked about once. */

/** Runs at a time; one that is forgotten is asked about again. */
const MOST_KNOWN = 1_000;

export interface ResetsPort {
  wasReset(executionId: string, runId: string): Promise<boolean>;
}

export class Resets {
  readonly #port: ResetsPort;
  readonly #known = new Map<string, boolean>();

  constructor(port: ResetsPort) {
    this.#port = port;
  }

  async of(executionId: string, runId: string): Promise<boolean> {
    const known = this.#known.get(runId);
    if (known !== undefined) return known;
    const reset = await this.#port.wasReset(executionId, runId);
    this.#known.set(runId, reset);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    return reset;
  }
}
