/** Figures as the benchmarks print them. */
import { cpus, loadavg, release, totalmem, type } from 'node:os';

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = 0, high = 0] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}

/** `share`: 0.99 for the 99th of a hundred. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
}

/**
 * What the median lies below with 95 % confidence, whatever the distribution: the smallest value that so many others are below that a fair coin
 * would seldom have put them there. Infinite with fewer than five values.
 */
export function upperBoundOfMedian(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const all = 2 ** sorted.length;
  let [below, ways] = [0, 1];
  for (const [rank, value] of sorted.entries()) {
    below += ways;
    ways *= (sorted.length - rank) / (rank + 1);
    if (below / all >= 0.95) return value;
  }
  return Infinity;
}

export function spread(values: readonly number[], digits = 0): string {
  const fixed = [Math.min(...values), median(values), Math.max(...values)].map((value) => value.toFixed(digits));
  return `${fixed[1] ?? ''} (${fixed[0] ?? ''}–${fixed[2] ?? ''})`;
}

/** What the figures were measured on. */
export function machine(): string {
  const cores = `${cpus().length} × ${cpus()[0]?.model ?? 'CPU'}`;
  const memory = `${(totalmem() / 2 ** 30).toFixed(0)} GiB`;
  const load = loadavg().map((each) => each.toFixed(1));
  return `${cores}, ${memory}, ${type()} ${release()}, Node ${process.version}, load ${load.join(' ')}`;
}

export interface Bar {
  readonly what: string;
  readonly figure: number;
  readonly most: number;
  readonly unit: string;
}

/** One line per bar, saying whether it was reached. */
export function barLine({ what, figure, most, unit }: Bar): string {
  const digits = most < 10 ? 3 : 0;
  const figures = `${figure.toFixed(digits)}${unit} (at most ${most}${unit})`;
  return `${isReached({ figure, most }) ? '✓' : '✗'} ${what.padEnd(58)} ${figures}`;
}

export function isReached({ figure, most }: Pick<Bar, 'figure' | 'most'>): boolean {
  return figure <= most;
}
