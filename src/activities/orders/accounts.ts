/** The venues of a node that orders, cancels or looks at an account. */
import { HoldfastError } from '../../errors';
import type { TradingVenue, Venue, Venues } from '../../venues/venue';

/** A venue with an account. */
export interface Account {
  readonly venue: Venue;
  readonly trading: TradingVenue;
}

/** The venue of a profile. Throws `DataUnavailable` naming the profiles there are. */
export function venueNamed(venues: Venues, profile: string): Venue {
  const venue = venues.get(profile);
  if (venue !== undefined) return venue;
  const known = [...venues.keys()];
  throw new HoldfastError('DataUnavailable', `There is no venue ${profile}; there are ${known.join(', ') || 'none'}.`, {
    venue: profile,
    known,
  });
}

/** Throws `VenueRefused` where the profile can only be watched. */
export function accountAt(venues: Venues, profile: string): Account {
  const venue = venueNamed(venues, profile);
  const { trading } = venue;
  if (trading !== undefined) return { venue, trading };
  const message = `${profile} can only be watched: it has no account. Give it credentials, or a paper venue (HOLDFAST_PAPER_VENUE_URL).`;
  throw new HoldfastError('VenueRefused', message, { venue: profile });
}

/**
 * Throws `WrongMode`. What says paper everywhere must not move real money, and what is to move it must not find its other half on paper.
 */
export function assertMode({ profile, mode }: Pick<Venue, 'profile' | 'mode'>, execution: Venue['mode']): void {
  if (mode === execution) return;
  const message = `The execution is ${execution}, and the venue profile ${profile} is ${mode}.`;
  throw new HoldfastError('WrongMode', message, { venue: profile, mode });
}

/** In which the desk counts what an order of this market is worth; by its name alone, so that nobody has to be asked. */
export function currencyOf(trading: TradingVenue, symbol: string): string {
  return trading.countsAs(symbol.slice(symbol.indexOf('/') + 1));
}
