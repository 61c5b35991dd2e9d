import { HoldfastError } from '../../errors';
import { decimal, isDecimal, type Decimal } from '../../money';
import type { FieldsProblem, GivenFields } from '../../graph/kinds';
import { defineNode, field, optional, output, type NodeKind } from '../define-node';
import { checkFormula, evaluateFormula } from '../formula';

const comparisons = {
  gt: (a: Decimal, b: Decimal) => a.gt(b),
  gte: (a: Decimal, b: Decimal) => a.gte(b),
  lt: (a: Decimal, b: Decimal) => a.lt(b),
  lte: (a: Decimal, b: Decimal) => a.lte(b),
  eq: (a: Decimal, b: Decimal) => a.eq(b),
  ne: (a: Decimal, b: Decimal) => !a.eq(b),
} as const;

const passOrFail = (pass: boolean) => (pass ? 'pass' : 'fail');

const compare = defineNode({
  type: 'compare',
  family: 'conditions',
  effect: 'pure',
  description: 'Compares two decimals and goes on with `pass` or `fail`.',
  example: { type: 'compare', params: { op: 'gt' }, inputs: { a: 'fast.value', b: 'slow.value' } },
  fields: {
    op: field.choice(['gt', 'gte', 'lt', 'lte', 'eq', 'ne'], 'How a must stand to b.'),
    a: field.decimal('Left side.'),
    b: field.decimal('Right side.'),
  },
  outputs: { value: output('boolean', 'Whether it holds.') },
  branches: ['pass', 'fail'],
  run: ({ op, a, b }) => {
    const value = comparisons[op](decimal(a), decimal(b));
    return { outputs: { value }, branch: passOrFail(value) };
  },
});

const threshold = defineNode({
  type: 'threshold',
  family: 'conditions',
  effect: 'pure',
  description: 'Goes on with `pass` when a value lies within its bounds, bounds included, else with `fail`.',
  example: { type: 'threshold', params: { min: '8' }, inputs: { value: 'spread.bps' } },
  fields: {
    value: field.decimal('The value judged.'),
    min: optional(field.decimal('Lowest value that passes; at least one of min and max is needed.')),
    max: optional(field.decimal('Highest value that passes.')),
  },
  outputs: { value: output('decimal', 'The value judged, unchanged.', { same_as: 'value' }) },
  branches: ['pass', 'fail'],
  check: checkBounds,
  run: ({ value, min, max }) => {
    const above = min === undefined || decimal(value).gte(decimal(min));
    const below = max === undefined || decimal(value).lte(decimal(max));
    return { outputs: { value }, branch: passOrFail(above && below) };
  },
});

function checkBounds({ literals, names }: GivenFields): FieldsProblem | undefined {
  if (!names.has('min') && !names.has('max')) return { message: 'give at least one of `min` and `max`' };
  const { min, max } = literals;
  const turned = isDecimal(min) && isDecimal(max) && decimal(min).gt(decimal(max));
  return turned ? { field: 'min', message: `${min} is above max ${max}, so nothing could pass` } : undefined;
}

const when = defineNode({
  type: 'if',
  family: 'conditions',
  effect: 'pure',
  description: 'Computes a formula and goes on with `true` or `false`.',
  example: { type: 'if', params: { condition: 'fast.value > slow.value && rsi.value < 70' } },
  fields: {
    condition: field.formula(
      'Formula over references: + - * / %, comparisons, && || !, ?:, parentheses, min, max, abs. Must be true or false.',
      checkFormula,
    ),
  },
  outputs: { value: output('boolean', 'What the formula gave.') },
  branches: ['true', 'false'],
  run: ({ condition }) => {
    const value = evaluateFormula(condition);
    if (typeof value !== 'boolean') {
      throw new HoldfastError('InvalidInput', `condition: gives ${JSON.stringify(value)}, not true or false`);
    }
    return { outputs: { value }, branch: String(value) };
  },
});

export const conditionKinds: readonly NodeKind[] = [compare, threshold, when];
