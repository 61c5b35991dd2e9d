/** Follows one order to its end: in slices within an attempt, between which the node waits durably. */
import { setTimeout as sleep } from 'node:timers/promises';
import { decimal, formatDecimal } from '../../money';
import type { TradingVenue, VenueOrder } from '../../venues/venue';
import type { NodeContext, NodeOutcome } from '../define-node';
import { output } from '../define-node';
import type { LegRef, OrderLegs, OrderWish } from './order-legs';

export interface FollowOptions {
  readonly legs: OrderLegs;
  readonly venue: TradingVenue;
  readonly context: Pick<NodeContext, 'signal'>;
  /** Cancelled when it still rests so long after it was sent, milliseconds; absent: it may rest for ever. */
  readonly good_for_ms?: number;
  /** Whether an order that rests is enough. */
  readonly until_placed?: boolean;
  /** To decide the order is more than to read, so it waits until none of it can be out. */
  readonly decides_last?: boolean;
}

/** A halt and a new run of the execution wait for an attempt that is out, so none takes long. */
const SLICE_MS = 10_000;
const LOOK_FIRST_MS = 200;
const LOOK_MOST_MS = 2_000;
const PAUSE_FIRST_MS = 1_000;
const PAUSE_MOST_MS = 30_000;
/** An order that has rested for so many milliseconds is looked at once in so many of them. */
const PAUSE_SHARE = 20;
const UNKNOWN_PAUSE_MS = 2_000;

/** Throws what `OrderLegs.placeDecided` throws, and `OrderPending` when the order has not ended within the slice. */
export async function placeAndFollow(
  ref: LegRef,
  decide: () => Promise<OrderWish>,
  options: FollowOptions,
): Promise<VenueOrder> {
  const { legs, context, until_placed = false } = options;
  const end = Date.now() + SLICE_MS;
  for (let pause = LOOK_FIRST_MS; ; pause = Math.min(LOOK_MOST_MS, pause * 2)) {
    const state = await legs.placeDecided(ref, decide, { ahead: options.decides_last !== true });
    if (state.kind === 'unknown') throw legs.pending(state.why, { retry_in_ms: UNKNOWN_PAUSE_MS });
    if (state.kind === 'ended' || until_placed) return state.order;
    if (isOverdue(options)) await cancel(state.order, options);
    else if (Date.now() + pause > end) throw stillOpen(legs, state.order);
    await sleep(isOverdue(options) ? LOOK_FIRST_MS : pause, undefined, { signal: context.signal });
    if (Date.now() > end) throw stillOpen(legs, state.order);
  }
}

function isOverdue({ legs, good_for_ms }: FollowOptions): boolean {
  return good_for_ms !== undefined && Date.now() >= legs.began_at + good_for_ms;
}

/** What becomes of it the next look says, and one after that tries again. */
async function cancel({ client_order_id, symbol }: VenueOrder, { venue }: FollowOptions): Promise<void> {
  await venue.cancel({ client_order_id, symbol }).catch(() => undefined);
}

function stillOpen(legs: OrderLegs, order: VenueOrder) {
  const age = Date.now() - legs.began_at;
  const retry_in_ms = Math.round(Math.min(PAUSE_MOST_MS, PAUSE_FIRST_MS + age / PAUSE_SHARE));
  const { side, quantity, symbol, filled_quantity } = order;
  return legs.pending(`${side} ${quantity} ${symbol} rests, ${filled_quantity} filled`, { retry_in_ms });
}

export const orderBranches = ['filled', 'partly_filled', 'not_filled', 'open'];

export const orderOutputs = {
  client_order_id: output('text', 'What the venue knows the order by.'),
  venue_order_id: output('text', 'The venue’s own id.'),
  status: output('text', 'filled, cancelled, expired or open.'),
  venue: output('text', 'The venue profile.'),
  symbol: output('text', 'The market.'),
  side: output('text', 'buy or sell.'),
  quantity: output('decimal', 'Ordered, in base currency.'),
  filled_quantity: output('decimal', 'Filled of it.'),
  filled_notional: output('decimal', 'What that came to in quote currency, without fees.'),
  average_price: output('decimal', 'Of what was filled, rounded to 12 places; absent where nothing was.'),
  fees: output('decimal', 'In quote currency.'),
};

export function orderOutcome(profile: string, order: VenueOrder): NodeOutcome {
  const { client_order_id, venue_order_id, status, symbol, side, quantity } = order;
  const { filled_quantity, filled_notional, fees } = order;
  const average = averageOf(order);
  const outputs = { client_order_id, venue_order_id, status, venue: profile, symbol, side, quantity };
  return {
    branch: branchOf(order),
    outputs: {
      ...outputs,
      filled_quantity,
      filled_notional,
      fees,
      ...(average === undefined ? {} : { average_price: average }),
    },
  };
}

function averageOf({ filled_quantity, filled_notional }: VenueOrder): string | undefined {
  const filled = decimal(filled_quantity);
  return filled.eq('0') ? undefined : formatDecimal(decimal(filled_notional).div(filled), 12);
}

function branchOf({ status, quantity, filled_quantity }: VenueOrder): string {
  if (status === 'open') return 'open';
  const filled = decimal(filled_quantity);
  if (filled.eq('0')) return 'not_filled';
  return filled.lt(decimal(quantity)) ? 'partly_filled' : 'filled';
}
