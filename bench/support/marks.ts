/** What an event of the benchmark carries in its outputs: which one it is, and when it was handed to the publisher. */
import { nodeEvent, executionEvent, type ExecutionContext, type Publication } from '../../src/events/build';
import { monotonic } from './monotonic';

export interface Mark {
  /** What is measured together. */
  readonly round: number;
  /** Counts the events of one room in one round, from 0. */
  readonly index: number;
  /** By the machine's monotone clock. */
  readonly sent: number;
}

/** Nodes of one execution; each is completed again and again, in ever higher generations. */
export const NODES = 100;
const BEGIN = '"mark":"';

/** The end of a node, about 600 bytes with what `fill` adds. */
export function markedEvent(of: ExecutionContext, { round, index }: Omit<Mark, 'sent'>, fill: string): Publication {
  const turn = { node_id: `n${index % NODES}`, node_type: 'bench_step', frame: '', dispatch: 1, attempt: 1 };
  const outputs = { mark: `${round}@${index}@${monotonic()}`, fill };
  return nodeEvent(
    of,
    { ...turn, generation: Math.floor(index / NODES) + 1 },
    { type: 'node_completed', status: 'success', duration_ms: 1, outputs },
    Date.now(),
  );
}

/** The start and the end of an execution. One that has ended is not looked for in Temporal, where none of these is. */
export function lifetime(of: ExecutionContext): readonly Publication[] {
  const at = Date.now();
  return [
    executionEvent(of, 0, { type: 'execution_started', node_count: NODES }, at),
    executionEvent(of, 'end', { type: 'execution_completed', status: 'completed', duration_ms: 1 }, at),
  ];
}

/** All marks in a message, without parsing it: a thousand clients share a processor with what is measured. */
export function marksIn(text: string, take: (mark: Mark) => void): void {
  for (let at = text.indexOf(BEGIN); at !== -1; at = text.indexOf(BEGIN, at)) {
    at += BEGIN.length;
    const [round = NaN, index = NaN, sent = NaN] = text.slice(at, text.indexOf('"', at)).split('@').map(Number);
    take({ round, index, sent });
  }
}
