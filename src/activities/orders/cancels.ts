/**
 * Cancels, repeated until the venue says what became of the order.
 *
 * A cancel can overtake its order. So that the venue has none of this id counts only when an order that was on its way as the cancel began
 * could have come no more, and would be shown if it had.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PERMIT_LIFETIME_MS } from '../../emergency/permits';
import { HoldfastError } from '../../errors';
import type { OrderRef, TradingVenue, VenueOrder } from '../../venues/venue';

export interface Cancelled {
  readonly kind: 'cancelled' | 'ended' | 'not_found';
  /** As it ended. */
  readonly order?: VenueOrder;
}

const AGAIN_AFTER_MS = 250;
/** Within one attempt; there are more of them. */
const PATIENCE_MS = 15_000;

/** Throws retryable errors of the catalogue while nobody knows. */
export async function cancelToTheEnd(
  venue: TradingVenue,
  ref: OrderRef,
  { signal, now = () => performance.now() }: { readonly signal: AbortSignal; readonly now?: () => number },
): Promise<Cancelled> {
  const began = now();
  const { fence_ms, query_lag_ms } = venue;
  const gone = fence_ms === undefined ? Infinity : began + PERMIT_LIFETIME_MS + fence_ms + query_lag_ms;
  for (;;) {
    const asked = now();
    const { kind } = await venue.cancel(ref);
    if (kind !== 'not_found') return { kind, order: await endOf(venue, ref, signal) };
    if (asked > gone) return { kind };
    if (asked > began + PATIENCE_MS) {
      throw new HoldfastError('OrderUnknown', `the venue shows no order ${ref.client_order_id}, and may yet`, {
        ...ref,
      });
    }
    await sleep(AGAIN_AFTER_MS, undefined, { signal });
  }
}

/** What filled before a cancel may be shown after it. */
async function endOf(venue: TradingVenue, ref: OrderRef, signal: AbortSignal): Promise<VenueOrder> {
  await sleep(venue.query_lag_ms, undefined, { signal });
  const order = await venue.find(ref);
  if (order !== undefined && order.status !== 'open') return order;
  const what = order === undefined ? 'does not show any more' : 'still shows as open';
  throw new HoldfastError('OrderUnknown', `the venue ${what} the cancelled order ${ref.client_order_id}`, { ...ref });
}
