/** What a node that follows its orders hands from dispatch to dispatch. */
import { isObject } from '../../json';

/** One order that was sent, or may have been. */
export interface LegMemo {
  /** Under which the desk knows it. */
  readonly permit_id: string;
  /** Whether the venue has said that it has it. */
  readonly placed: boolean;
}

export interface OrdersMemo {
  /** By leg. */
  readonly legs: Readonly<Record<string, LegMemo>>;
  /** Legs of a dispatch that was lost, of which nothing is known yet: the number their permits are asked under. */
  readonly perhaps?: Readonly<Record<string, number>>;
  /** When the first of them was sent, milliseconds since 1970. */
  readonly began_at: number;
  /** What else the kind keeps. */
  readonly own?: unknown;
}

/** Throws `RangeError` for what no kind has left. */
export function readMemo(memo: unknown): OrdersMemo | undefined {
  if (memo === undefined) return undefined;
  if (!isObject(memo) || !isObject(memo['legs']) || typeof memo['began_at'] !== 'number') {
    throw new RangeError('what is known of the orders cannot be read');
  }
  return memo as unknown as OrdersMemo;
}
