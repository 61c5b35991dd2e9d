/** "Did you mean": the nearest of some names. */
import { itemAt } from './item-at';

export type Suggest = (name: string, candidates: Iterable<string>) => string | undefined;

const LONGEST = 64;
/** Cells of distance tables, a tenth of a second: a file of 10,000 dangling references must not take minutes for its hints. */
const BUDGET_CELLS = 1_000_000;

/** One function per validation: it stops suggesting when its budget of comparisons is used up. */
export function createSuggest(budget = BUDGET_CELLS): Suggest {
  let left = budget;
  return (name, candidates) => {
    if (name.length > LONGEST || left < 0) return undefined;
    let best: string | undefined;
    let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
    for (const candidate of candidates) {
      if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
      left -= candidate.length * name.length;
      if (left < 0) return best;
      const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
      if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
    }
    return best;
  };
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let distance = itemAt(last, column - 1) + (same ? 0 : 1);
      distance = least(distance, itemAt(last, column) + 1);
      distance = least(distance, itemAt(current, column - 1) + 1);
      const swapped = column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current.push(swapped ? least(distance, itemAt(beforeLast, column - 2) + 1) : distance);
    }
    [beforeLast, last] = [last, current];
  }
  return itemAt(last, b.length);
}

function least(a: number, b: number): number {
  return a < b ? a : b;
}
