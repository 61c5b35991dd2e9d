import { decimal, isDecimal } from '../../money';
import type { Venues } from '../../venues/venue';
import type { FieldsProblem, GivenFields } from '../../graph/kinds';
import { defineNode, field, optional, output, type NodeKind } from '../define-node';
import { venueNamed } from '../orders/accounts';
import { formatResult } from './math';

const NOTE = 'intended only, not sent';

/** The kind that only says what would be ordered. */
export function intendedOrderKinds(venues: Venues): readonly NodeKind[] {
  return [intendedOrder(venues)];
}

interface Size {
  readonly quantity: string | undefined;
  readonly quote_amount: string | undefined;
  readonly price: string | undefined;
}

/** Exactly one size, and every number above zero. */
function checkSize({ literals, names }: GivenFields): FieldsProblem | undefined {
  if (names.has('quantity') === names.has('quote_amount')) {
    return { message: 'give exactly one of `quantity` and `quote_amount`' };
  }
  for (const name of ['quantity', 'quote_amount', 'price']) {
    const value = literals[name];
    if (isDecimal(value) && decimal(value).lte('0'))
      return { field: name, message: `must be above zero, not ${value}` };
  }
  return undefined;
}

/** What the order is worth in quote currency; undefined when no price is known. */
function notionalOf({ quantity, quote_amount, price }: Size): string | undefined {
  if (quote_amount !== undefined) return quote_amount;
  if (quantity === undefined || price === undefined) return undefined;
  return formatResult(decimal(quantity).times(decimal(price)));
}

const withoutAbsent = (record: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));

const intendedOrder = (venues: Venues): NodeKind =>
  defineNode({
    type: 'intended_order',
    family: 'orders',
    effect: 'notify',
    description: 'Records the order a strategy would place. Nothing is sent to any venue.',
    example: {
      type: 'intended_order',
      after: ['worth_it.pass'],
      params: { venue: 'paper_bybit', symbol: 'BTC/USDT', side: 'buy', quote_amount: '100' },
      inputs: { price: 'price_bybit.last' },
    },
    fields: {
      venue: field.text('Venue profile the order is meant for.'),
      symbol: field.text('Market of that venue.'),
      side: field.choice(['buy', 'sell'], 'Direction.'),
      quantity: optional(field.decimal('Size in base currency; exactly one of quantity and quote_amount is needed.')),
      quote_amount: optional(field.decimal('Size in quote currency.')),
      price: optional(field.decimal('Price the strategy saw.')),
      reason: field.text('Why, for people; may hold {{references}}.', { default: '' }),
    },
    check: checkSize,
    resource_from: 'venue',
    outputs: {
      sent: output('boolean', 'Always false.'),
      kind: output('text', 'Always intended_order.'),
      note: output('text', `Always “${NOTE}”.`),
      venue: output('text', 'As given.'),
      symbol: output('text', 'As given.'),
      side: output('text', 'As given.'),
      quantity: output('decimal', 'As given; absent otherwise.'),
      quote_amount: output('decimal', 'As given; absent otherwise.'),
      price: output('decimal', 'As given; absent otherwise.'),
      notional: output(
        'decimal',
        'Worth in quote currency: quote_amount, or quantity · price; absent without a price.',
      ),
      reason: output('text', 'As given.'),
    },
    run: (order, { log, idempotency_key }) => {
      const { quantity, quote_amount, price } = order;
      venueNamed(venues, order.venue);
      const notional = notionalOf({ quantity, quote_amount, price });
      const record = withoutAbsent({ kind: 'intended_order', note: NOTE, sent: false, ...order, notional });
      log.info({ order: record, idempotency_key }, 'order_intended_not_sent');
      return { outputs: record };
    },
  });
