import { durationMs } from '../../graph/duration';
import type { FieldsProblem, GivenFields } from '../../graph/kinds';
import { decimal, divideDown, formatDecimal, isDecimal, type Decimal } from '../../money';
import { orderProblem, quantizeQuantity } from '../../venues/size-checks';
import type { OrderSide, Venues } from '../../venues/venue';
import { defineNode, field, optional, output, type NodeKind } from '../define-node';
import { accountAt, type Account } from '../orders/accounts';
import { freshPrice, type FreshPrice } from '../orders/prices';
import { checkAmounts, checkSize, placeFields, priceAgeField, sizeFields } from './order-fields';

/** Kinds that judge an order before it is one. */
export function checkKinds(venues: Venues): readonly NodeKind[] {
  return [preTradeCheck(venues), positionSize];
}

const preTradeCheck = (venues: Venues): NodeKind =>
  defineNode({
    type: 'pre_trade_check',
    family: 'checks',
    effect: 'read',
    resource_from: 'venue',
    description:
      'Looks whether an order could go out now: price fresh, size on the market’s grid and large enough, balance enough, spread not too wide. Goes on with `pass` or `fail`.',
    example: {
      type: 'pre_trade_check',
      params: { venue: 'paper_bybit', symbol: 'BTC/USDT', side: 'buy', quote_amount: '100', max_spread_bps: '10' },
    },
    fields: {
      ...placeFields,
      ...sizeFields,
      price: optional(field.decimal('Limit price; by default the last one.')),
      max_price_age: priceAgeField,
      max_spread_bps: optional(field.decimal('The widest spread between the best prices, in basis points.')),
    },
    check: (given) => checkSize(given) ?? checkAmounts(given, ['price', 'max_spread_bps']),
    outputs: {
      ok: output('boolean', 'Whether nothing is against it.'),
      reasons: output('list', 'What is against it, one sentence each.'),
      quantity: output('decimal', 'Size in base currency.'),
      price: output('decimal', 'What it was judged at.'),
      notional: output('decimal', 'Worth in quote currency at that price.'),
      age_ms: output('integer', 'Age of the last price by the venue’s clock.'),
    },
    branches: ['pass', 'fail'],
    run: async (fields) => {
      const account = accountAt(venues, fields.venue);
      const fresh = await freshPrice(account.venue, fields.symbol);
      const { quantity, price, notional, reasons } = await judged(fields, account, fresh);
      const outputs = { ok: reasons.length === 0, reasons, quantity, price, notional, age_ms: fresh.age_ms };
      return { outputs, branch: reasons.length === 0 ? 'pass' : 'fail' };
    },
  });

interface Checked {
  readonly symbol: string;
  readonly side: OrderSide;
  readonly quantity: string | undefined;
  readonly quote_amount: string | undefined;
  readonly price: string | undefined;
  readonly max_price_age: number | string;
  readonly max_spread_bps: string | undefined;
}

async function judged(fields: Checked, { trading }: Account, fresh: FreshPrice) {
  const { symbol, side, quote_amount = '0' } = fields;
  const [market, balances] = await Promise.all([trading.market(symbol), trading.balances()]);
  const { last } = fresh.ticker;
  const price = fields.price ?? last;
  const quantity =
    fields.quantity ?? quantizeQuantity(formatDecimal(divideDown(decimal(quote_amount), decimal(price))), market);
  const draft = { client_order_id: 'check', symbol, side, type: 'limit', quantity, price } as const;
  const notional = decimal(quantity).times(decimal(price));
  const [asset, needed] = side === 'buy' ? [market.quote, notional] : [market.base, decimal(quantity)];
  const free = balances.find((each) => each.asset === asset)?.free ?? '0';
  const reasons = [
    ageReason(fresh, fields),
    orderProblem(draft, market, last)?.message,
    needed.gt(decimal(free)) ? `It takes ${formatDecimal(needed)} ${asset}, and ${free} is free.` : undefined,
    spreadReason(fresh, fields),
  ].filter((reason) => reason !== undefined);
  return { quantity, price, notional: formatDecimal(notional), reasons };
}

