import { HoldfastError } from '../../errors';
import { decimal, formatDecimal, isDecimal, type Decimal } from '../../money';
import { defineNode, field, output, type NodeKind } from '../define-node';

const BPS_PLACES = 8;

const operations = {
  add: (a: Decimal, b: Decimal) => a.plus(b),
  subtract: (a: Decimal, b: Decimal) => a.minus(b),
  multiply: (a: Decimal, b: Decimal) => a.times(b),
  divide: (a: Decimal, b: Decimal) => a.div(notZero(b)),
  min: (a: Decimal, b: Decimal) => (b.lt(a) ? b : a),
  max: (a: Decimal, b: Decimal) => (b.gt(a) ? b : a),
} as const;

function notZero(b: Decimal): Decimal {
  if (b.eq('0')) throw new HoldfastError('InvalidInput', 'b: is zero and cannot divide');
  return b;
}

/** Writes a result as the decimal string other nodes accept. Throws `InvalidInput` when it has more than 30 digits before the point. */
export function formatResult(result: Decimal, places?: number): string {
  const text = formatDecimal(result, places);
  if (!isDecimal(text)) throw new HoldfastError('InvalidInput', 'the result has more than 30 digits before the point');
  return text;
}

const math = defineNode({
  type: 'math',
  family: 'arithmetic',
  effect: 'pure',
  description: 'One operation on two decimals, exact but for a division, which is rounded half up to 20 places.',
  example: { type: 'math', params: { op: 'multiply', b: '0.25' }, inputs: { a: 'candles.last' } },
  fields: {
    op: field.choice(['add', 'subtract', 'multiply', 'divide', 'min', 'max'], 'What to do with a and b.'),
    a: field.decimal('Left operand.'),
    b: field.decimal('Right operand; not zero for divide.'),
  },
  outputs: { value: output('decimal', 'The result, with at most 30 places.') },
  run: ({ op, a, b }) => ({ outputs: { value: formatResult(operations[op](decimal(a), decimal(b))) } }),
});

const spread = defineNode({
  type: 'spread',
  family: 'arithmetic',
  effect: 'pure',
  description: 'Distance of one price from another, in basis points of the second.',
  example: { type: 'spread', inputs: { a: 'price_binance.last', b: 'price_bybit.last' } },
  fields: { a: field.decimal('Price compared.'), b: field.decimal('Price compared with; not zero.') },
  outputs: {
    bps: output('decimal', `(a − b) / b · 10⁴, rounded half up to ${BPS_PLACES} places.`),
    difference: output('decimal', 'a − b.'),
  },
  run: ({ a, b }) => {
    const difference = decimal(a).minus(decimal(b));
    const bps = difference.times('10000').div(notZero(decimal(b)));
    return { outputs: { bps: formatResult(bps, BPS_PLACES), difference: formatResult(difference) } };
  },
});

export const mathKinds: readonly NodeKind[] = [math, spread];
