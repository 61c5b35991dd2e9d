/** What Temporal's Web UI shows as the current details of an execution: what it waits for. */
import type { Books } from './books';
import type { ExecutionState } from './messages';

const NAMED = 5;

/** `out`: the instances that run now. */
export function describeProgress(books: Books, out: Iterable<number>, state: ExecutionState): string {
  const { graph, halts, waits } = books;
  const done = progressOf(books);
  const names = (ids: Iterable<number>) => namesOf(ids, (id) => graph.key(id));
  switch (state) {
    case 'halted':
      return `**Halted** ${halts.causes.map(({ scope, reason }) => `by ${scope}: ${reason}`).join('; ')}. ${done}.`;
    case 'waiting':
      return `Waits: ${names(waits.ids)}. ${done}.`;
    case 'running':
      return `${done}; running: ${names(out)}.`;
    case 'failed':
      return `**Failed**: ${failureOf(books)}. ${done}.`;
    case 'completed':
    case 'cancelled':
      return `${state}; ${done}.`;
  }
}

function progressOf({ graph }: Books): string {
  const [top] = graph.frames;
  const total = top?.plan.nodes.length ?? 0;
  return `${total - (top?.run.unsettled ?? 0)} of ${total} nodes done`;
}

function failureOf({ graph: { failure } }: Books): string {
  return failure === undefined ? 'refused before its first node' : `${failure.node_id}: ${failure.error}`;
}

function namesOf(ids: Iterable<number>, nameOf: (id: number) => string): string {
  const names: string[] = [];
  for (const id of ids) {
    if (names.push(nameOf(id)) === NAMED) return `${names.join(', ')} and more`;
  }
  return names.join(', ') || 'nothing yet';
}
