/** `daily_loss=300 max_order_notional=none` as the desk takes it. */
import { HoldfastError } from '../errors';

/** Names and amounts are the desk's to judge. Throws `BadRequest`. */
export function limitsOf(words: readonly string[]): Record<string, string | null> {
  const limits: Record<string, string | null> = {};
  for (const word of words) {
    const [, name, value] = /^([a-z_]+)=(\S+)$/.exec(word) ?? [];
    if (name === undefined || value === undefined) {
      throw new HoldfastError(
        'BadRequest',
        `${word} is no limit; write daily_loss=300, or daily_loss=none for no limit.`,
      );
    }
    if (Object.hasOwn(limits, name)) throw new HoldfastError('BadRequest', `${name} is given twice.`);
    limits[name] = value === 'none' ? null : value;
  }
  return limits;
}
