import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isDecimal } from '../../src/money';
import { parseCandles, readCandleFile } from '../../src/venues/candle-file';
import { recordedVenues, WARM_UP_BARS } from '../../src/venues/recorded-venue';
import { recordings } from '../../src/venues/recordings';
import { replayTime } from '../../src/venues/replay-clock';
import type { Venue, Venues } from '../../src/venues/venue';

const directory = join(__dirname, '../../examples/data');
const MINUTE = 60_000;
const HEADER = 'open_time_ms,open,high,low,close,volume';

const wallTimes = fc.integer({ min: 0, max: 4_102_444_800_000 });
const speeds = fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0.001, max: 10_000, noNaN: true }));

describe('replayTime', () => {
  const window = { start_ms: 1_000_000, end_ms: 1_600_000, speed: 60 };

  it('stays inside the window at any wall time, speed and anchor, in whole milliseconds', () => {
    fc.assert(
      fc.property(wallTimes, speeds, wallTimes, (wall, speed, anchor_ms) => {
        const time = replayTime(wall, { ...window, speed, anchor_ms });
        expect(time).toBeGreaterThanOrEqual(window.start_ms);
        expect(time).toBeLessThan(window.end_ms);
        expect(Number.isInteger(time)).toBe(true);
      }),
    );
  });

  it('passes `speed` times as fast as the wall clock until it begins again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_999 }), (ms) => {
        expect(replayTime(ms, window)).toBe(1_000_000 + ms * 60);
        expect(replayTime(ms + 10_000, window)).toBe(replayTime(ms, window));
      }),
    );
  });

  it('stands at its start at the anchor, and goes on before it', () => {
    expect(replayTime(5_000, { ...window, anchor_ms: 5_000 })).toBe(1_000_000);
    expect(replayTime(4_999, { ...window, anchor_ms: 5_000 })).toBe(1_600_000 - 60);
  });
});

describe('a recorded venue', () => {
  let wall = 0;
  const clock = { now: () => wall, speed: 60 };
  let venues: Venues;
  const venue = (profile: string): Venue => venues.get(profile)!;

  beforeAll(async () => {
    venues = await recordedVenues({ directory, clock });
  });

  it('is there for every recording, on paper', () => {
    expect([...venues.keys()]).toEqual(['recorded_dash', 'paper_binance', 'paper_bybit']);
    expect([...venues.values()].map((each) => [each.profile, each.mode])).toEqual(
      recordings.map(({ profile }) => [profile, 'paper']),
    );
  });

  it('never shows a bar before its minute has passed, nor leaves out one that has', async () => {
    await fc.assert(
      fc.asyncProperty(wallTimes, fc.integer({ min: 1, max: WARM_UP_BARS }), async (at, limit) => {
        wall = at;
        for (const { profile, symbol } of recordings) {
          const now = venue(profile).now();
          const bars = await venue(profile).candles(symbol, limit);
          expect(bars).toHaveLength(limit);
          expect(bars.every((bar) => bar.open_time_ms + MINUTE <= now)).toBe(true);
          expect(bars.at(-1)!.open_time_ms + 2 * MINUTE).toBeGreaterThan(now);
        }
      }),
    );
  });

  it('gives bars oldest first and a ticker that is the close of the last of them', async () => {
    await fc.assert(
      fc.asyncProperty(wallTimes, async (at) => {
        wall = at;
        const bars = await venue('paper_bybit').candles('BTC/USDT', 5);
        const ticker = await venue('paper_bybit').ticker('BTC/USDT');
        expect(bars.map((bar) => bar.open_time_ms)).toEqual(bars.map((bar) => bar.open_time_ms).sort());
        expect(ticker).toEqual({
          symbol: 'BTC/USDT',
          last: bars.at(-1)!.close,
          time_ms: bars.at(-1)!.open_time_ms + MINUTE,
        });
      }),
    );
  });

  it('stands at the same instant as the other venue of its day, also in another process', async () => {
    const other = await recordedVenues({ directory, clock });
    fc.assert(
      fc.property(wallTimes, (at) => {
        wall = at;
        expect(venue('paper_binance').now()).toBe(venue('paper_bybit').now());
        expect(other.get('paper_binance')!.now()).toBe(venue('paper_binance').now());
      }),
    );
  });

  it('keeps prices the text they were recorded as', async () => {
    wall = 0;
    const [bar] = await venue('recorded_dash').candles('DASH/USDT', WARM_UP_BARS);
    expect(bar).toEqual({
      open_time_ms: 1_599_609_600_000,
      open: '74.73000000',
      high: '74.76000000',
      low: '74.73000000',
      close: '74.76000000',
      volume: '5.42808000',
    });
  });

  it('refuses a market it does not have, naming the one it has', async () => {
    await expect(venue('paper_binance').ticker('DOGE/USDT')).rejects.toMatchObject({
      code: 'DataUnavailable',
      message: 'paper_binance has no market DOGE/USDT; it has BTC/BUSD.',
    });
    await expect(venue('paper_binance').candles('DOGE/USDT', 1)).rejects.toMatchObject({ code: 'DataUnavailable' });
  });

  it('refuses more bars than have closed', async () => {
    wall = 0;
    await expect(venue('paper_binance').candles('BTC/BUSD', WARM_UP_BARS + 1)).rejects.toMatchObject({
      code: 'DataUnavailable',
      message: 'paper_binance has 200 closed bars, not 201.',
    });
  });
});

