/** How often each node instance was handed out in its generation, and what its last attempt reported. */
import { present } from '../json';
import type { CarriedTurn, Trail } from './messages';

export interface Turn {
  readonly dispatch: number;
  /** Attempts of earlier dispatches. */
  readonly used: number;
  /** The last one known; 0 where nothing was tried. */
  readonly attempt?: number;
  readonly duration_ms?: number;
  /** Milliseconds since 1970; not of what ended in an earlier run. */
  readonly ended_at?: number;
  /** Of kinds that follow their orders, from the second dispatch on. */
  readonly trail?: Trail;
}

const NONE: Turn = { dispatch: 0, used: 0 };

export class Turns {
  readonly #turns = new Map<number, Turn>();

  constructor(carried: readonly CarriedTurn[] = []) {
    for (const [id, dispatch, used, attempt, duration_ms, trail] of carried) {
      const known = { attempt: attempt ?? undefined, duration_ms: duration_ms ?? undefined, trail };
      this.#turns.set(id, { dispatch, used, ...present(known) });
    }
  }

  of(id: number): Turn {
    return this.#turns.get(id) ?? NONE;
  }

  /** Handed out again: a new dispatch, with nothing known of it yet. */
  next(id: number): Turn {
    const { dispatch, used, trail } = this.of(id);
    const turn = { dispatch: dispatch + 1, used, ...present({ trail }) };
    this.#turns.set(id, turn);
    return turn;
  }

  /**
   * To be handed out again later. A memo takes the place of what was known before; a dispatch that was lost is remembered until one leaves a
   * memo, also over dispatches that a gate or a breaker refused.
   */
  deferred(id: number, { attempt, memo, lost }: { attempt: number; memo?: unknown; lost?: true }): void {
    const { trail: before, ...turn } = this.of(id);
    const since = lost === true ? { lost: turn.dispatch, ...before } : before;
    const trail = memo === undefined ? since : { memo };
    this.#turns.set(id, { ...turn, used: attempt - 1, ...present({ trail }) });
  }

  /** What it was to follow has ended. */
  ended(id: number, last: { readonly [K in 'attempt' | 'duration_ms' | 'ended_at']?: number | undefined }): void {
    const { trail: _, ...turn } = this.of(id);
    this.#turns.set(id, { ...turn, ...present(last) });
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

function carryTurn(id: number, { dispatch, used, attempt, duration_ms, trail }: Turn): CarriedTurn {
  if (trail !== undefined) return [id, dispatch, used, attempt ?? null, duration_ms ?? null, trail];
  if (duration_ms !== undefined) return [id, dispatch, used, attempt ?? 1, duration_ms];
  return attempt === undefined ? [id, dispatch, used] : [id, dispatch, used, attempt];
}
