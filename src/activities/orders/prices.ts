/** Prices that orders may go by: never one that is too old. */
import { HoldfastError } from '../../errors';
import { durationMs } from '../../graph/duration';
import { decimal, formatDecimal } from '../../money';
import { quantizePrice } from '../../venues/size-checks';
import type { Market, OrderSide, Ticker, Venue } from '../../venues/venue';

/** A market's price, and how old it is by the venue's clock. */
export interface FreshPrice {
  readonly ticker: Ticker;
  readonly age_ms: number;
}

export const USUAL_PRICE_AGE = '2m';

/**
 * Throws `StalePrice` for one older than `max_age`, a duration, and what the venue throws when it says none. A clock that is behind the
 * price says nothing of its age.
 */
export async function freshPrice(venue: Venue, symbol: string, max_age?: number | string): Promise<FreshPrice> {
  const ticker = await venue.ticker(symbol);
  const age_ms = ageOf(venue, ticker.time_ms);
  assertFresh({ venue: venue.profile, symbol, age_ms }, max_age);
  return { ticker, age_ms };
}

export function ageOf(venue: Venue, time_ms: number): number {
  return Math.max(0, Math.round(venue.now() - time_ms));
}

export function assertFresh(
  { venue, symbol, age_ms }: { readonly venue: string; readonly symbol: string; readonly age_ms: number },
  max_age: number | string | undefined,
): void {
  const most = max_age === undefined ? Infinity : (durationMs(max_age) ?? 0);
  if (age_ms <= most) return;
  const message = `The price of ${symbol} at ${venue} is ${seconds(age_ms)} s old; at most ${seconds(most)} s are allowed.`;
  throw new HoldfastError('StalePrice', message, { venue, symbol, age_ms });
}

/** The worst price of the market's grid within so many percent: a buy pays no more, a sell gets no less. */
export function collar(
  price: string,
  side: OrderSide,
  { percent, market }: { percent: string; market: Market },
): string {
  const share = decimal(percent).times('0.01');
  const factor = side === 'buy' ? decimal('1').plus(share) : decimal('1').minus(share);
  return quantizePrice(formatDecimal(decimal(price).times(factor)), side, market);
}

function seconds(ms: number): string {
  return String(Math.round(ms / 100) / 10);
}
