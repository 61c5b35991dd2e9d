/** From profiles to venues. Opening asks nobody anything: whatever is behind a profile is first asked when a node does. */
import { HoldfastError } from '../errors';
import type { StreamLog } from './binance-stream';
import { BinanceVenue } from './binance-venue';
import { lookupOf, type OrderLookup } from './order-lookup';
import { assertProfilesAllowed, type VenueProfile } from './profile';
import { recordedVenues, replayWindow, type RecordedVenuesOptions } from './recorded-venue';
import { recordings } from './recordings';
import { replayTime } from './replay-clock';
import type { TradingVenue, Venue, Venues } from './venue';

export interface OpenVenuesOptions extends Pick<RecordedVenuesOptions, 'directory' | 'clock'> {
  readonly profiles: readonly VenueProfile[];
  readonly allow_live: boolean;
  /** Of the streams of the accounts. */
  readonly log?: StreamLog;
}

export interface OpenVenues {
  readonly venues: Venues;
  /** Of the accounts among them. */
  readonly lookups: readonly OrderLookup[];
  readonly close: () => Promise<void>;
}

/**
 * Throws `LiveNotAllowed` for a live profile nobody allowed, `ConfigurationInvalid` for one that leads where it must not, and
 * `DataUnavailable` when a recorded market cannot be read.
 */
export async function openVenues({ profiles, allow_live, log, ...recorded }: OpenVenuesOptions): Promise<OpenVenues> {
  assertProfilesAllowed(profiles, allow_live);
  const opened: BinanceVenue[] = [];
  const inProcess = await openRecorded(profiles, recorded);
  const venues = profiles.map((profile): [string, Venue] => {
    const known = inProcess.get(profile.name);
    if (known !== undefined) return [profile.name, known];
    const venue = new BinanceVenue(profile, clockOf(profile, recorded.clock), log);
    opened.push(venue);
    return [profile.name, venue];
  });
  return {
    venues: new Map(venues),
    lookups: venues.map(([, venue]) => lookupOf(venue)).filter((lookup) => lookup !== undefined),
    close: async () => {
      await Promise.all(opened.map((venue) => venue.close()));
    },
  };
}

export interface TradingAccount {
  readonly profile: string;
  readonly trading: TradingVenue;
}

/** Those of the profiles that have an account, and nothing else: no recording is read. Throws as `openVenues` does. */
export function openTradingAccounts({ profiles, allow_live }: Pick<OpenVenuesOptions, 'profiles' | 'allow_live'>): {
  readonly accounts: readonly TradingAccount[];
  close(): Promise<void>;
} {
  const trading = profiles.filter(({ adapter, credentials }) => adapter !== 'recorded' && credentials !== undefined);
  assertProfilesAllowed(trading, allow_live);
  const opened = trading.map((profile) => new BinanceVenue(profile));
  return {
    accounts: opened.flatMap(({ profile, trading }) => (trading === undefined ? [] : [{ profile, trading }])),
    close: async () => {
      await Promise.all(opened.map((venue) => venue.close()));
    },
  };
}

async function openRecorded(
  profiles: readonly VenueProfile[],
  recorded: Pick<RecordedVenuesOptions, 'directory' | 'clock'>,
): Promise<Venues> {
  const names = profiles.filter(({ adapter }) => adapter === 'recorded').map(({ name }) => name);
  const venues = await recordedVenues({ ...recorded, profiles: new Set(names) });
  const absent = names.filter((name) => !venues.has(name));
  if (absent.length === 0) return venues;
  throw new HoldfastError('ConfigurationInvalid', `No market is recorded for ${absent.join(', ')}.`, {
    profiles: absent,
  });
}

/** A paper profile named like a recording shows that recording, and so its time; others have their own. */
function clockOf(
  { name, mode }: VenueProfile,
  { now, speed }: RecordedVenuesOptions['clock'],
): (() => number) | undefined {
  const recording = recordings.find(({ profile }) => profile === name);
  if (mode === 'live' || recording === undefined) return undefined;
  const window = replayWindow(recording, speed);
  return () => replayTime(now(), window);
}
