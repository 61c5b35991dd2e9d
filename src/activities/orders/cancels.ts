/**
 * Cancels, repeated until the venue says what became of the order.
 *
 * A cancel can overtake its order. So that the venue has none of this id counts only when an order that was on its way as the asking began
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

interface Patience {
  readonly signal: AbortSignal;
  readonly now?: () => number;
}

/** Throws retryable errors of the catalogue while nobody knows. */
export async function cancelToTheEnd(venue: TradingVenue, ref: OrderRef, patience: Patience): Promise<Cancelled> {
  const cancelled = await untilShown(venue, ref, patience, async () => {
    const { kind } = await venue.cancel(ref);
    return kind === 'not_found' ? undefined : kind;
  });
  if (cancelled === undefined) return { kind: 'not_found' };
  return { kind: cancelled, order: await endOf(venue, ref, patience.signal) };
}

/** As the venue has it; undefined once it can come no more. Throws retryable errors of the catalogue while nobody knows. */
export async function shownOrGone(
  venue: TradingVenue,
  ref: OrderRef,
  patience: Patience,
): Promise<VenueOrder | undefined> {
  return untilShown(venue, ref, patience, () => venue.find(ref));
}

async function untilShown<T>(
  { fence_ms, query_lag_ms }: TradingVenue,
  ref: OrderRef,
  { signal, now = () => performance.now() }: Patience,
  ask: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const began = now();
  const gone = fence_ms === undefined ? Infinity : began + PERMIT_LIFETIME_MS + fence_ms + query_lag_ms;
  for (;;) {
    const asked = now();
    const shown = await ask();
    if (shown !== undefined || asked > gone) return shown;
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
