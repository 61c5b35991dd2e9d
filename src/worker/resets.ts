/**
 * Whether runs of executions were made by a reset, or go on from one that was: in either an order may have been sent that their history does not
 * know. That never changes, so each run is asked about once.
 */
import { HoldfastError } from '../errors';
import type { RunOrigin } from '../temporal-client/executions';

/** Runs at a time; one that is forgotten is asked about again. */
const MOST_KNOWN = 1_000;
/** Runs behind one another; what is behind more counts as reset, which costs a look before each order. */
const MOST_BEHIND = 20;

export interface ResetsPort {
  /** Throws `ExecutionNotFound` for a run that Temporal has forgotten. */
  runOrigin(executionId: string, runId: string): Promise<RunOrigin>;
}

export class Resets {
  readonly #port: ResetsPort;
  readonly #known = new Map<string, boolean>();

  constructor(port: ResetsPort) {
    this.#port = port;
  }

  async of(executionId: string, runId: string): Promise<boolean> {
    const seen: string[] = [];
    const reset = await this.#search(executionId, runId, seen);
    for (const each of seen) this.#keep(each, reset);
    return reset;
  }

  /** `seen`: runs of which none was made by a reset, but for the last. */
  async #search(executionId: string, runId: string, seen: string[]): Promise<boolean> {
    let behind: string | undefined = runId;
    while (behind !== undefined) {
      const known = this.#known.get(behind);
      if (known !== undefined) return known;
      if (seen.length > MOST_BEHIND) return true;
      seen.push(behind);
      const origin = await this.#origin(executionId, behind, runId);
      if (origin.was_reset) return true;
      behind = origin.continued_from;
    }
    return false;
  }

  /** Of a run before this one that is forgotten nobody knows, and then it may have been reset. */
  async #origin(executionId: string, runId: string, asked: string): Promise<RunOrigin> {
    try {
      return await this.#port.runOrigin(executionId, runId);
    } catch (error) {
      const isForgotten = error instanceof HoldfastError && error.code === 'ExecutionNotFound' && runId !== asked;
      if (isForgotten) return { was_reset: true };
      throw error;
    }
  }

  #keep(runId: string, reset: boolean): void {
    this.#known.set(runId, reset);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_KNOWN && oldest !== undefined) this.#known.delete(oldest);
  }
}
