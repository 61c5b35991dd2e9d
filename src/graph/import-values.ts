/** Values of other shapes as the fields of a kind take them. */
import { isDecimal } from '../money';
import type { FieldAlias, BlockMapping } from './builder-kinds';
import type { KindDeclaration } from './kinds';
import type { ValueType } from './value-types';

const EXACT_DIGITS = 15;

/**
 * The decimal text of a JSON number, where it is exact: a number of at most 15 significant digits survives a double unchanged, one with
 * more may be another than the author wrote.
 */
export function exactDecimal(value: number): string | undefined {
  const text = String(value);
  const digits = text.replace(/\D/g, '').replace(/^0+/, '');
  return isDecimal(text) && digits.length <= EXACT_DIGITS ? text : undefined;
}

/** Texts are never made numbers, nor the reverse but for money: what does not fit is left for validation to name. */
export function asFieldTakes(value: unknown, type: ValueType | undefined): unknown {
  if (type === 'decimal' && typeof value === 'number') return exactDecimal(value) ?? value;
  if (type !== 'decimals' || !Array.isArray(value)) return value;
  const items = value.map((item: unknown) => asFieldTakes(item, 'decimal'));
  return items.some((item, at) => item !== value[at]) ? items : value;
}

export interface Renamed {
  readonly field: string;
  readonly value: unknown;
}

/** A property of a block as a field: its name by the row, else by the kind, else its own; its value in the field's form. */
export function fieldFor(
  [name, value]: readonly [string, unknown],
  row: BlockMapping | undefined,
  named: (name: string) => string | undefined,
): Renamed {
  const alias = aliasOf(row, name);
  if (typeof alias === 'object') return { field: alias.field, value: withUnit(value, alias.unit) };
  const field = alias ?? named(name) ?? name;
  return { field, value: translated(value, ownOf(row?.values, field)) };
}

function withUnit(value: unknown, unit: string): unknown {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  return /^\d+(\.\d+)?$/.test(text) ? text + unit : value;
}

function translated(value: unknown, words: Readonly<Record<string, unknown>> | undefined): unknown {
  return typeof value === 'string' ? (ownOf(words, value) ?? value) : value;
}

export function aliasOf(row: BlockMapping | undefined, name: string): FieldAlias | undefined {
  return ownOf(row?.fields, name);
}

/** Never a member of the prototype, such as `constructor`. */
export function ownOf<T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined;
}

export function typeOfField(kind: KindDeclaration | undefined, field: string): ValueType | undefined {
  return ownOf(kind?.fields, field)?.type ?? kind?.open_fields?.type;
}
