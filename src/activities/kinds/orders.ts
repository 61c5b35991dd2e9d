import type { Venues } from '../../venues/venue';
import { defineNode, field, type NodeKind } from '../define-node';
import { decideLimit, decideStop, decideTaking, refOf } from '../orders/decide';
import { orderBranches, orderOutcome, orderOutputs, placeAndFollow } from '../orders/follow';
import {
  checkAmounts,
  checkPercent,
  checkSize,
  checkUntil,
  collarField,
  goodForField,
  limitFields,
  oneOrder,
  ORDER_TIMEOUT_MS,
  placeFields,
  priceAgeField,
  sizeFields,
  untilField,
  untilOf,
} from './order-fields';

/** Kinds that send one order. */
export function orderKinds(venues: Venues): readonly NodeKind[] {
  return [marketOrder(venues), limitOrder(venues), stopOrder(venues)];
}

const order = {
  family: 'orders',
  effect: 'trade',
  follows: true,
  timeout_ms: ORDER_TIMEOUT_MS,
  resource_from: 'venue',
  outputs: orderOutputs,
  branches: orderBranches,
} as const;

const marketOrder = (venues: Venues): NodeKind =>
  defineNode({
    ...order,
    type: 'market_order',
    description:
      'Buys or sells at the market, as a limit order that takes what there is within a collar and never rests. Nothing is sent without a fresh price.',
    example: {
      type: 'market_order',
      after: ['worth_it.pass'],
      params: { venue: 'paper_bybit', symbol: 'BTC/USDT', side: 'buy', quote_amount: '100' },
    },
    fields: {
      ...placeFields,
      ...sizeFields,
      max_slippage_percent: collarField,
      max_price_age: priceAgeField,
    },
    check: (given) => checkSize(given) ?? checkPercent(given),
    run: async (fields, context) => {
      const { place, ...options } = oneOrder(venues, fields, context);
      const placed = await placeAndFollow(refOf(place), () => decideTaking(place, fields, fields), options);
      return orderOutcome(fields.venue, placed);
    },
  });

const limitOrder = (venues: Venues): NodeKind =>
  defineNode({
    ...order,
    type: 'limit_order',
    description: 'Buys or sells at a price or better, and follows the order until it has ended or is placed.',
    example: {
      type: 'limit_order',
      params: {
        venue: 'paper_bybit',
        symbol: 'BTC/USDT',
        side: 'buy',
        quantity: '0.01',
        price: '17000',
        good_for: '1h',
      },
    },
    fields: {
      ...placeFields,
      ...sizeFields,
      price: field.decimal(
        'The worst price it may fill at, in quote currency; a multiple of the market’s tick, unless rounded.',
      ),
      ...limitFields,
    },
    check: (given) => checkSize(given) ?? checkAmounts(given, ['price']) ?? checkUntil(given),
    run: async (fields, context) => {
      const { place, ...options } = oneOrder(venues, fields, context);
      const placed = await placeAndFollow(refOf(place), () => decideLimit(place, fields), {
        ...options,
        ...untilOf(fields),
      });
      return orderOutcome(fields.venue, placed);
    },
  });

const stopOrder = (venues: Venues): NodeKind =>
  defineNode({
    ...order,
    type: 'stop_order',
    description:
      'Rests at the venue until its stop price is reached, and is a market order from then on. The desk counts it at its collar, a sell that opens at the market’s price where that is above; the venue may fill it at any price.',
    example: {
      type: 'stop_order',
      params: { venue: 'paper_bybit', symbol: 'BTC/USDT', side: 'sell', stop_price: '16500', until: 'placed' },
      inputs: { quantity: 'buy.filled_quantity' },
    },
    fields: {
      ...placeFields,
      quantity: field.decimal('Size in base currency.'),
      stop_price: field.decimal('The price it begins to work at; a multiple of the market’s tick.'),
      max_slippage_percent: field.decimal('How far from the stop price the desk counts it, in percent.', {
        default: '5',
      }),
      good_for: goodForField,
      until: untilField,
      max_price_age: priceAgeField,
    },
    check: (given) => checkAmounts(given, ['quantity', 'stop_price']) ?? checkPercent(given) ?? checkUntil(given),
    run: async (fields, context) => {
      const { place, ...options } = oneOrder(venues, fields, context);
      const placed = await placeAndFollow(refOf(place), () => decideStop(place, fields), {
        ...options,
        ...untilOf(fields),
      });
      return orderOutcome(fields.venue, placed);
    },
  });
