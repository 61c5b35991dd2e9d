/** What the nodes of a graph came to over several executions, from their timelines. Pure. */
import { present } from '../json';
import type { TimelineEntry } from './timeline';

export interface NodeFigures {
  /** Turns that ended: of a node in a loop one per iteration, of one that was begun anew one per generation. */
  readonly runs: number;
  /** Those of them that failed or timed out. */
  readonly failures: number;
  /** Of an attempt that succeeded, in milliseconds; absent where none did. */
  readonly mean_ms?: number;
  /** Of a condition: how often it went which way. */
  readonly branches?: Readonly<Record<string, number>>;
}

interface Sum {
  runs: number;
  failures: number;
  timed: number;
  total_ms: number;
  readonly branches: Map<string, number>;
}

/** Of iterations alike: `each[3]/price` counts for `each/price`. */
export function nodeFigures(entries: Iterable<TimelineEntry>): Readonly<Record<string, NodeFigures>> {
  const sums = new Map<string, Sum>();
  for (const entry of entries) {
    const hasFailed = entry.state === 'failed' || entry.state === 'timed_out';
    if (!hasFailed && entry.state !== 'completed') continue;
    const node = entry.node.replaceAll(/\[\d+\]/g, '');
    const sum = sums.get(node) ?? { runs: 0, failures: 0, timed: 0, total_ms: 0, branches: new Map<string, number>() };
    sums.set(node, sum);
    sum.runs += 1;
    if (hasFailed) sum.failures += 1;
    else addSuccess(sum, entry);
  }
  return Object.fromEntries([...sums].map(([node, sum]) => [node, figuresOf(sum)]));
}

function addSuccess(sum: Sum, { ran_ms, branch }: TimelineEntry): void {
  if (ran_ms !== undefined) {
    sum.timed += 1;
    sum.total_ms += ran_ms;
  }
  if (branch !== undefined) sum.branches.set(branch, (sum.branches.get(branch) ?? 0) + 1);
}

function figuresOf({ runs, failures, timed, total_ms, branches }: Sum): NodeFigures {
  return {
    ...{ runs, failures },
    ...present({
      mean_ms: timed === 0 ? undefined : Math.round(total_ms / timed),
      branches: branches.size === 0 ? undefined : Object.fromEntries(branches),
    }),
  };
}
