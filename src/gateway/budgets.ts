/**
 * How much each client may ask. What raises (alert, halt, shutdown) has a budget of its own: nothing else a client does can use it up,
 * and nobody but who may command draws on it.
 */
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import type { Budget } from './limits';

/** `excess`: so far over that an answer to each would cost more than the flood does. */
export type Verdict = 'pass' | 'over' | 'excess';

const EXCESS = 10;

export class Budgets {
  readonly #ordinary: RateLimiterMemory;
  readonly #raises: RateLimiterMemory;
  readonly #excess: { readonly ordinary: number; readonly raises: number };

  constructor(ordinary: Budget, raises: Budget) {
    this.#ordinary = limiterOf(ordinary);
    this.#raises = limiterOf(raises);
    this.#excess = { ordinary: ordinary.points * EXCESS, raises: raises.points * EXCESS };
  }

  /** Takes one from the budget of `key`, a connection or a subject. */
  async spend(key: string, isRaise: boolean): Promise<Verdict> {
    const limiter = isRaise ? this.#raises : this.#ordinary;
    try {
      await limiter.consume(key);
      return 'pass';
    } catch (refusal) {
      const most = isRaise ? this.#excess.raises : this.#excess.ordinary;
      return (refusal as RateLimiterRes).consumedPoints > most ? 'excess' : 'over';
    }
  }
}

function limiterOf({ points, seconds }: Budget): RateLimiterMemory {
  return new RateLimiterMemory({ points, duration: seconds });
}
