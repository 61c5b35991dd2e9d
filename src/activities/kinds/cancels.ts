import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError, messageOf } from '../../errors';
import type { OrderRef, TradingVenue, Venue, Venues, VenueOrder } from '../../venues/venue';
import { defineNode, field, optional, output, type NodeKind } from '../define-node';
import { accountAt, assertMode, type Account } from '../orders/accounts';
import { cancelToTheEnd } from '../orders/cancels';

/** Kinds that take orders back: without permits, and whatever is halted. No breaker keeps them back either. */
export function cancelKinds(venues: Venues): readonly NodeKind[] {
  return [cancelOrder(venues), cancelAll(venues)];
}

const cancelOrder = (venues: Venues): NodeKind =>
  defineNode({
    type: 'cancel_order',
    family: 'orders',
    effect: 'cancel',
    description:
      'Cancels an order, and repeats it until the venue has said what became of it. Needs no permit, and no halt keeps it back.',
    example: {
      type: 'cancel_order',
      params: { venue: 'paper_bybit', symbol: 'BTC/USDT' },
      inputs: { client_order_id: 'rest.client_order_id' },
    },
    fields: {
      venue: field.text('Venue profile the order was sent to.'),
      symbol: field.text('Market of that venue.'),
      client_order_id: field.text('What the venue knows the order by.'),
    },
    outputs: {
      client_order_id: output('text', 'As given.'),
      status: output('text', 'cancelled, filled, expired, rejected or not_found.'),
      filled_quantity: output('decimal', 'Filled before its end, in base currency.'),
      filled_notional: output('decimal', 'What that came to in quote currency, without fees.'),
      fees: output('decimal', 'In quote currency.'),
    },
    branches: ['cancelled', 'ended', 'not_found'],
    run: async ({ venue, symbol, client_order_id }, { signal, task }) => {
      const { trading } = accountOfMode(venues, venue, task.mode);
      const { kind, order } = await cancelToTheEnd(trading, { client_order_id, symbol }, { signal });
      const { status = 'not_found', filled_quantity = '0', filled_notional = '0', fees = '0' } = order ?? {};
      return { branch: kind, outputs: { client_order_id, status, filled_quantity, filled_notional, fees } };
    },
  });

const cancelAll = (venues: Venues): NodeKind =>
  defineNode({
    type: 'cancel_all',
    family: 'orders',
    effect: 'cancel',
    description:
      'Cancels every open order of an account, whoever sent it, at one market or at all. Stop orders are spared unless asked for: they protect.',
    example: { type: 'cancel_all', params: { venue: 'paper_bybit', symbol: 'BTC/USDT' } },
    fields: {
      venue: field.text('Venue profile whose account is meant.'),
      symbol: optional(field.text('Market of that venue; by default all.')),
      stops: field.boolean('Whether stop orders are cancelled, too.', { default: false }),
    },
    outputs: {
      orders: output(
        'list',
        'What became of each: {client_order_id, symbol, side, type, quantity, outcome, status, filled_quantity}.',
      ),
      cancelled: output('integer', 'How many were cancelled.'),
      spared: output('integer', 'How many stop orders were left.'),
    },
    run: async ({ venue, symbol, stops }, { signal, task }) => {
      const { trading } = accountOfMode(venues, venue, task.mode);
      const open = await trading.openOrders(symbol, { urgent: true });
      const meant = open.filter(({ type }) => stops || type !== 'stop');
      const orders = await allCancelled(trading, meant, signal);
      const cancelled = orders.filter(({ outcome }) => outcome === 'cancelled').length;
      return { outputs: { orders, cancelled, spared: open.length - meant.length } };
    },
  });

function accountOfMode(venues: Venues, profile: string, mode: Venue['mode']): Account {
  const account = accountAt(venues, profile);
  assertMode(account.venue, mode);
  return account;
}

const TRIES = 3;
const AGAIN_AFTER_MS = 500;

/** All of them are tried before one that was refused is a reason to try again. */
async function allCancelled(venue: TradingVenue, orders: readonly VenueOrder[], signal: AbortSignal) {
  const ends = await Promise.all(orders.map((order) => tried(venue, order, signal)));
  const [failed] = ends.filter(({ error }) => error !== undefined);
  if (failed === undefined) return ends;
  const { error, client_order_id } = failed;
  const code = error instanceof HoldfastError ? error.code : 'ServiceError';
  const count = ends.filter((end) => end.error !== undefined).length;
  throw new HoldfastError(code, `${count} of ${ends.length} are not cancelled yet: ${messageOf(error)}`, {
    client_order_id,
  });
}

async function tried(venue: TradingVenue, order: VenueOrder, signal: AbortSignal) {
  const { client_order_id, symbol, side, type, quantity } = order;
  const ref: OrderRef = { client_order_id, symbol };
  for (let left = TRIES; ; left -= 1) {
    try {
      const { kind: outcome, order: end } = await cancelToTheEnd(venue, ref, { signal });
      const { status, filled_quantity } = end ?? order;
      return { client_order_id, symbol, side, type, quantity, outcome, status, filled_quantity };
    } catch (error) {
      const again = left > 1 && error instanceof HoldfastError && error.entry.retryable;
      if (!again) return { client_order_id, symbol, side, type, quantity, outcome: 'failed' as const, error };
      await sleep(AGAIN_AFTER_MS, undefined, { signal });
    }
  }
}