describe('a recording', () => {
  it.each(recordings)('$file holds decimal bars of its whole period', async ({ file, from_ms, to_ms }) => {
    const bars = await readCandleFile(directory, file);
    expect(bars).toHaveLength((to_ms - from_ms) / MINUTE);
    expect(bars[0]!.open_time_ms).toBe(from_ms);
    expect(bars.at(-1)!.open_time_ms).toBe(to_ms - MINUTE);
    expect(bars.every((bar) => [bar.open, bar.high, bar.low, bar.close, bar.volume].every(isDecimal))).toBe(true);
  });

  it('may miss minutes without trades', () => {
    const bars = parseCandles(`${HEADER}\n60000,1,1,1,1,2\n240000,2,2,2,2,1\n`, 'gaps.csv');
    expect(bars.map((bar) => bar.open_time_ms)).toEqual([60_000, 240_000]);
  });

  it.each([
    ['an unknown header', 'time,price\n1,2', 1],
    ['no header', '', 1],
    ['no bars', HEADER, 1],
    ['a missing value', `${HEADER}\n60000,1,1,1,1`, 2],
    ['a value too many', `${HEADER}\n60000,1,1,1,1,1,1`, 2],
    ['a price that is no decimal', `${HEADER}\n60000,1,1,1e3,1,1`, 2],
    ['a time that is none', `${HEADER}\n-1,1,1,1,1,1`, 2],
    ['a bar out of order', `${HEADER}\n60000,1,1,1,1,1\n60000,1,1,1,1,1`, 3],
  ])('with %s is refused, naming the line', (_, text, line) => {
    expect(() => parseCandles(text, 'x.csv')).toThrow(`The recorded market x.csv is damaged in line ${line}.`);
  });

  describe('on disk', () => {
    let folder = '';
    const clock = { now: () => 0, speed: 1 };
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'recordings-'));
    });
    afterAll(() => rm(folder, { recursive: true }));

    it('that is absent is named', async () => {
      const loading = recordedVenues({ directory: folder, clock });
      await expect(loading).rejects.toMatchObject({ code: 'DataUnavailable' });
      await expect(loading).rejects.toThrow(/dash_usdt.*cannot be read/);
    });

    it('that begins late has no price until its first bar has closed', async () => {
      const late = recordings.map(({ file, to_ms }) =>
        writeFile(join(folder, file), `${HEADER}\n${to_ms - MINUTE},1,1,1,1,1\n`),
      );
      await Promise.all(late);
      const venues = await recordedVenues({ directory: folder, clock });
      await expect(venues.get('paper_bybit')!.ticker('BTC/USDT')).rejects.toMatchObject({
        message: 'paper_bybit has 0 closed bars, not 1.',
      });
    });
  });
});
