/** Decimals on a grid. */
import { decimal, type Decimal } from '../money';

export const ZERO = decimal('0');

/** Digits after the point of what the venue writes and charges. */
const PLACES = 8;
const ROUND_DOWN = 0;

export function isMultiple(value: Decimal, step: Decimal): boolean {
  return value.mod(step).eq('0');
}

export function floorTo(value: Decimal, step: Decimal): Decimal {
  return value.minus(value.mod(step));
}

export function ceilTo(value: Decimal, step: Decimal): Decimal {
  const floor = floorTo(value, step);
  return floor.eq(value) ? floor : floor.plus(step);
}

/** As the venue writes amounts: always eight digits after the point. */
export function fixed(value: Decimal): string {
  return value.toFixed(PLACES);
}

/** Of what is charged, never more than the rate says. */
export function cut(value: Decimal): Decimal {
  return value.round(PLACES, ROUND_DOWN);
}

export function least(a: Decimal, b: Decimal): Decimal {
  return a.lt(b) ? a : b;
}

export function most(a: Decimal, b: Decimal): Decimal {
  return a.gt(b) ? a : b;
}

export function sumOf(values: readonly Decimal[]): Decimal {
  return values.reduce((sum, value) => sum.plus(value), ZERO);
}
