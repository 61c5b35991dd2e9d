/**
 * Words that the order of a node had better be looked at now: a node that is held back after that dispatch is ready at once, and one whose
 * dispatch is still out is held back no more when that ends. A word about any other dispatch is about what was looked at since.
 */
import type { Books } from './books';
import type { LookAgain } from './messages';

export class Looks {
  readonly #books: Pick<Books, 'graph' | 'turns' | 'waits'>;
  readonly #ready: (id: number) => void;
  /** Dispatches that are out, by node. */
  readonly #asked = new Map<number, number>();

  constructor(books: Pick<Books, 'graph' | 'turns' | 'waits'>, ready: (id: number) => void) {
    this.#books = books;
    this.#ready = ready;
  }

  ask({ node, dispatch }: LookAgain): void {
    const { graph, turns, waits } = this.#books;
    const id = graph.find(node);
    if (id === undefined || turns.of(id).dispatch !== dispatch) return;
    const wait = waits.get(id);
    if (wait === undefined && graph.state(id).state === 'running') this.#asked.set(id, dispatch);
    // What a gate keeps back waits for the gate.
    if (wait?.kind !== 'deferral' || wait.by_gate === true) return;
    waits.delete(id);
    this.#ready(id);
  }

  /** Whether it was asked for while the dispatch that has just ended was out. */
  take(id: number): boolean {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked === this.#books.turns.of(id).dispatch;
  }
}

export function isLookAgain(payload: unknown): payload is LookAgain {
  if (typeof payload !== 'object' || payload === null) return false;
  const { node, dispatch } = payload as Partial<Record<keyof LookAgain, unknown>>;
  return typeof node === 'string' && Number.isSafeInteger(dispatch);
}
