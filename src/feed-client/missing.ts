/** What the numbers of a stream say was not told. */
import { isAfter, type Cursor } from '../event-log/cursor';
import type { GapNotice } from '../gateway/protocol';

export interface Missing {
  readonly reason: GapNotice['reason'];
  readonly count: number;
}

/** What was not told of a stream between `known` and what comes now, of which `before` events of its epoch come before it; undefined: nothing. */
export function missingBetween(known: Cursor | undefined, place: Cursor, before: number): Missing | undefined {
  if (known !== undefined && known.log_epoch !== place.log_epoch)
    return isAfter(place, known) ? { reason: 'log_restarted', count: 0 } : undefined;
  const count = before - (known?.seq ?? 0);
  return count > 0 ? { reason: 'out_of_reach', count } : undefined;
}
