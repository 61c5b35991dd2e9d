/** Why an execution is halted. It is halted as long as one cause holds. */
import type { EmergencyNotice } from './desk-messages';
import type { HaltCause } from './messages';

/** The scope of an execution's own halt; all others are the desk's. */
export const OWN_SCOPE = 'execution';

const STATES: readonly unknown[] = ['normal', 'alert', 'halt', 'shutdown'] satisfies EmergencyNotice['state'][];

export class Halts {
  readonly #causes: Map<string, HaltCause>;
  readonly #epochs: Map<string, number>;

  constructor(causes: readonly HaltCause[] = [], epochs: readonly (readonly [string, number])[] = []) {
    this.#causes = new Map(causes.map((cause) => [cause.scope, cause]));
    this.#epochs = new Map(epochs);
  }

  get epochs(): [string, number][] {
    return [...this.#epochs];
  }

  get active(): boolean {
    return this.#causes.size > 0;
  }

  get causes(): HaltCause[] {
    return [...this.#causes.values()];
  }

  /** True when this cause is new. */
  raise(scope: string, reason: string, now: number): boolean {
    if (this.#causes.has(scope)) return false;
    this.#causes.set(scope, { scope, reason, since: new Date(now).toISOString() });
    return true;
  }

  /** True when it was the last cause. */
  lift(scope: string): boolean {
    return this.#causes.delete(scope) && !this.active;
  }

  /** The desk's notices may arrive twice and out of order: only a higher epoch of a scope counts. */
  isNews({ scope, epoch }: EmergencyNotice): boolean {
    if (epoch <= (this.#epochs.get(scope) ?? -1)) return false;
    this.#epochs.set(scope, epoch);
    return true;
  }
}

export function isEmergencyNotice(payload: unknown): payload is EmergencyNotice {
  if (typeof payload !== 'object' || payload === null) return false;
  const { state, scope, epoch, reason } = payload as Record<string, unknown>;
  const texts = typeof scope === 'string' && typeof reason === 'string' && scope !== OWN_SCOPE;
  return texts && Number.isSafeInteger(epoch) && STATES.includes(state);
}
