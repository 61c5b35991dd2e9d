/**
 * Decimal arithmetic for money, prices and quantities: big.js in strict mode, so a JavaScript number where
 * money is meant is refused instead of rounded.
 */
import BigJs from 'big.js';

const Decimal = BigJs();
Decimal.strict = true;
/** Digits after the point of a division; money never needs more than a venue's finest tick (10⁻⁸) times a rate. */
Decimal.DP = 20;

export type Decimal = BigJs;

const DECIMAL = /^-?(0|[1-9]\d{0,29})(\.\d{1,30})?$/;

/** True for a plain decimal string: no exponent, no leading `+`, at most 30 digits on either side of the point. */
export function isDecimal(value: unknown): value is string {
  return typeof value === 'string' && DECIMAL.test(value);
}

/** Reads a decimal string. Throws `RangeError` on anything else, so callers check with `isDecimal` first. */
export function decimal(value: string): Decimal {
  if (!isDecimal(value)) throw new RangeError(`not a decimal string: ${JSON.stringify(value)}`);
  return new Decimal(value);
}

/** Writes without exponent and without trailing zeros, rounded half up to `places` digits after the point. */
export function formatDecimal(value: Decimal, places = 20): string {
  return value.round(places, Decimal.roundHalfUp).toFixed();
}
