import type { Venues } from '../../venues/venue';
import { defineNode, field, optional, type NodeKind, type NodeOutcome } from '../define-node';
import { decideClosing, NothingToClose } from '../orders/closing';
import { refOf, type OrderPlace } from '../orders/decide';
import { orderBranches, orderOutcome, orderOutputs, placeAndFollow } from '../orders/follow';
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
        if (error instanceof NothingToClose) return flat(place);
        throw error;
      }
    },
  });

function flat({ venue, symbol, side }: OrderPlace): NodeOutcome {
  const nothing = { quantity: '0', filled_quantity: '0', filled_notional: '0', fees: '0' };
  return { branch: 'flat', outputs: { status: 'flat', venue: venue.profile, symbol, side, ...nothing } };
}
