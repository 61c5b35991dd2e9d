/** Follows one order to its end: in slices within an attempt, between which the node waits durably. */
import { decimal, formatDecimal } from '../../money';
import type { TradingVenue, VenueOrder } from '../../venues/venue';
import type { NodeContext, NodeOutcome } from '../define-node';
import { output } from '../define-node';
import { EndWatch } from './end-watch';
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

/**
 * Throws what `OrderLegs.placeDecided` throws, and `OrderPending` when the order has not ended within the slice. What the venue says by itself
 * only brings the next look forward.
 */
export async function placeAndFollow(
  ref: LegRef,
  decide: () => Promise<OrderWish>,
  options: FollowOptions,
): Promise<VenueOrder> {
  const watch = new EndWatch(options.venue);
  try {
    return await follow(watch, () => look(ref, decide, options), options);
  } finally {
    watch.close();
  }
}

async function follow(watch: EndWatch, look: () => Promise<Look>, options: FollowOptions): Promise<VenueOrder> {
  const { signal } = options.context;
  const end = Date.now() + SLICE_MS;
  for (let pause = LOOK_FIRST_MS; ;) {
    const { order, isEnough } = await look();
    if (isEnough) return order;
    if (isOverdue(options)) await cancel(order, options);
    else if (Date.now() + pause > end && !watch.isDue) throw stillOpen(order, watch, options);
    const isWoken = await watch.pause(order.client_order_id, isOverdue(options) ? LOOK_FIRST_MS : pause, signal);
    if (Date.now() > end && !isWoken) throw stillOpen(order, watch, options);
    pause = isWoken ? LOOK_FIRST_MS : Math.min(LOOK_MOST_MS, pause * 2);
  }
}

interface Look {
  readonly order: VenueOrder;
  /** It is not to be followed any further. */
  readonly isEnough: boolean;
}

async function look(ref: LegRef, decide: () => Promise<OrderWish>, options: FollowOptions): Promise<Look> {
  const { legs, until_placed = false, decides_last = false } = options;
  const state = await legs.placeDecided(ref, decide, { ahead: !decides_last });
  if (state.kind === 'unknown') throw legs.pending(state.why, { retry_in_ms: UNKNOWN_PAUSE_MS });
  return { order: state.order, isEnough: state.kind === 'ended' || until_placed };
}

function isOverdue({ legs, good_for_ms }: FollowOptions): boolean {
  return good_for_ms !== undefined && Date.now() >= legs.began_at + good_for_ms;
}

/** What becomes of it the next look says, and one after that tries again. */
async function cancel({ client_order_id, symbol }: VenueOrder, { venue }: FollowOptions): Promise<void> {
  await venue.cancel({ client_order_id, symbol }).catch(() => undefined);
}

function stillOpen(order: VenueOrder, { hasHeard }: EndWatch, { legs, venue }: FollowOptions) {
  const { client_order_id, side, quantity, symbol, filled_quantity } = order;
  // What was heard and is not shown yet will be shown soon.
  const retry_in_ms = hasHeard ? PAUSE_FIRST_MS : (venue.look_every_ms ?? usualPause(Date.now() - legs.began_at));
  const wake = (look: () => void) => venue.watchEnd?.(client_order_id, look) ?? (() => undefined);
  return legs.pending(`${side} ${quantity} ${symbol} rests, ${filled_quantity} filled`, { retry_in_ms, wake });
}

function usualPause(age: number): number {
  return Math.round(Math.min(PAUSE_MOST_MS, PAUSE_FIRST_MS + age / PAUSE_SHARE));
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
