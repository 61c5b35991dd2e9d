/** What the parts of an execution need of the whole. */
import type { Outcome } from '../graph/scheduler';
import type { Books } from './books';
import type { RunGraphInput } from './messages';
import type { Teller } from './teller';

export interface Engine {
  readonly input: RunGraphInput;
  readonly books: Books;
  readonly teller: Teller;
  /** Ends a node that waited inside the workflow. */
  settleWait(id: number, outcome: Outcome): void;
  /** Something was brought by the server: a new task may have begun. */
  look(): void;
  /** Starts what may start. */
  pump(): void;
  /** Does several things before it starts what follows from them. */
  together(action: () => void): void;
  /** A defect: ends the run where it is awaited. Thrown from a callback nobody would hear it, and the task would fail for ever. */
  die(error: unknown): void;
  /** Does what may throw. */
  guard(action: () => void): void;
}
