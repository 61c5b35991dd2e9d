import type { Venue, Venues } from '../../venues/venue';
import { defineNode, field, optional, output, type NodeKind, type NodeOutcome } from '../define-node';
import { accountAt, assertMode } from '../orders/accounts';
import { refOf } from '../orders/decide';
import { orderBranches, orderOutcome, orderOutputs, placeAndFollow } from '../orders/follow';
import { OrderLegs } from '../orders/order-legs';
import { NotReplaced, Replacement } from '../orders/replace';
import { checkAmounts, checkUntil, limitFields, ORDER_TIMEOUT_MS, untilOf } from './order-fields';

/** Kinds that put an order in the place of another. */
export function replacingKinds(venues: Venues): readonly NodeKind[] {
  return [replaceOrder(venues)];
}

const outputs = {
  ...orderOutputs,
  status: output('text', 'filled, cancelled, expired or open; not_sent where nothing was sent in its place.'),
  replaced: output(
    'object',
    'How the old one ended: {client_order_id, side, status, filled_quantity, filled_notional, fees}; absent where the venue has none.',
  ),
  reason: output('text', 'Why nothing was sent in its place; absent where something was.'),
};

const replaceOrder = (venues: Venues): NodeKind =>
  defineNode({
    type: 'replace_order',
    family: 'orders',
    effect: 'trade',
    follows: true,
    timeout_ms: ORDER_TIMEOUT_MS,
    resource_from: 'venue',
    description:
      'Cancels a limit order, and orders what it certainly did not fill at another price. What it could not take back itself is not replaced: an order that had filled or ended before, and one of which nobody knows.',
    example: {
      type: 'replace_order',
      params: { venue: 'paper_bybit', symbol: 'BTC/USDT', price: '17010', good_for: '1h' },
      inputs: { client_order_id: 'rest.client_order_id' },
    },
    fields: {
      venue: field.text('Venue profile the order was sent to.'),
      symbol: field.text('Market of that venue.'),
      client_order_id: field.text('What the venue knows the order by that is to be replaced.'),
      price: field.decimal(
        'The worst price the new one may fill at, in quote currency; a multiple of the market’s tick, unless rounded.',
      ),
      quantity: optional(
        field.decimal('Size of both together in base currency, with what the old one filled; by default its own.'),
      ),
      ...limitFields,
    },
    check: (given) => checkAmounts(given, ['price', 'quantity']) ?? checkUntil(given),
    outputs,
    branches: [...orderBranches, 'not_replaced'],
    run: async (fields, context) => {
      const { venue, symbol } = fields;
      const account = accountAt(venues, venue);
      const legs = new OrderLegs({ profile: venue, venue: account.trading, context });
      const place = { ...account, leg: 'order', symbol };
      const replacement = new Replacement({ place, legs, context }, fields);
      const following = { legs, venue: account.trading, context, decides_last: true, ...untilOf(fields) };
      const decide = decidedAt(account.venue, context.task.mode, replacement);
      try {
        const order = await placeAndFollow(refOf(place), decide, following);
        const outcome = orderOutcome(venue, order);
        return { ...outcome, outputs: { ...outcome.outputs, replaced: await replacement.replaced() } };
      } catch (error) {
        if (error instanceof NotReplaced) return notReplaced(fields, error);
        throw error;
      }
    },
  });

/** To decide is to cancel, which needs no permit: nobody else refuses it at a venue of another mode. */
function decidedAt(venue: Pick<Venue, 'profile' | 'mode'>, mode: Venue['mode'], replacement: Replacement) {
  return () => {
    assertMode(venue, mode);
    return replacement.decide();
  };
}

function notReplaced(
  { venue, symbol }: { readonly venue: string; readonly symbol: string },
  { message: reason, replaced }: NotReplaced,
): NodeOutcome {
  const nothing = { quantity: '0', filled_quantity: '0', filled_notional: '0', fees: '0' };
  const old = replaced === undefined ? {} : { side: replaced.side, replaced };
  return { branch: 'not_replaced', outputs: { status: 'not_sent', venue, symbol, ...nothing, ...old, reason } };
}
