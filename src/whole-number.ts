/**
 * Whole numbers that come as text: counts, positions, epochs, milliseconds. The one place where text becomes a number, for ESLint refuses
 * every other; an amount of money is none of them and stays a decimal (`money.ts`).
 */

const DIGITS = /^-?\d{1,16}$/;

/** Whether it is the decimal digits of a safe integer. */
export function isWholeNumber(text: string): boolean {
  return DIGITS.test(text) && Number.isSafeInteger(Number(text));
}

/** Throws `RangeError` for anything but the decimal digits of a safe integer. */
export function wholeNumber(text: string): number {
  if (!isWholeNumber(text)) throw new RangeError(`not a whole number: ${JSON.stringify(text)}`);
  return Number(text);
}
