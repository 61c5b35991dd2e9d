/** What happened on a curve: fills and halts, placed on its points. Pure. */
import { amount } from '../format';
import type { FillMoment, HaltMoment } from '../wire';

export interface Mark {
  readonly kind: 'bought' | 'sold' | 'halted';
  /** Seconds since 1970, of the point it is drawn at. */
  readonly time: number;
}

export interface Happened {
  readonly fills: readonly FillMoment[];
  readonly halts: readonly HaltMoment[];
}

/** Each at the last point that is not later, or at the first; of one kind at one point there is one mark. `times` rises. */
export function marksOn(times: readonly number[], { fills, halts }: Happened): readonly Mark[] {
  const moments = [
    ...fills.map(({ at, side }) => ({ at, kind: side === 'sell' ? ('sold' as const) : ('bought' as const) })),
    ...halts.map(({ at }) => ({ at, kind: 'halted' as const })),
  ];
  const marks = new Map<string, Mark>();
  for (const { at, kind } of moments) {
    const time = pointAt(times, Date.parse(at) / 1_000);
    if (time !== undefined) marks.set(`${kind} ${time}`, { kind, time });
  }
  return [...marks.values()].toSorted((a, b) => a.time - b.time);
}

function pointAt(times: readonly number[], second: number): number | undefined {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) <= second) low = middle + 1;
    else high = middle;
  }
  return times[low - 1] ?? times[0];
}

export interface Line {
  readonly key: string;
  readonly at: string;
  readonly what: string;
  readonly words: string;
}

/** The same as a list, newest first: what a drawing shows must be readable too. */
export function linesOf({ fills, halts }: Happened): readonly Line[] {
  const lines = [
    ...fills.map(({ at, order_id, side, quantity, symbol, venue, profit }, index) => ({
      key: `fill ${index} ${order_id}`,
      ...{ at, what: side === 'sell' ? '▼ sold' : '▲ bought' },
      words: `${amount(quantity)} ${symbol} at ${venue}; profit so far ${amount(profit, 2)}`,
    })),
    ...halts.map(({ at, state, scope, actor, reason }, index) => ({
      key: `halt ${index}`,
      ...{ at, what: `■ ${state}` },
      words: `${scope} by ${actor}: ${reason}`,
    })),
  ];
  return lines.toSorted((a, b) => b.at.localeCompare(a.at));
}
