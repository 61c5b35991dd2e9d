import { defineNode, field, output, type NodeKind } from '../define-node';

const constant = defineNode({
  type: 'constant',
  family: 'data',
  effect: 'pure',
  description: 'Gives the value it was given.',
  example: { type: 'constant', params: { value: 42 } },
  fields: { value: field.any('Any JSON value. Write money as a decimal string such as "12.50".') },
  outputs: { value: output('any', 'The value, unchanged.') },
  run: ({ value }) => ({ outputs: { value } }),
});

export const dataKinds: readonly NodeKind[] = [constant];
