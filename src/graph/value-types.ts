/** Which output may feed which field. */

export const VALUE_TYPES = [
  'any',
  'text',
  'boolean',
  'integer',
  'number',
  'decimal',
  'decimals',
  'duration',
  'formula',
  'object',
  'list',
] as const;

/** The type of a field, an output or an input. `decimal` is a decimal string; `formula` a text whose bare references are its edges. */
export type ValueType = (typeof VALUE_TYPES)[number];

/**
 * A number never feeds a decimal, not even a whole one: money that went through a JavaScript number may already be rounded.
 * A list or `any` feeds whatever it may turn out to be; the field checks the value when the node runs. A formula is never
 * fed, because its references must be known before.
 */
const FEEDS: Readonly<Record<ValueType, readonly ValueType[]>> = {
  any: ['any', 'text', 'boolean', 'integer', 'number', 'decimal', 'decimals', 'duration', 'formula', 'object', 'list'],
  text: ['any', 'text', 'decimal'],
  boolean: ['any', 'boolean'],
  integer: ['any', 'integer'],
  number: ['any', 'integer', 'number'],
  decimal: ['any', 'decimal'],
  decimals: ['any', 'decimals', 'list'],
  duration: ['any', 'integer', 'number', 'duration'],
  formula: [],
  object: ['any', 'object'],
  list: ['any', 'decimals', 'list'],
};

export function fits(output: ValueType, field: ValueType): boolean {
  return FEEDS[field].includes(output);
}

const INDEX = /^(0|[1-9]\d*)$/;

/** The type found by following steps into a value; undefined when such a value has no such part. */
export function typeAt(type: ValueType, steps: readonly string[]): ValueType | undefined {
  const [step, ...rest] = steps;
  if (step === undefined) return type;
  if (type === 'any' || type === 'object') return 'any';
  if (type !== 'list' && type !== 'decimals') return undefined;
  if (step === 'length') return typeAt('integer', rest);
  return INDEX.test(step) ? typeAt(type === 'list' ? 'any' : 'decimal', rest) : undefined;
}
