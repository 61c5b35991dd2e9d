/** What an execution reads again after a halt: see `graph/rereading.ts`. */
import type { Advance } from '../graph/graph-run';
import { present } from '../json';
import type { NodeBooks } from './status';

/** `only`: this instance alone. */
export function readAgain(books: NodeBooks, at: number, only?: number): Advance {
  return books.graph.readAgain({ at, hasBegun: (id) => hasBegun(books, id), ...present({ only }) });
}

/** What only waits inside the execution can wait anew. An order that has not ended is followed, whatever it was placed for. */
function hasBegun({ graph, turns, waits }: NodeBooks, id: number): boolean {
  if (graph.state(id).state === 'ready') return turns.of(id).trail !== undefined;
  const kind = waits.get(id)?.kind;
  return kind !== 'timer' && kind !== 'signal' && kind !== 'approval';
}
