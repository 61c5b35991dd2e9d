import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/config';
import { openVenues } from '../../src/venues/open-venues';
import { isPrivateHost, type VenueProfile } from '../../src/venues/profile';

const directory = resolve('examples/data');
const clock = { now: () => Date.UTC(2026, 0, 1), speed: 60 };
const live: VenueProfile = { name: 'real', adapter: 'binance', mode: 'live', account: 'main', counts_as: {} };

describe('a private host', () => {
  it.each([
    '127.0.0.1',
    '127.9.9.9',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.0.9',
    '[::1]',
    '[fd12::1]',
    'localhost',
    'paper-venue',
    'paper.internal',
    'a.localhost',
  ])('is %s', (host) => {
    expect(isPrivateHost(host)).toBe(true);
  });

  it.each([
    '8.8.8.8',
    '172.32.0.1',
    '169.254.169.254',
    '0.0.0.0',
    '[::ffff:8.8.8.8]',
    '[2001:db8::1]',
    'api.binance.com',
    'localhost.example.com',
    '127.0.0.1.example.com',
  ])('is not %s', (host) => {
    expect(isPrivateHost(host)).toBe(false);
  });
});

describe('opening venues', () => {
  it('refuses a live profile until live is allowed by name', async () => {
    const opening = openVenues({ profiles: [live], allow_live: false, directory, clock });
    await expect(opening).rejects.toMatchObject({ code: 'LiveNotAllowed', details: { profiles: ['real'] } });
    const { venues, close } = await openVenues({ profiles: [live], allow_live: true, directory, clock });
    expect(venues.get('real')?.mode).toBe('live');
    await close();
  });

  it('refuses a paper profile that leads to the real venue, whoever made it', async () => {
    const profile: VenueProfile = { ...live, mode: 'paper', base_url: 'https://api.binance.com' };
    const opening = openVenues({ profiles: [profile], allow_live: true, directory, clock });
    await expect(opening).rejects.toMatchObject({ code: 'ConfigurationInvalid' });
  });

  it('refuses a recorded profile of which there is no recording', async () => {
    const profile: VenueProfile = { ...live, name: 'x', mode: 'paper', adapter: 'recorded' };
    const opening = openVenues({ profiles: [profile], allow_live: false, directory, clock });
    await expect(opening).rejects.toMatchObject({ code: 'ConfigurationInvalid' });
  });

  it('opens the shipped profiles as recorded markets that can only be watched', async () => {
    const { venues, lookups, close } = await openVenues({ ...loadConfig({}).venues, directory, clock });
    expect([...venues.keys()]).toEqual(['recorded_dash', 'paper_binance', 'paper_bybit']);
    expect([...venues.values()].map(({ trading }) => trading)).toEqual([undefined, undefined, undefined]);
    expect((await venues.get('paper_bybit')?.ticker('BTC/USDT'))?.last).toMatch(/^\d+/);
    expect(lookups).toEqual([]);
    await close();
  });

  it('opens them at the paper venue to be traded at, by the time of what they show', async () => {
    const paper = loadConfig({ HOLDFAST_PAPER_VENUE_URL: 'http://127.0.0.1:1' }).venues;
    const recorded = await openVenues({ ...loadConfig({}).venues, directory, clock });
    const { venues, lookups, close } = await openVenues({ ...paper, directory, clock });
    for (const [name, venue] of venues) expect(venue.now()).toBe(recorded.venues.get(name)?.now());
    expect(lookups.map(({ venue, account }) => [venue, account])).toEqual([
      ['recorded_dash', 'main'],
      ['paper_binance', 'main'],
      ['paper_bybit', 'main'],
    ]);
    const trading = venues.get('paper_binance')?.trading;
    expect([trading?.countsAs('BUSD'), trading?.countsAs('EUR'), trading?.countsAs('constructor')]).toEqual([
      'USDT',
      'EUR',
      'constructor',
    ]);
    await close();
  });
});
