/** The values of formulas and what the operators do with them. */
import { decimal, isDecimal, type Decimal } from '../money';

export type Value = Decimal | string | boolean;

/** A value with the text it came from, so that a complaint can name it. */
export interface Operand {
  readonly text: string;
  readonly value: Value;
}

/** A sentence about a formula; becomes the answer of `checkFormula` or an `InvalidInput`. */
export class FormulaMistake extends Error {}

/**
 * Reads a JSON value: a decimal string is a decimal, any other string a text. A number counts as the digits JSON writes
 * for it. Throws `FormulaMistake` for null, lists, objects and numbers no plain decimal can express.
 */
export function readValue(name: string, json: unknown): Value {
  if (typeof json === 'boolean') return json;
  if (isDecimal(json)) return decimal(json);
  if (typeof json === 'string') return json;
  const digits = typeof json === 'number' ? String(json) : undefined;
  if (isDecimal(digits)) return decimal(digits);
  throw new FormulaMistake(`${name} is ${kindOf(json)}; a formula reads decimals, texts, true and false`);
}

function kindOf(json: unknown): string {
  if (json === undefined) return 'missing';
  if (json === null) return 'null';
  if (typeof json === 'number') return `the number ${json}, which is no plain decimal`;
  return Array.isArray(json) ? 'a list' : 'an object';
}

export function asBoolean({ text, value }: Operand): boolean {
  if (typeof value === 'boolean') return value;
  throw new FormulaMistake(`${text} is ${nameOf(value)}, where true or false is needed`);
}

export function asDecimal({ text, value }: Operand): Decimal {
  if (typeof value === 'object') return value;
  throw new FormulaMistake(`${text} is ${nameOf(value)}, where a decimal is needed`);
}

function nameOf(value: Value): string {
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? `the text ${JSON.stringify(value)}` : 'a decimal';
}

type Arithmetic = (a: Decimal, b: Decimal) => Value;
type Binary = (left: Operand, right: Operand) => Value;

const ofDecimals =
  (compute: Arithmetic): Binary =>
  (left, right) =>
    compute(asDecimal(left), asDecimal(right));

const dividing =
  (compute: Arithmetic): Binary =>
  (left, right) => {
    if (asDecimal(right).eq('0')) throw new FormulaMistake(`${right.text} is zero and cannot divide`);
    return compute(asDecimal(left), asDecimal(right));
  };

/** Digits a product may have: without a bound, 150 factors of 60 digits each take a good part of a second. */
const MOST_DIGITS = 500;

function product(a: Decimal, b: Decimal): Decimal {
  if (a.c.length + b.c.length > MOST_DIGITS) throw new FormulaMistake(`a product has more than ${MOST_DIGITS} digits`);
  return a.times(b);
}

/** A decimal never equals a text that is none; true and false compare with nothing but each other. */
function equal(left: Operand, right: Operand): boolean {
  const [a, b] = [left.value, right.value];
  if (typeof a === 'boolean' || typeof b === 'boolean') return asBoolean(left) === asBoolean(right);
  if (typeof a === 'object' && typeof b === 'object') return a.eq(b);
  return a === b;
}

export const binaryOperators: ReadonlyMap<string, Binary> = new Map<string, Binary>([
  ['+', ofDecimals((a, b) => a.plus(b))],
  ['-', ofDecimals((a, b) => a.minus(b))],
  ['*', ofDecimals(product)],
  ['/', dividing((a, b) => a.div(b))],
  ['%', dividing((a, b) => a.mod(b))],
  ['<', ofDecimals((a, b) => a.lt(b))],
  ['<=', ofDecimals((a, b) => a.lte(b))],
  ['>', ofDecimals((a, b) => a.gt(b))],
  ['>=', ofDecimals((a, b) => a.gte(b))],
  ['==', equal],
  ['!=', (left, right) => !equal(left, right)],
]);

interface Callable {
  readonly least: number;
  readonly most: number;
  readonly run: (first: Decimal, rest: readonly Decimal[]) => Decimal;
}

const MOST_ARGUMENTS = 50;

export const functions: ReadonlyMap<string, Callable> = new Map<string, Callable>([
  ['min', { least: 2, most: MOST_ARGUMENTS, run: (a, rest) => rest.reduce((x, y) => (y.lt(x) ? y : x), a) }],
  ['max', { least: 2, most: MOST_ARGUMENTS, run: (a, rest) => rest.reduce((x, y) => (y.gt(x) ? y : x), a) }],
  ['abs', { least: 1, most: 1, run: (a) => a.abs() }],
]);
