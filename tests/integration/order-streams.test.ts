/** Orders that rest at a venue with a user data stream: its word brings a look forward, and its silence changes nothing else. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { FaultSettings } from '../../src/paper-venue/faults';
import type { MarketData } from '../../src/paper-venue/market';
import { startPaperVenue } from '../../src/paper-venue/start-paper-venue';
import type { ExecutionStatus } from '../../src/workflows/messages';
import { BARS, marketData, MINUTE } from '../support/paper-market';
import { TradingWorld } from '../support/trading-world';
import { until } from '../support/until';

jest.setTimeout(300_000);

/** Orders at `told` are left alone for ten minutes, at `asked` for five seconds. */
const VENUES = {
  told: { adapter: 'binance', account: 'told', look_every: '10m' },
  asked: { adapter: 'binance', account: 'asked', look_every: '5s' },
};
type Profile = keyof typeof VENUES;

let world: TradingWorld;
/** Minutes pass by hand: in the third one the market trades down to 95. */
let minute = 0;

beforeAll(async () => {
  const market = recentMarket();
  const profiles = (['told', 'asked'] as const).map((profile) => ({ profile, market }));
  const clock = { now: Date.now, market_ms: () => minute * MINUTE };
  world = await TradingWorld.open({ HOLDFAST_VENUES: JSON.stringify(VENUES) }, () =>
    startPaperVenue({ profiles, clock }),
  );
}, 300_000);
afterAll(async () => {
  await world.close();
});
beforeEach(() => {
  minute = 0;
});
afterEach(async () => {
  for (const profile of ['told', 'asked'] as const) {
    await faults(profile, { stream_cut: null, stream_hold: null, stream_delay_ms: null, stream_duplicate: null });
  }
});

/** The small market of the unit tests, as if it were of today: an order needs a fresh price. */
function recentMarket(): MarketData {
  const start_ms = Math.floor(Date.now() / MINUTE) * MINUTE;
  const { bars, ...market } = marketData();
  return {
    ...market,
    bars: bars.map((bar, index) => ({ ...bar, open_time_ms: start_ms + (index - 1) * MINUTE })),
    window: { start_ms, end_ms: start_ms + BARS.length * MINUTE, speed: 1 },
  };
}

async function admin<T>(profile: Profile, path: string, body?: object): Promise<T> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const answer = await fetch(`${world.venueUrl}/${profile}/admin/${path}`, body === undefined ? {} : post);
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()) as T;
}
const faults = (profile: Profile, settings: FaultSettings) => admin(profile, 'faults', settings);
const listeners = async (profile: Profile) =>
  (await admin<{ listeners: Record<string, number> }>(profile, 'streams')).listeners['main'] ?? 0;
const statuses = async (profile: Profile) =>
  (await admin<{ orders: { status: string }[] }>(profile, 'books')).orders.map(({ status }) => status);

/** By one connection. */
const listenedTo = (profile: Profile) =>
  until('it is listened to', async () => (await listeners(profile)) === 1, 90_000);

/** Rests until the market trades down to it. */
const rests = (venue: Profile) =>
  world.start({
    order: {
      type: 'limit_order',
      params: { venue, symbol: 'BTC/USDT', side: 'buy', quantity: '0.5', price: '96.5', max_price_age: '1h' },
    },
  });

const isLeftAlone = ({ nodes }: ExecutionStatus) => / rests, /.test(nodes['order']?.waits_for?.why ?? '');

/**
 * An execution whose order is at the venue while no dispatch is out, and until when. A machine under load lets a permit pass before its order
 * is sent: then there is none, and another one is started.
 */
async function leftAlone(profile: Profile): Promise<{ readonly id: string; readonly until_ms: number }> {
  for (let tried = 1; ; tried += 1) {
    const id = await rests(profile);
    const status = await world.reaches(id, (each) => isLeftAlone(each) || each.state === 'failed');
    if (isLeftAlone(status)) return { id, until_ms: Date.parse(status.nodes['order']!.waits_for!.until!) };
    if (tried === 5) throw new Error(JSON.stringify(status.nodes['order']));
  }
}

/** How often the execution was told to look. */
async function words(id: string): Promise<number> {
  const { events } = await world.temporal.workflow.getHandle(id).fetchHistory();
  return (events ?? []).filter(
    ({ workflowExecutionSignaledEventAttributes: signal }) => signal?.signalName === 'look_again',
  ).length;
}

describe('an order that has filled', () => {
  it('is noticed by the stream minutes before it would be looked at, over one connection for all of the account', async () => {
    const orders = [await leftAlone('told'), await leftAlone('told')];
    await listenedTo('told');
    for (const { until_ms } of orders) expect(until_ms).toBeGreaterThan(Date.now() + 2 * MINUTE);
    minute = 2;
    for (const { id } of orders) {
      const { nodes } = await world.ended(id);
      expect(nodes['order']).toMatchObject({ state: 'completed', branch: 'filled', attempt: 1 });
      expect(await words(id)).toBe(1);
    }
    expect(new Set(await statuses('told'))).toEqual(new Set(['FILLED']));
  });

  it('is noticed once by a word that comes late and twice', async () => {
    await faults('told', { stream_duplicate: { probability: 1 }, stream_delay_ms: { probability: 1, ms: 300 } });
    const { id } = await leftAlone('told');
    await listenedTo('told');
    minute = 2;
    const { nodes } = await world.ended(id);
    expect(nodes['order']).toMatchObject({ state: 'completed', branch: 'filled' });
    expect(await words(id)).toBe(1);
  });

  it.each<[string, FaultSettings]>([
    ['says nothing', { stream_hold: true }],
    ['is cut in place of every word', { stream_cut: { probability: 1 } }],
  ])('is noticed by looking where the stream %s', async (_how, settings) => {
    await faults('asked', settings);
    const { id } = await leftAlone('asked');
    await listenedTo('asked');
    minute = 2;
    const { nodes } = await world.ended(id);
    expect(nodes['order']).toMatchObject({ state: 'completed', branch: 'filled' });
    expect(new Set(await statuses('asked'))).toEqual(new Set(['FILLED']));
  });
});
