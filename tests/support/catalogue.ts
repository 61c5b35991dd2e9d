/** A few node kinds for tests of the language, one for every shape a kind can have, and the shipped ones that are part of it. */
import { createHash } from 'node:crypto';
import { defineNode, field, output } from '../../src/activities/define-node';
import type { NodeKind } from '../../src/activities/define-node';
import { booleanKinds } from '../../src/activities/kinds/booleans';
import { controlKinds } from '../../src/activities/kinds/control';
import { switchKinds } from '../../src/activities/kinds/switch';
import type { KindCatalogue } from '../../src/graph/kinds';

const nothing = () => ({ outputs: {} });

const kinds: readonly NodeKind[] = [
  ...controlKinds,
  ...switchKinds,
  ...booleanKinds,
  defineNode({
    type: 'constant',
    family: 'sample',
    effect: 'pure',
    description: 'A value.',
    fields: { value: field.any('Any value.') },
    outputs: { value: output('any', 'The value.', { same_as: 'value' }) },
    run: ({ value }) => ({ outputs: { value } }),
  }),
  defineNode({
    type: 'candles',
    family: 'sample',
    effect: 'read',
    description: 'Bars.',
    fields: {
      symbol: field.text('Market.'),
      limit: field.integer('Number of bars.', { min: 1, max: 1000, default: 100 }),
      side: field.choice(['bid', 'ask'], 'Side.', { default: 'bid' }),
    },
    outputs: {
      closes: output('decimals', 'Closing prices.'),
      rows: output('list', 'Bars.'),
      count: output('integer', 'Number of bars.'),
      meta: output('object', 'About the market.'),
    },
    run: nothing,
  }),
  defineNode({
    type: 'sma',
    family: 'sample',
    effect: 'pure',
    description: 'Simple moving average.',
    fields: { values: field.decimals('Prices.'), period: field.integer('Bars.', { min: 1, max: 500 }) },
    outputs: { value: output('decimal', 'The average.') },
    run: nothing,
  }),
  defineNode({
    type: 'threshold',
    family: 'sample',
    effect: 'pure',
    description: 'Is a value large enough?',
    fields: { value: field.decimal('Compared.'), min: field.decimal('Least.') },
    outputs: {},
    branches: ['pass', 'fail'],
    run: nothing,
  }),
  defineNode({
    type: 'if',
    family: 'sample',
    effect: 'pure',
    description: 'A condition.',
    fields: {
      condition: field.formula('Decides.', (text) =>
        typeof text === 'string' && !text.includes('&&&') ? undefined : 'is not a formula',
      ),
    },
    outputs: { result: output('boolean', 'The decision.') },
    branches: ['true', 'false'],
    run: nothing,
  }),
  defineNode({
    type: 'notify',
    family: 'sample',
    effect: 'notify',
    description: 'Tells somebody.',
    fields: { message: field.text('The text.', { default: '' }) },
    outputs: {},
    run: nothing,
  }),
];

export const sampleCatalogue: KindCatalogue = new Map(kinds.map((kind) => [kind.type, kind]));

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