function ageReason({ age_ms }: FreshPrice, { max_price_age }: Checked): string | undefined {
  const most = durationMs(max_price_age) ?? 0;
  return age_ms > most ? `The last price is ${age_ms} ms old, and at most ${most} ms are allowed.` : undefined;
}

function spreadReason({ ticker: { bid, ask } }: FreshPrice, { max_spread_bps: most }: Checked): string | undefined {
  if (most === undefined) return undefined;
  if (bid === undefined || ask === undefined) return 'The venue says no best prices, so nobody knows the spread.';
  const [low, high] = [decimal(bid), decimal(ask)];
  const bps = high.minus(low).times('20000').div(low.plus(high));
  return bps.gt(decimal(most))
    ? `The spread is ${formatDecimal(bps, 2)} bps, and at most ${most} are allowed.`
    : undefined;
}

const positionSize = defineNode({
  type: 'position_size',
  family: 'checks',
  effect: 'pure',
  description:
    'How much to order: a share of equity, or what loses no more than a share of it down to the stop; of both the smaller, capped, and rounded down to a step.',
  example: {
    type: 'position_size',
    params: { fraction_percent: '5', risk_percent: '1', stop_distance: '250', step: '0.00001' },
    inputs: { equity: 'balance.total', price: 'price.last' },
  },
  fields: {
    equity: field.decimal('What shares are taken of, in quote currency.'),
    price: field.decimal('Price of one unit.'),
    fraction_percent: optional(
      field.decimal('Share of equity the order may be worth; at least one of it and risk_percent is needed.'),
    ),
    risk_percent: optional(field.decimal('Share of equity that may be lost down to the stop; needs stop_distance.')),
    stop_distance: optional(field.decimal('From the price to the stop, in quote currency.')),
    max_quote_amount: optional(field.decimal('The most the order may be worth, in quote currency.')),
    step: optional(field.decimal('Quantities are multiples of it.')),
  },
  check: checkSizing,
  outputs: {
    quantity: output('decimal', 'In base currency; 0 where it is less than one step.'),
    notional: output('decimal', 'What that is worth at the price.'),
    limited_by: output('text', 'Which of fraction, risk and max_quote_amount decided.'),
  },
  run: ({ equity, price, fraction_percent, risk_percent, stop_distance, max_quote_amount, step }) => {
    const share = (percent: string) => decimal(equity).times(decimal(percent)).times('0.01');
    const candidates: [string, Decimal][] = [];
    if (fraction_percent !== undefined)
      candidates.push(['fraction', divideDown(share(fraction_percent), decimal(price))]);
    if (risk_percent !== undefined && stop_distance !== undefined)
      candidates.push(['risk', divideDown(share(risk_percent), decimal(stop_distance))]);
    if (max_quote_amount !== undefined)
      candidates.push(['max_quote_amount', divideDown(decimal(max_quote_amount), decimal(price))]);
    const [limited_by, least] = candidates.reduce((a, b) => (b[1].lt(a[1]) ? b : a));
    const exact = formatDecimal(least.lt('0') ? decimal('0') : least);
    const quantity = step === undefined ? exact : quantizeQuantity(exact, { quantity_step: step });
    return { outputs: { quantity, notional: formatDecimal(decimal(quantity).times(decimal(price))), limited_by } };
  },
});

function checkSizing(given: GivenFields): FieldsProblem | undefined {
  const { names, literals } = given;
  if (!names.has('fraction_percent') && !names.has('risk_percent'))
    return { message: 'give at least one of `fraction_percent` and `risk_percent`' };
  if (names.has('risk_percent') !== names.has('stop_distance'))
    return { field: 'risk_percent', message: 'is of use only together with `stop_distance`' };
  const shares = ['fraction_percent', 'risk_percent'].find((name) => {
    const value = literals[name];
    return isDecimal(value) && decimal(value).gt('100');
  });
  if (shares !== undefined) return { field: shares, message: 'is more than 100 percent' };
  const amounts = ['price', 'fraction_percent', 'risk_percent', 'stop_distance', 'max_quote_amount', 'step'];
  return checkAmounts(given, amounts);
}
