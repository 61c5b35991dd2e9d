/** Figures as the benchmarks print them. */

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = 0, high = 0] = [sorted[middle - 1], sorted[middle]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}

export function spread(values: readonly number[], digits = 0): string {
  const fixed = [Math.min(...values), median(values), Math.max(...values)].map((value) => value.toFixed(digits));
  return `${fixed[1] ?? ''} (${fixed[0] ?? ''}–${fixed[2] ?? ''})`;
}
