import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/config';
import type { VenueProfile } from '../../src/venues/profile';

const PLANTED = 'planted-77aa01';
const read = (env: Record<string, string>) => loadConfig(env).venues;
const named = (env: Record<string, string>, name: string): VenueProfile | undefined =>
  read(env).profiles.find((profile) => profile.name === name);
function mistakes(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    return (error as { details: { mistakes: string[] } }).details.mistakes;
  }
}

describe('the shipped venue profiles', () => {
  it('are recorded markets in the process itself as long as there is no paper venue', () => {
    expect(read({}).profiles.map(({ name, adapter, mode }) => [name, adapter, mode])).toEqual([
      ['recorded_dash', 'recorded', 'paper'],
      ['paper_binance', 'recorded', 'paper'],
      ['paper_bybit', 'recorded', 'paper'],
    ]);
    expect(read({}).allow_live).toBe(false);
  });

  it('are served by the paper venue, each under its name, with words that are no secret', () => {
    const profile = named({ HOLDFAST_PAPER_VENUE_URL: 'http://127.0.0.1:8010/' }, 'paper_bybit');
    expect(profile).toMatchObject({
      adapter: 'binance',
      mode: 'paper',
      base_url: 'http://127.0.0.1:8010/paper_bybit',
      account: 'main',
      counts_as: { BUSD: 'USDT' },
    });
    expect([profile?.credentials?.key.reveal(), profile?.credentials?.secret.reveal()]).toEqual(['paper', 'paper']);
  });
});

describe('HOLDFAST_VENUES', () => {
  it('adds profiles to the shipped ones, or stands in for one', () => {
    const HOLDFAST_VENUES = JSON.stringify({
      real: { adapter: 'binance', mode: 'live', account: 'desk1' },
      paper_bybit: {
        adapter: 'binance',
        base_url: 'http://10.1.2.3:9000/x',
        counts_as: {},
        read_weight_per_minute: 3_000,
        look_every: '5m',
      },
    });
    const { profiles } = read({ HOLDFAST_VENUES });
    expect(profiles.map(({ name }) => name)).toEqual(['recorded_dash', 'paper_binance', 'paper_bybit', 'real']);
    expect(named({ HOLDFAST_VENUES }, 'real')).toEqual({
      ...{ name: 'real', adapter: 'binance', mode: 'live', account: 'desk1', counts_as: {} },
    });
    expect(named({ HOLDFAST_VENUES }, 'paper_bybit')).toMatchObject({
      mode: 'paper',
      counts_as: {},
      read_weight_per_minute: 3_000,
      look_every_ms: 300_000,
    });
  });

  it('may be the path of a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'venues-'));
    const file = join(folder, 'venues.json');
    writeFileSync(file, '{"other": {"adapter": "binance", "base_url": "http://localhost:1"}}');
    expect(named({ HOLDFAST_VENUES: file }, 'other')?.base_url).toBe('http://localhost:1');
    rmSync(folder, { recursive: true });
  });

  it('is refused with all its mistakes at once, beside those of other variables', () => {
    const HOLDFAST_VENUES = JSON.stringify({
      'Bad Name': { adapter: 'binance' },
      a: { adapter: 'kraken', credentials: { key: PLANTED } },
      b: { adapter: 'binance', mode: 'real', counts_as: { usd: 'USDT' }, read_weight_per_minute: 599 },
      c: { adapter: 'binance', look_every: '500ms' },
      d: { adapter: 'binance', look_every: 'often' },
    });
    const found = mistakes({ HOLDFAST_VENUES, HOLDFAST_EVENTS: 'perhaps' });
    for (const place of [
      'HOLDFAST_EVENTS',
      'HOLDFAST_VENUES.Bad Name',
      'HOLDFAST_VENUES.a.adapter',
      'HOLDFAST_VENUES.a:',
      'HOLDFAST_VENUES.b.mode',
      'HOLDFAST_VENUES.b.counts_as.usd',
      'HOLDFAST_VENUES.b.read_weight_per_minute',
      'HOLDFAST_VENUES.c.look_every',
      'HOLDFAST_VENUES.d.look_every',
    ]) {
      expect(found.filter((mistake) => mistake.startsWith(place))).toHaveLength(1);
    }
    expect(found.join()).not.toContain(PLANTED);
    expect(mistakes({ HOLDFAST_VENUES: '/no/such/file' })).toEqual([
      expect.stringMatching(/^HOLDFAST_VENUES: is neither/),
    ]);
    expect(mistakes({ HOLDFAST_VENUES: '{"a": ' })).toHaveLength(1);
  });

  it.each([
    ['a paper profile without an address', {}, 'needs a base_url'],
    ['a paper profile at the real venue', { base_url: 'https://api.binance.com' }, 'neither loopback nor private'],
    ['a paper profile at any public address', { base_url: 'http://8.8.8.8' }, 'neither loopback nor private'],
    ['a live profile at a private address', { mode: 'live', base_url: 'https://192.168.1.4' }, 'loopback or private'],
    ['a live profile at the paper venue', { mode: 'live', base_url: 'http://localhost:8010/x' }, 'loopback or private'],
    ['a live profile in the clear', { mode: 'live', base_url: 'http://api.example.com' }, 'not https'],
    ['an address with credentials', { base_url: `http://u:${PLANTED}@localhost` }, 'has credentials'],
    ['an address with a query', { base_url: 'http://localhost/?a=1' }, 'more than a path'],
    ['an address of another kind', { base_url: 'ftp://localhost' }, 'no http or https'],
    ['a recorded profile that is live', { adapter: 'recorded', mode: 'live' }, 'cannot be live'],
    ['a recorded profile with an address', { adapter: 'recorded', base_url: 'http://localhost' }, 'no base_url'],
  ])('is refused for %s', (_what, profile, why) => {
    const HOLDFAST_VENUES = JSON.stringify({ x: { adapter: 'binance', ...profile } });
    const found = mistakes({ HOLDFAST_VENUES });
    expect(found).toEqual([expect.stringContaining(why)]);
    expect(found.join()).not.toContain(PLANTED);
  });
});

