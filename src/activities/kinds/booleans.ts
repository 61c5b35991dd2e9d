/** Kinds that combine what others decided. */
import type { FieldsProblem, GivenFields } from '../../graph/kinds';
import { defineNode, field, output, type NodeKind } from '../define-node';

const outputs = { value: output('boolean', 'The result.') };
const branches = ['true', 'false'];
const outcomeOf = (value: boolean) => ({ outputs: { value }, branch: String(value) });

function atLeastOne({ names }: GivenFields): FieldsProblem | undefined {
  return names.size === 0 ? { message: 'give at least one value, under any name' } : undefined;
}

const and = defineNode({
  type: 'and',
  family: 'conditions',
  effect: 'pure',
  description: 'Goes on with `true` when every one of its values is true, else with `false`.',
  example: { type: 'and', inputs: { rising: 'trend.value', calm: 'rsi_low.value' } },
  fields: {},
  open_fields: field.boolean('One of the values.'),
  outputs,
  branches,
  check: atLeastOne,
  run: (_, __, values) => outcomeOf(Object.values(values).every(Boolean)),
});

const or = defineNode({
  type: 'or',
  family: 'conditions',
  effect: 'pure',
  description: 'Goes on with `true` when at least one of its values is true, else with `false`.',
  example: { type: 'or', inputs: { cheap: 'low.value', falling: 'trend.value' } },
  fields: {},
  open_fields: field.boolean('One of the values.'),
  outputs,
  branches,
  check: atLeastOne,
  run: (_, __, values) => outcomeOf(Object.values(values).some(Boolean)),
});

const not = defineNode({
  type: 'not',
  family: 'conditions',
  effect: 'pure',
  description: 'Turns a value around: goes on with `true` when it is false, else with `false`.',
  example: { type: 'not', inputs: { value: 'trend.value' } },
  fields: { value: field.boolean('The value.') },
  outputs,
  branches,
  run: ({ value }) => outcomeOf(!value),
});

export const booleanKinds: readonly NodeKind[] = [and, or, not];
