/**
 * How the executions a change concerns are told of it, within one attempt of the activity.
 *
 * - T1. All are told, whatever becomes of one: what it failed with is thrown when the others have heard.
 * - T2. The next is told when one has heard: signals to all of them at once would be tasks for all of them at once, which wait beyond their
 *   two seconds for the worker that holds the execution, and the server is slow to hand them to another.
 * - T3. Where nobody hears, nobody is waited for; nor for longer than the patience of the attempt, in which some may hear and others not:
 *   an attempt that ran out of time would begin with the first again, and never come to the last.
 */
import { performance } from 'node:perf_hooks';
import type { EmergencyState } from '../emergency/model';
import { permissionsOf } from '../emergency/scopes';

/** So many executions are told at once, and each is left word when it has not heard for so long. */
export const AT_ONCE = 20;
export const HEARD_WITHIN_MS = 2_000;
/** After it signals alone, which the server takes by the hundred a second. */
export const PATIENCE_MS = 20_000;

/**
 * Whether a change to `told` is news no more, now that the scope is in `state`. Those a halt finds have only to wait for its end; those a
 * shutdown finds are cancelled, so one that was resumed must not be told of again because of a halt that came after it.
 */
export function isTakenBack(told: EmergencyState, state: EmergencyState): boolean {
  if (told === 'shutdown') return state !== 'shutdown';
  return permissionsOf(state).can_trade !== permissionsOf(told).can_trade;
}

export interface ExecutionTellerOptions {
  /** Whether it heard within that time; else it was left word. */
  readonly tell: (executionId: string, withinMs: number) => Promise<boolean>;
  /** Called after each. */
  readonly onTold: () => void;
  /** Milliseconds of a clock that never goes back; default the process's own. */
  readonly now?: () => number;
}

export class ExecutionTeller {
  readonly #options: ExecutionTellerOptions;
  readonly #now: () => number;
  readonly #began: number;
  /** In a row. */
  #unheard = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: ExecutionTellerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#began = this.#now();
  }

  /** Never rejects. */
  async tell(ids: readonly string[]): Promise<void> {
    const queue = ids.values();
    const lane = async () => {
      for (const id of queue) await this.#tellOne(id);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  /** To be called when all were told. Throws what the first that could not be told failed with. */
  assertAllTold(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #tellOne(id: string): Promise<void> {
    try {
      const hasHeard = await this.#options.tell(id, this.#isPatient ? HEARD_WITHIN_MS : 0);
      this.#unheard = hasHeard ? 0 : this.#unheard + 1;
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#options.onTold();
  }

  get #isPatient(): boolean {
    return this.#unheard < AT_ONCE && this.#now() - this.#began < PATIENCE_MS;
  }
}
