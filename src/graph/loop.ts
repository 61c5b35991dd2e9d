/** Where a `map` or a `repeat` stands, and what it is made of. JSON. */
import { isBlob } from './blob';
import type { Failure } from './scheduler';

export interface ItemError {
  readonly index: number;
  readonly error: string;
  readonly error_type: string;
}

export interface Loop {
  readonly kind: 'map' | 'repeat';
  /** Of `map` the items, of `repeat` the most iterations. */
  readonly count: number;
  readonly concurrency: number;
  readonly on_item_error: 'fail' | 'continue';
  /** The next frame to open. */
  next: number;
  /** Frames that have not ended. */
  open: number;
  /** Of `map`: by item; null where one failed. */
  results: unknown[];
  errors: ItemError[];
  /** Of `repeat`: what the last iteration gave, and what its `while` said, where it has one. */
  last?: Readonly<Record<string, unknown>>;
  goes_on?: boolean;
  /** Until when what it has gathered may be acted on after a halt; absent where nothing limits it. */
  good_until?: number;
  /** Weight of what it has gathered, held with the outputs. */
  held: number;
  /** Why it was cut short: no frame opens any more. */
  given_up?: string;
  /** Set once: no frame opens any more, and the node fails when the open ones have ended. */
  failure?: Omit<Failure, 'node_id'>;
}

export const MOST_ITEMS = 10_000;
const CONCURRENCY = 10;

/** A loop from the fields of its node, or what is wrong with them. */
export function createLoop(kind: 'map' | 'repeat', fields: Readonly<Record<string, unknown>>): Loop | string {
  const count = kind === 'map' ? lengthOf(fields['items']) : fields['max_iterations'];
  const concurrency = kind === 'map' ? (fields['concurrency'] ?? CONCURRENCY) : 1;
  if (!isCount(count)) return countMistake(kind, fields['items']);
  if (!isCount(concurrency) || concurrency === 0) return 'concurrency: must be a whole number from 1';
  const on_item_error = fields['on_item_error'] === 'continue' ? 'continue' : 'fail';
  const results = kind === 'map' ? Array.from({ length: count }, () => null) : [];
  return { kind, count, concurrency, on_item_error, next: 0, open: 0, results, errors: [], held: 0 };
}

function lengthOf(items: unknown): unknown {
  if (isBlob(items)) return items.path === undefined ? items.$blob.length : undefined;
  return Array.isArray(items) ? items.length : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_ITEMS;
}

function countMistake(kind: 'map' | 'repeat', items: unknown): string {
  if (kind === 'repeat') return `max_iterations: must be a whole number up to ${MOST_ITEMS}`;
  if (isBlob(items) && items.path !== undefined) {
    return 'items: the list stands inside a stored value; give it as an output of its own';
  }
  return `items: must be a list of at most ${MOST_ITEMS}`;
}

/** Whether another frame may open now. */
export function hasMore({ kind, failure, given_up, next, count, open, concurrency, goes_on }: Loop): boolean {
  if (failure !== undefined || given_up !== undefined) return false;
  return next < count && open < concurrency && (kind === 'map' || goes_on !== false);
}

export function loopOutputs({ kind, results, errors, next, last, goes_on }: Loop): Record<string, unknown> {
  // Kept as they came: sorted once, the outcome does not depend on which item failed first.
  if (kind === 'map') return { results, errors: errors.toSorted((a, b) => a.index - b.index), count: results.length };
  return { iterations: next, exhausted: goes_on === true, ...(last === undefined ? {} : { last }) };
}