describe('credentials', () => {
  const HOLDFAST_VENUES = '{"real": {"adapter": "binance", "mode": "live"}}';

  it('come by the variables of their profile, and are printed nowhere', () => {
    const words = { KEY: `${PLANTED}k`, SECRET: `${PLANTED}s`, PASSWORD: `${PLANTED}p` };
    const env = Object.fromEntries(
      Object.entries(words).map(([word, value]) => [`HOLDFAST_VENUE_REAL_${word}`, value]),
    );
    const config = loadConfig({ HOLDFAST_VENUES, ...env });
    const credentials = config.venues.profiles.find(({ name }) => name === 'real')?.credentials;
    expect(credentials?.key.reveal()).toBe(words.KEY);
    expect(credentials?.secret.reveal()).toBe(words.SECRET);
    expect(credentials?.password?.reveal()).toBe(words.PASSWORD);
    expect(JSON.stringify(config)).not.toContain(PLANTED);
    expect(inspect(config, { depth: 9 })).not.toContain(PLANTED);
  });

  it('are refused when half of them is missing, or when no profile is called so, without being repeated', () => {
    const half = mistakes({ HOLDFAST_VENUES, HOLDFAST_VENUE_REAL_KEY: PLANTED });
    expect(half).toEqual([expect.stringMatching(/^HOLDFAST_VENUE_REAL_KEY: .* HOLDFAST_VENUE_REAL_SECRET$/)]);
    const stray = mistakes({ HOLDFAST_VENUES, HOLDFAST_VENUE_REEL_SECRET: PLANTED });
    expect(stray).toEqual(['HOLDFAST_VENUE_REEL_SECRET: there is no such venue profile']);
    expect([...half, ...stray].join()).not.toContain(PLANTED);
  });

  it('are not needed: such a profile can be watched', () => {
    expect(named({ HOLDFAST_VENUES }, 'real')?.credentials).toBeUndefined();
  });
});
