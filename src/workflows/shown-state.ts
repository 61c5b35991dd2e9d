/** What lists and the Web UI show of an execution: its state as a search attribute, its progress as the current details. */
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Books } from './books';
import { describeProgress } from './details';
import type { ExecutionState } from './messages';
import { stateAttribute } from './search-attributes';

export class ShownState {
  readonly #books: Books;
  readonly #out: () => Iterable<number>;
  #state: ExecutionState = 'running';
  #details = '';
  #isFinal = false;

  /** `out`: the nodes that run now. */
  constructor(books: Books, out: () => Iterable<number>) {
    this.#books = books;
    this.#out = out;
  }

  get state(): ExecutionState {
    return this.#state;
  }

  get isFinal(): boolean {
    return this.#isFinal;
  }

  show(state: ExecutionState): void {
    if (this.#isFinal) return;
    const details = describeProgress(this.#books, this.#out(), state);
    if (details !== this.#details) setCurrentDetails((this.#details = details));
    if (state === this.#state) return;
    this.#state = state;
    upsertSearchAttributes([stateAttribute(state)]);
  }

  conclude(state: ExecutionState): void {
    this.show(state);
    this.#isFinal = true;
  }
}
