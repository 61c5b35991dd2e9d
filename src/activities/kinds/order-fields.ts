/** What kinds that order have in common. */
import { durationMs } from '../../graph/duration';
import type { FieldsProblem, GivenFields } from '../../graph/kinds';
import { present } from '../../json';
import { decimal, isDecimal } from '../../money';
import type { Venues } from '../../venues/venue';
import { field, optional, type NodeContext } from '../define-node';
import { accountAt } from '../orders/accounts';
import type { OrderPlace } from '../orders/decide';
import type { FollowOptions } from '../orders/follow';
import { OrderLegs } from '../orders/order-legs';
import type { OrderSide } from '../../venues/venue';
import type { Trade } from '../trade';
import { USUAL_PRICE_AGE } from '../orders/prices';

export type TradeContext = NodeContext & { readonly trade: Trade };

export const placeFields = {
  venue: field.text('Venue profile the order goes to.'),
  symbol: field.text('Market of that venue.'),
  side: field.choice(['buy', 'sell'], 'Direction.'),
};

export const sizeFields = {
  quantity: optional(field.decimal('Size in base currency; exactly one of quantity and quote_amount is needed.')),
  quote_amount: optional(
    field.decimal('Size in quote currency, brought onto the market’s grid; a buy never spends more.'),
  ),
};

export const collarField = field.decimal('How far from the last price it may fill at worst, in percent.', {
  default: '1',
});

export const priceAgeField = field.duration('How old the last price may be, by the venue’s clock.', {
  default: USUAL_PRICE_AGE,
});

export const untilField = field.choice(
  ['done', 'placed'],
  'When the node completes: when the order has ended, or when the venue has it.',
  { default: 'done' },
);

export const goodForField = optional(field.duration('What still rests so long after it was sent is cancelled.'));

/** Of limit orders, beside size and price. */
export const limitFields = {
  round_price: field.boolean('Whether the price is brought onto the market’s tick, on the safe side.', {
    default: false,
  }),
  time_in_force: field.choice(
    ['gtc', 'ioc', 'fok', 'post_only'],
    'Good till cancelled, immediate or cancel, fill or kill, or refused where it would take.',
    { default: 'gtc' },
  ),
  good_for: goodForField,
  until: untilField,
  max_price_age: priceAgeField,
};

export const ORDER_TIMEOUT_MS = 30_000;

/** Each number given must be above zero. */
export function checkAmounts({ literals }: GivenFields, names: readonly string[]): FieldsProblem | undefined {
  for (const name of names) {
    const value = literals[name];
    if (isDecimal(value) && decimal(value).lte('0'))
      return { field: name, message: `must be above zero, not ${value}` };
  }
  return undefined;
}

/** Exactly one size. */
export function checkSize(given: GivenFields): FieldsProblem | undefined {
  const { names } = given;
  if (names.has('quantity') === names.has('quote_amount')) {
    return { message: 'give exactly one of `quantity` and `quote_amount`' };
  }
  return checkAmounts(given, ['quantity', 'quote_amount']);
}

/** A sell at 100 percent below the price would be sold for nothing. */
export function checkPercent({ literals }: GivenFields, name = 'max_slippage_percent'): FieldsProblem | undefined {
  const value = literals[name];
  if (!isDecimal(value)) return undefined;
  const percent = decimal(value);
  return percent.lt('0') || percent.gte('100')
    ? { field: name, message: `must be at least 0 and below 100, not ${value}` }
    : undefined;
}

/** Who does not wait for the end cannot cancel later. */
export function checkUntil({ literals, names }: GivenFields): FieldsProblem | undefined {
  if (literals['until'] !== 'placed' || !names.has('good_for')) return undefined;
  return {
    field: 'good_for',
    message: 'needs `until: done`; a node that ends when its order is placed cancels nothing',
  };
}

export function untilOf({ until, good_for }: { until: 'done' | 'placed'; good_for: number | string | undefined }) {
  return { until_placed: until === 'placed', ...present({ good_for_ms: durationMs(good_for) }) };
}

/** Of a node with one order. */
export interface OneOrder extends FollowOptions {
  readonly place: OrderPlace;
}

export function oneOrder(
  venues: Venues,
  { venue, symbol, side }: { readonly venue: string; readonly symbol: string; readonly side: OrderSide },
  context: TradeContext,
): OneOrder {
  const account = accountAt(venues, venue);
  const legs = new OrderLegs({ profile: venue, venue: account.trading, context });
  return { place: { ...account, leg: 'order', symbol, side }, legs, venue: account.trading, context };
}
