import { decimal, formatDecimal, type Decimal } from '../../money';
import { quantizeQuantity } from '../../venues/size-checks';
import type { Venues } from '../../venues/venue';
import { defineNode, field, optional, type NodeKind, type NodeOutcome } from '../define-node';
import { marketNow, refOf, takingWish, type OrderPlace, type PriceBounds } from '../orders/decide';
import { orderBranches, orderOutcome, orderOutputs, placeAndFollow } from '../orders/follow';
import type { OrderWish } from '../orders/order-legs';
import type { Trade } from '../trade';
import {
  checkAmounts,
  checkPercent,
  collarField,
  oneOrder,
  ORDER_TIMEOUT_MS,
  placeFields,
  priceAgeField,
} from './order-fields';

/** Kinds that only reduce. */
export function closingKinds(venues: Venues): readonly NodeKind[] {
  return [closePosition(venues)];
}

const closePosition = (venues: Venues): NodeKind =>
  defineNode({
    type: 'close_position',
    family: 'orders',
    effect: 'trade',
    follows: true,
    reduces: true,
    timeout_ms: ORDER_TIMEOUT_MS,
    resource_from: 'venue',
    description:
      'Sells at the market what the desk knows the bot to hold of a symbol, and no more than the account has free. It only reduces, so it may stand in `on_halt`.',
    example: {
      type: 'close_position',
      params: { venue: 'paper_binance', symbol: 'BTC/BUSD', max_slippage_percent: '3' },
    },
    fields: {
      venue: placeFields.venue,
      symbol: placeFields.symbol,
      quantity: optional(field.decimal('At most so much, in base currency; by default all.')),
      max_slippage_percent: collarField,
      max_price_age: priceAgeField,
    },
    check: (given) => checkAmounts(given, ['quantity']) ?? checkPercent(given),
    outputs: orderOutputs,
    branches: [...orderBranches, 'flat'],
    run: async (fields, context) => {
      const { place, ...options } = oneOrder(venues, { ...fields, side: 'sell' }, context);
      try {
        const decide = () => decideClosing(place, fields, context.trade);
        return orderOutcome(fields.venue, await placeAndFollow(refOf(place), decide, options));
      } catch (error) {
        if (error instanceof NothingHeld) return flat(place);
        throw error;
      }
    },
  });

class NothingHeld extends Error {}

interface Closing extends PriceBounds {
  readonly quantity: string | undefined;
}

/** Throws `NothingHeld` where that is less than one step of the market. */
async function decideClosing(place: OrderPlace, { quantity, ...bounds }: Closing, trade: Trade): Promise<OrderWish> {
  const { venue, trading, symbol } = place;
  const now = await marketNow(place, bounds.max_price_age);
  const account = { venue: venue.profile, account: trading.account, symbol, side: 'sell' } as const;
  const [proven, balances] = await Promise.all([trade.reducible(account), trading.balances()]);
  const free = balances.find(({ asset }) => asset === now.market.base)?.free ?? '0';
  const held = least([proven, free, ...(quantity === undefined ? [] : [quantity])]);
  const size = quantizeQuantity(formatDecimal(held), now.market);
  if (decimal(size).eq('0')) throw new NothingHeld(`nothing is held of ${symbol}`);
  const wish = takingWish(place, { quantity: size }, { ...now, percent: bounds.max_slippage_percent });
  return { ...wish, reduces_only: true };
}

function least(amounts: readonly string[]): Decimal {
  return amounts.map(decimal).reduce((a, b) => (b.lt(a) ? b : a));
}

function flat({ venue, symbol, side }: OrderPlace): NodeOutcome {
  const nothing = { quantity: '0', filled_quantity: '0', filled_notional: '0', fees: '0' };
  return { branch: 'flat', outputs: { status: 'flat', venue: venue.profile, symbol, side, ...nothing } };
}
