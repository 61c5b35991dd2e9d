import type { Members } from '../../json';
import { formatDecimal } from '../../money';
import type { OrderSide, Venues } from '../../venues/venue';
import { defineNode, field, output, type NodeKind, type NodeOutcome } from '../define-node';
import { accountAt } from '../orders/accounts';
import type { OrderPlace } from '../orders/decide';
import { OrderLegs } from '../orders/order-legs';
import { orderOutcome } from '../orders/follow';
import { Pair, PAIR_LEGS, type LegEnd, type PairEnd } from '../orders/pair';
import { checkAmounts, checkPercent, collarField, ORDER_TIMEOUT_MS, priceAgeField } from './order-fields';

/** Kinds that send several orders at once. */
export function pairedKinds(venues: Venues): readonly NodeKind[] {
  return [pairedOrder(venues)];
}

const LEG = ' {venue, symbol}: venue profile and market.';
const LEG_OUTPUT =
  'With client_order_id, status, filled_quantity and what else an order gives, or with why it was not sent';

const pairedOrder = (venues: Venues): NodeKind =>
  defineNode({
    type: 'paired_order',
    family: 'orders',
    effect: 'trade',
    follows: true,
    timeout_ms: ORDER_TIMEOUT_MS,
    description:
      'Sells at one market and buys the same quantity at another, both at once and each within a collar. Neither is sent before the desk has permitted both.',
    example: {
      type: 'paired_order',
      after: ['worth_it.pass'],
      params: {
        sell: { venue: 'paper_binance', symbol: 'BTC/BUSD' },
        buy: { venue: 'paper_bybit', symbol: 'BTC/USDT' },
        quote_amount: '100',
        on_half_done: 'unwind',
      },
    },
    fields: {
      sell: field.objectOf(`Where to sell,${LEG}`, legProblem),
      buy: field.objectOf(`Where to buy,${LEG}`, legProblem),
      quote_amount: field.decimal('Size of each in quote currency, at the dearer of both prices.'),
      on_half_done: field.choice(
        ['hedge', 'hold', 'unwind'],
        'When one has filled more than the other: try the other again once, leave it, or take it back where it filled.',
        { default: 'hold' },
      ),
      max_slippage_percent: collarField,
      max_price_age: priceAgeField,
    },
    check: (given) => checkAmounts(given, ['quote_amount']) ?? checkPercent(given),
    outputs: {
      sell: output('object', `What became of the sell. ${LEG_OUTPUT}.`),
      buy: output('object', `What became of the buy. ${LEG_OUTPUT}.`),
      remedy: output('object', `The order that was to mend a half-done pair; absent where none was. ${LEG_OUTPUT}.`),
      exposed_quantity: output(
        'decimal',
        'Bought less sold, in base currency and without fees: 0 when the pair is closed.',
      ),
    },
    branches: ['done', 'half_done', 'not_filled'],
    run: async ({ sell, buy, ...terms }, context) => {
      const places = { sell: placeOf(venues, sell, 'sell'), buy: placeOf(venues, buy, 'buy') };
      const { venue, trading } = places.sell;
      const legs = new OrderLegs({ profile: venue.profile, venue: trading, context, legs: () => PAIR_LEGS });
      return pairOutcome(places, await new Pair(legs, places, terms).run());
    },
  });

function legProblem(members: Members): string | undefined {
  const { venue, symbol, ...others } = members;
  const [other] = Object.keys(others);
  if (other !== undefined) return `has an unknown member ${other}; it takes venue and symbol`;
  return typeof venue === 'string' && typeof symbol === 'string' ? undefined : 'must be {venue, symbol}, both texts';
}

function placeOf(venues: Venues, { venue, symbol }: Members, side: OrderSide): OrderPlace {
  return { ...accountAt(venues, String(venue)), symbol: String(symbol), side, leg: side };
}

function pairOutcome(places: Record<'sell' | 'buy', OrderPlace>, end: PairEnd): NodeOutcome {
  const [sell, buy] = [legOutput(places.sell, end.sell), legOutput(places.buy, end.buy)];
  // It is at one of the two; which, its own symbol says.
  const remedy = end.remedy === undefined ? {} : { remedy: legOutput(remedyPlace(places, end.remedy), end.remedy) };
  return {
    branch: branchOf(end),
    outputs: { sell, buy, ...remedy, exposed_quantity: formatDecimal(end.exposed) },
  };
}

function remedyPlace({ sell, buy }: Record<'sell' | 'buy', OrderPlace>, remedy: LegEnd): OrderPlace {
  return remedy.kind === 'ended' && remedy.order.symbol === buy.symbol && buy.symbol !== sell.symbol ? buy : sell;
}

function legOutput({ venue, symbol, side }: OrderPlace, end: LegEnd): Members {
  if (end.kind === 'ended') return orderOutcome(venue.profile, end.order).outputs;
  const { code, message } = end.failure;
  return {
    venue: venue.profile,
    symbol,
    side,
    filled_quantity: '0',
    status: 'not_sent',
    error_type: code,
    error: message,
  };
}

function branchOf({ sell, buy, exposed }: PairEnd): string {
  if (!exposed.eq('0')) return 'half_done';
  const filled = [sell, buy].some((end) => end.kind === 'ended' && end.order.filled_quantity !== '0');
  return filled ? 'done' : 'not_filled';
}
