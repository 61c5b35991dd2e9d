import { durationMs } from '../../graph/duration';
import { decimal, formatDecimal } from '../../money';
import type { Venues } from '../../venues/venue';
import { defineNode, field, output, type NodeKind } from '../define-node';
import { accountAt } from '../orders/accounts';
import { OrderLegs } from '../orders/order-legs';
import { runTwap, sliceLegs, type TwapProgress } from '../orders/twap';
import { checkAmounts, checkPercent, collarField, ORDER_TIMEOUT_MS, placeFields, priceAgeField } from './order-fields';

/** Kinds that order over a span of time. */
export function slicedKinds(venues: Venues): readonly NodeKind[] {
  return [twap(venues)];
}

const MOST_SLICES = 500;

const twap = (venues: Venues): NodeKind =>
  defineNode({
    type: 'twap',
    family: 'orders',
    effect: 'trade',
    follows: true,
    timeout_ms: ORDER_TIMEOUT_MS,
    resource_from: 'venue',
    description:
      'Buys or sells a total in equal slices over a span of time, each at the market within a collar. What one does not fill is carried into the next; a halt stops it between two, and what is late then is not sent at once.',
    example: {
      type: 'twap',
      params: { venue: 'paper_binance', symbol: 'BTC/BUSD', side: 'buy', total: '0.1', slices: 10, over: '10m' },
    },
    fields: {
      ...placeFields,
      total: field.decimal('Size of all slices, in base currency.'),
      slices: field.integer('How many.', { min: 1, max: MOST_SLICES }),
      over: field.duration('The span they are spread over; the first is sent at once.'),
      max_slippage_percent: collarField,
      max_price_age: priceAgeField,
    },
    check: (given) => checkAmounts(given, ['total']) ?? checkPercent(given),
    outputs: {
      venue: output('text', 'The venue profile.'),
      symbol: output('text', 'The market.'),
      side: output('text', 'buy or sell.'),
      total: output('decimal', 'What was to be ordered, in base currency.'),
      filled_quantity: output('decimal', 'Filled of it.'),
      filled_notional: output('decimal', 'What that came to in quote currency, without fees.'),
      average_price: output('decimal', 'Of what was filled, rounded to 12 places; absent where nothing was.'),
      fees: output('decimal', 'In quote currency.'),
      orders: output('integer', 'How many orders were sent.'),
      problem: output('text', 'Why the last slice that was not sent was not; absent where none was missed since.'),
    },
    branches: ['filled', 'partly_filled', 'not_filled'],
    run: async ({ over, ...fields }, context) => {
      const { venue: profile, symbol, side } = fields;
      const account = accountAt(venues, profile);
      const legs = new OrderLegs({ profile, venue: account.trading, context, legs: sliceLegs });
      const terms = { ...fields, over_ms: durationMs(over) ?? 0 };
      const progress = await runTwap(legs, { ...account, symbol, side }, terms);
      return { branch: branchOf(progress, fields.total), outputs: outputsOf(progress, fields) };
    },
  });

interface Given {
  readonly venue: string;
  readonly symbol: string;
  readonly side: string;
  readonly total: string;
}

function outputsOf({ filled, notional, fees, orders, problem }: TwapProgress, { venue, symbol, side, total }: Given) {
  const figures = { filled_quantity: filled, filled_notional: notional, fees, orders };
  const average = decimal(filled).eq('0') ? undefined : formatDecimal(decimal(notional).div(decimal(filled)), 12);
  return {
    ...{ venue, symbol, side, total },
    ...figures,
    ...(average === undefined ? {} : { average_price: average }),
    ...(problem === undefined ? {} : { problem: `${problem.code}: ${problem.message}` }),
  };
}

function branchOf({ filled }: TwapProgress, total: string): string {
  if (decimal(filled).eq('0')) return 'not_filled';
  return decimal(filled).gte(decimal(total)) ? 'filled' : 'partly_filled';
}
