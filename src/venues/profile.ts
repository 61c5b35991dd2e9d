/** Venue profiles: what a graph names as `venue`, and what may stand behind the name. */
import { BlockList, isIP } from 'node:net';
import { HoldfastError } from '../errors';
import type { Secret } from '../secret';

/** `recorded`: recorded bars in this process, which can only be watched. `binance`: Binance spot, or whoever speaks its dialect. */
export type VenueAdapter = 'recorded' | 'binance';

export interface VenueCredentials {
  readonly key: Secret;
  readonly secret: Secret;
  /** Where a venue asks for a third word. */
  readonly password?: Secret;
}

export interface VenueProfile {
  readonly name: string;
  readonly adapter: VenueAdapter;
  readonly mode: 'paper' | 'live';
  /** Scheme, host, port and a path without a slash at its end; absent: the venue's own production address. */
  readonly base_url?: string;
  /** Name of the account at the desk. */
  readonly account: string;
  /** Absent: the venue can only be watched. */
  readonly credentials?: VenueCredentials;
  /** Currencies that count as another at par. */
  readonly counts_as: Readonly<Record<string, string>>;
  /** What reads of one worker may weigh in a minute, in the venue's own measure; absent: what the adapter knows of the venue. */
  readonly read_weight_per_minute?: number;
  /** How long an order that rests is left alone between two looks, milliseconds; absent: the longer it rests, half a minute at most. */
  readonly look_every_ms?: number;
}

const PRIVATE = new BlockList();
for (const [network, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  PRIVATE.addSubnet(network, bits, 'ipv4');
}
PRIVATE.addAddress('::1', 'ipv6');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');

/** Loopback, a private network, or a name that no public resolver knows: one without a dot, as containers have. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const family = isIP(host);
  if (family !== 0) return PRIVATE.check(host, family === 4 ? 'ipv4' : 'ipv6');
  return !host.includes('.') || /\.(localhost|local|internal|test)$/.test(host);
}

/** What is wrong with the address of a profile, as the end of a sentence; undefined when nothing is. */
export function addressProblem({ adapter, mode, base_url }: VenueProfile): string | undefined {
  if (adapter === 'recorded') {
    if (mode === 'live') return 'is recorded, so it cannot be live';
    return base_url === undefined ? undefined : 'is recorded, so it has no base_url';
  }
  if (base_url === undefined) {
    return mode === 'live' ? undefined : 'is paper, so it needs a base_url (or set HOLDFAST_PAPER_VENUE_URL)';
  }
  return urlProblem(base_url, mode);
}

function urlProblem(base_url: string, mode: VenueProfile['mode']): string | undefined {
  const isHttp = /^https?:\/\//.test(base_url) && URL.canParse(base_url);
  if (!isHttp) return 'has a base_url that is no http or https address';
  const { username, password, search, hash, hostname, protocol } = new URL(base_url);
  if (`${username}${password}` !== '') return 'has credentials in its base_url; give them by its variables';
  if (`${search}${hash}` !== '') return 'has a base_url with more than a path';
  const isPrivate = isPrivateHost(hostname);
  if (mode === 'paper') return isPrivate ? undefined : 'is paper, but its base_url is neither loopback nor private';
  if (isPrivate) return 'is live, but its base_url is loopback or private';
  return protocol === 'https:' ? undefined : 'is live, but its base_url is not https';
}

/** Throws `LiveNotAllowed` naming the live profiles, unless live was allowed by name, and `ConfigurationInvalid` for a wrong address. */
export function assertProfilesAllowed(profiles: readonly VenueProfile[], allow_live: boolean): void {
  const wrong = profiles.flatMap((profile) => {
    const problem = addressProblem(profile);
    return problem === undefined ? [] : [`${profile.name} ${problem}.`];
  });
  if (wrong.length > 0) throw new HoldfastError('ConfigurationInvalid', wrong.join(' '), { mistakes: wrong });
  const live = profiles.filter(({ mode }) => mode === 'live').map(({ name }) => name);
  if (live.length === 0 || allow_live) return;
  throw new HoldfastError('LiveNotAllowed', `Live venue profiles need HOLDFAST_ALLOW_LIVE=1: ${live.join(', ')}.`, {
    profiles: live,
  });
}
