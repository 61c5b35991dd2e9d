/** How often each node instance was handed out in its generation, and what its last attempt reported. */
import { present } from '../json';
import type { CarriedTurn } from './messages';

export interface Turn {
  readonly dispatch: number;
  /** Attempts of earlier dispatches. */
  readonly used: number;
  /** The last one known; 0 where nothing was tried. */
  readonly attempt?: number;
  readonly duration_ms?: number;
}

const NONE: Turn = { dispatch: 0, used: 0 };

export class Turns {
  readonly #turns = new Map<number, Turn>();

  constructor(carried: readonly CarriedTurn[] = []) {
    for (const [id, dispatch, used, attempt, duration_ms] of carried) {
      this.#turns.set(id, { dispatch, used, ...present({ attempt, duration_ms }) });
    }
  }

  of(id: number): Turn {
    return this.#turns.get(id) ?? NONE;
  }

  /** Handed out again: a new dispatch, with nothing known of it yet. */
  next(id: number): Turn {
    const { dispatch, used } = this.of(id);
    const turn = { dispatch: dispatch + 1, used };
    this.#turns.set(id, turn);
    return turn;
  }

  set(id: number, turn: Turn): void {
    this.#turns.set(id, turn);
  }

  /** A new generation begins to count anew. */
  reset(id: number): void {
    this.#turns.delete(id);
  }

  carry(isKept: (id: number) => boolean): CarriedTurn[] {
    return [...this.#turns].filter(([id]) => isKept(id)).map(([id, turn]) => carryTurn(id, turn));
  }
}

function carryTurn(id: number, { dispatch, used, attempt, duration_ms }: Turn): CarriedTurn {
  if (duration_ms !== undefined) return [id, dispatch, used, attempt ?? 1, duration_ms];
  return attempt === undefined ? [id, dispatch, used] : [id, dispatch, used, attempt];
}
