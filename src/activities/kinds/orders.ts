import { HoldfastError } from '../../errors';
import { decimal } from '../../money';
import type { Venues } from '../../venues/venue';
import { defineNode, field, output, type NodeKind } from '../define-node';
import { venueNamed } from './market';
import { formatResult } from './math';

const NOTE = 'intended only, not sent';

/** Kinds about orders. */
export function orderKinds(venues: Venues): readonly NodeKind[] {
  return [intendedOrder(venues)];
}

interface Size {
  readonly quantity: string | undefined;
  readonly quote_amount: string | undefined;
  readonly price: string | undefined;
}

/** Throws `InvalidInput` unless exactly one size is given and every number is above zero. */
function checkSize(size: Size): void {
  if ((size.quantity === undefined) === (size.quote_amount === undefined)) {
    throw new HoldfastError('InvalidInput', 'quantity, quote_amount: give exactly one of them');
  }
  for (const [name, value] of Object.entries(size) as [string, string | undefined][]) {
    if (value !== undefined && decimal(value).lte('0')) {
      throw new HoldfastError('InvalidInput', `${name}: must be above zero, not ${value}`);
    }
  }
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
      quantity: field.optionalDecimal('Size in base currency; exactly one of quantity and quote_amount is needed.'),
      quote_amount: field.optionalDecimal('Size in quote currency.'),
      price: field.optionalDecimal('Price the strategy saw.'),
      reason: field.text('Why, for people; may hold {{references}}.', { default: '' }),
    },
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
      checkSize({ quantity, quote_amount, price });
      venueNamed(venues, order.venue);
      const notional = notionalOf({ quantity, quote_amount, price });
      const record = withoutAbsent({ kind: 'intended_order', note: NOTE, sent: false, ...order, notional });
      log.info({ order: record, idempotency_key }, 'order_intended_not_sent');
      return { outputs: record };
    },
  });
