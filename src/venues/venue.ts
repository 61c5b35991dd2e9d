/** What Holdfast asks of a market. This port grows with orders; today it reads. */

/** One bar, prices in quote currency and volume in base currency, as decimal strings. */
export interface Candle {
  /** UTC epoch milliseconds. */
  readonly open_time_ms: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
}

export interface Ticker {
  readonly symbol: string;
  /** Last traded price, decimal string in quote currency. */
  readonly last: string;
  /** When it was traded, by the venue's clock, UTC epoch milliseconds. */
  readonly time_ms: number;
}

export interface Venue {
  readonly profile: string;
  readonly mode: 'paper' | 'live';
  /** The venue's own clock, UTC epoch milliseconds: the replay clock on paper. */
  now(): number;
  /** The last closed bars, oldest first. Throws `DataUnavailable` when the venue has fewer or no such market. */
  candles(symbol: string, limit: number): Promise<readonly Candle[]>;
  /** Throws `DataUnavailable` when the venue has no such market. */
  ticker(symbol: string): Promise<Ticker>;
}

export type Venues = ReadonlyMap<string, Venue>;
