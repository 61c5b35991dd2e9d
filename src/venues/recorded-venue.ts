/**
 * Paper venues that replay recorded markets.
 *
 * V1. Nothing from the future: a bar is visible once its minute has passed on the replay clock.
 * V2. Nothing invented: prices are recorded closes, never interpolated; a missing minute is a minute without trades.
 * V3. Venues with the same recorded period stand at the same instant, in every process.
 */
import { HoldfastError } from '../errors';
import { readCandleFile } from './candle-file';
import { recordings, type Recording } from './recordings';
import { replayTime, type ReplayWindow } from './replay-clock';
import type { Candle, Ticker, Venue, Venues } from './venue';

export const BAR_MS = 60_000;
/** The replay starts this many minutes into the recording, so that so much history exists at every instant. */
export const WARM_UP_BARS = 200;

export interface RecordedVenuesOptions {
  /** Where the recorded files are. */
  readonly directory: string;
  readonly clock: {
    /** Wall time, UTC epoch milliseconds. */
    readonly now: () => number;
    /** Recorded milliseconds per wall millisecond. */
    readonly speed: number;
  };
  /** Default all. */
  readonly profiles?: ReadonlySet<string>;
}

/** Loads the recorded markets, each once. Throws `DataUnavailable` when a file is absent or damaged. */
export async function recordedVenues(options: RecordedVenuesOptions): Promise<Venues> {
  const wanted = recordings.filter(({ profile }) => options.profiles?.has(profile) ?? true);
  const venues = await Promise.all(wanted.map((recording) => loadVenue(recording, options)));
  return new Map(venues.map((venue) => [venue.profile, venue]));
}

/** What of a recording is replayed, and how fast. */
export function replayWindow({ from_ms, to_ms }: Recording, speed: number): ReplayWindow {
  return { start_ms: from_ms + WARM_UP_BARS * BAR_MS, end_ms: to_ms, speed };
}

async function loadVenue(recording: Recording, { directory, clock }: RecordedVenuesOptions): Promise<Venue> {
  const window = replayWindow(recording, clock.speed);
  const candles = await readCandleFile(directory, recording.file);
  return new RecordedVenue(recording, candles, () => replayTime(clock.now(), window));
}

class RecordedVenue implements Venue {
  readonly mode = 'paper';
  readonly profile: string;
  readonly now: () => number;
  readonly #symbol: string;
  readonly #candles: readonly Candle[];

  constructor(recording: Recording, candles: readonly Candle[], now: () => number) {
    this.profile = recording.profile;
    this.#symbol = recording.symbol;
    this.#candles = candles;
    this.now = now;
  }

  candles(symbol: string, limit: number): Promise<readonly Candle[]> {
    return Promise.resolve().then(() => {
      const closed = this.#closed(symbol);
      if (limit > closed) throw tooFewBars(this.profile, limit, closed);
      return this.#candles.slice(closed - limit, closed);
    });
  }

  ticker(symbol: string): Promise<Ticker> {
    return Promise.resolve().then(() => {
      const last = this.#candles[this.#closed(symbol) - 1];
      if (last === undefined) throw tooFewBars(this.profile, 1, 0);
      return { symbol, last: last.close, time_ms: last.open_time_ms + BAR_MS };
    });
  }

  #closed(symbol: string): number {
    if (symbol !== this.#symbol) throw unknownMarket(this.profile, symbol, this.#symbol);
    return closedBars(this.#candles, this.now());
  }
}

/** How many bars have closed at an instant; bars are in time order. */
export function closedBars(candles: readonly Candle[], now: number): number {
  let low = 0;
  let high = candles.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const open = candles[middle]?.open_time_ms ?? Infinity;
    if (open + BAR_MS <= now) low = middle + 1;
    else high = middle;
  }
  return low;
}

function unknownMarket(profile: string, symbol: string, known: string): HoldfastError {
  return new HoldfastError('DataUnavailable', `${profile} has no market ${symbol}; it has ${known}.`, {
    venue: profile,
    symbol,
  });
}

function tooFewBars(profile: string, wanted: number, available: number): HoldfastError {
  return new HoldfastError('DataUnavailable', `${profile} has ${available} closed bars, not ${wanted}.`, {
    venue: profile,
    wanted,
    available,
  });
}
