import { defineNode, field, output, type NodeKind } from '../define-node';

const constant = defineNode({
  type: 'constant',
  family: 'data',
  effect: 'pure',
  description: 'Gives the value it was given.',
  example: { type: 'constant', params: { value: 42 } },
  fields: { value: field.any('Any JSON value. Write money as a decimal string such as "12.50".') },
  outputs: { value: output('any', 'The value, unchanged.', { same_as: 'value' }) },
  run: ({ value }) => ({ outputs: { value } }),
});

const first = defineNode({
  type: 'first',
  family: 'data',
  effect: 'pure',
  description:
    'Gives the first of its values that there is, in the order they are written: with `join: any` it brings branches together.',
  example: { type: 'first', join: 'any', inputs: { fresh: 'ticker.last', stored: 'fallback.value' } },
  fields: {},
  open_fields: field.any('One of the values.'),
  outputs: { value: output('any', 'The value.') },
  check: ({ names }) => (names.size === 0 ? { message: 'give at least one value, under any name' } : undefined),
  run: (_, __, values) => ({ outputs: { value: Object.values(values)[0] } }),
});

export const dataKinds: readonly NodeKind[] = [constant, first];
