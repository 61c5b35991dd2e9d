/**
 * Decimal arithmetic for money, prices and quantities: big.js in strict mode, so a JavaScript number where
 * money is meant is refused instead of rounded.
 */
import BigJs from 'big.js';

const Big = BigJs();
Big.strict = true;
/** Digits after the point of a division; money never needs more than a venue's finest tick (10⁻⁸) times a rate. */
Big.DP = 20;

/** A plain decimal text, or what was read from one. */
type Operand = Decimal | string;

/** What big.js does with decimals, without numbers: neither as an operand nor as a result. */
export interface Decimal {
  /** Its digits. */
  readonly c: readonly number[];
  plus(other: Operand): Decimal;
  minus(other: Operand): Decimal;
  times(other: Operand): Decimal;
  /** Rounded half up to 20 digits after the point. */
  div(other: Operand): Decimal;
  mod(other: Operand): Decimal;
  neg(): Decimal;
  abs(): Decimal;
  /** To so many digits after the point; 0 rounds down, 1 half up. */
  round(places: number, mode: 0 | 1): Decimal;
  eq(other: Operand): boolean;
  lt(other: Operand): boolean;
  lte(other: Operand): boolean;
  gt(other: Operand): boolean;
  gte(other: Operand): boolean;
  cmp(other: Operand): -1 | 0 | 1;
  /** Without exponent; with so many digits after the point, or all it has. */
  toFixed(places?: number): string;
}

/** Digits after the point that are read and written. */
const PLACES = 30;
const DECIMAL = /^-?(0|[1-9]\d{0,29})(\.\d{1,30})?$/;

/** True for a plain decimal string: no exponent, no leading `+`, at most 30 digits on either side of the point. */
export function isDecimal(value: unknown): value is string {
  return typeof value === 'string' && DECIMAL.test(value);
}

/** Reads a decimal string. Throws `RangeError` on anything else, so callers check with `isDecimal` first. */
export function decimal(value: string): Decimal {
  if (!isDecimal(value)) throw new RangeError(`not a decimal string: ${JSON.stringify(value)}`);
  // By its own type it takes numbers, too.
  return new Big(value) as unknown as Decimal;
}

/**
 * Writes without exponent and without trailing zeros, rounded half up to `places` digits after the point; by default to as many as are
 * read, so that a sum of what was read is written digit by digit.
 */
export function formatDecimal(value: Decimal, places = PLACES): string {
  return value.round(places, 1).toFixed();
}

/** A unit in the last place of a quotient. */
const LEAST = decimal(`0.${'0'.repeat(19)}1`);

/** The quotient of two that are not negative, rounded down: so many parts are never more than the whole. */
export function divideDown(whole: Decimal, part: Decimal): Decimal {
  const quotient = whole.div(part);
  return quotient.times(part).gt(whole) ? quotient.minus(LEAST) : quotient;
}
