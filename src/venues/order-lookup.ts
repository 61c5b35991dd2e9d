/** What is asked of a venue about orders whose sender is gone. */
import { present } from '../json';
import type { Venue, VenueOrder } from './venue';

export interface OrderLookup {
  readonly venue: string;
  readonly account: string;
  /**
   * Milliseconds after the end of a permit from which the venue accepts its order no more: by how much the clocks of this machine and the
   * venue may differ, and what the venue adds by itself. Absent where orders carry no expiry: what such a venue has not may still come.
   */
  readonly fence_ms?: number;
  /** How long the venue may have an order before it can be found, milliseconds. */
  readonly query_lag_ms: number;
  /** What the venue has under a client order id; undefined when it has none. Throws when it does not say, within seconds. */
  find(order: { readonly client_order_id: string; readonly symbol: string }): Promise<FoundOrder | undefined>;
}

export interface FoundOrder {
  /** `ended`: filled, cancelled or expired; whatever it was filled by then, it is filled by no more. */
  readonly status: 'open' | 'ended' | 'rejected';
  /** Cumulative, decimal text. */
  readonly filled_quantity: string;
  /** Price times quantity, in all. */
  readonly filled_notional: string;
  readonly fees: string;
  /** Of the latest fill, milliseconds since 1970; of its creation when there is none. */
  readonly at: number;
}

/** Of the account at a venue; undefined where it can only be watched. */
export function lookupOf({ profile, trading }: Venue): OrderLookup | undefined {
  if (trading === undefined) return undefined;
  const { account, fence_ms, query_lag_ms } = trading;
  return {
    ...{ venue: profile, account, query_lag_ms },
    ...present({ fence_ms }),
    find: async ({ client_order_id, symbol }) => {
      const order = await trading.find({ client_order_id, symbol });
      return order === undefined ? undefined : foundOrder(order);
    },
  };
}

function foundOrder({ status, filled_quantity, filled_notional, fees, updated_ms }: VenueOrder): FoundOrder {
  const hasEnded = status === 'open' || status === 'rejected' ? status : 'ended';
  return { status: hasEnded, filled_quantity, filled_notional, fees, at: updated_ms };
}
