import { InvalidArgumentError } from 'commander';
import { isWholeNumber, wholeNumber } from '../whole-number';

/** Reads an option that is a whole number, `least` to `most`. What it returns throws `InvalidArgumentError`. */
export function wholeOption(
  least: number,
  most: number,
  problem = `Use ${least} to ${most}.`,
): (text: string) => number {
  return (text) => {
    const value = isWholeNumber(text) ? wholeNumber(text) : undefined;
    if (value === undefined || value < least || value > most) throw new InvalidArgumentError(problem);
    return value;
  };
}
