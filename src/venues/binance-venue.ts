/** A spot market of Binance, or of whoever speaks its dialect. */
import { HoldfastError } from '../errors';
import { readCandles, readTicker } from './binance-market';
import { marketNameOf } from './binance-order';
import { BinanceConnection } from './binance-connection';
import { BinanceAccount } from './binance-account';
import type { StreamLog } from './binance-stream';
import type { VenueProfile } from './profile';
import type { Candle, Ticker, TradingVenue, Venue } from './venue';

/** The bar that is open now, and one that closes while it is asked. */
const NOT_CLOSED = 2;
const MOST_BARS = 1_000;

export class BinanceVenue implements Venue {
  readonly profile: string;
  readonly mode: 'paper' | 'live';
  readonly now: () => number;
  readonly trading?: TradingVenue;
  readonly #connection: BinanceConnection;
  readonly #account: BinanceAccount | undefined;

  /** `now`: the clock of what it shows, where that is not its own, as at a replayed market. */
  constructor(profile: VenueProfile, now?: () => number, log?: StreamLog) {
    this.profile = profile.name;
    this.mode = profile.mode;
    this.#connection = new BinanceConnection(profile);
    this.now = now ?? (() => this.#connection.clock.now());
    if (profile.credentials === undefined) return;
    this.#account = new BinanceAccount(this.#connection, this, log);
    this.trading = this.#account;
  }

  async candles(symbol: string, limit: number): Promise<readonly Candle[]> {
    const { id } = marketNameOf(symbol);
    const asked = String(Math.min(limit + NOT_CLOSED, MOST_BARS));
    const raw = await this.#connection.read('klines', { symbol: id, interval: '1m', limit: asked });
    const closed = readCandles(raw, this.now());
    if (closed === undefined) throw this.#silent(`has bars of ${symbol} that cannot be read`);
    if (closed.length < limit) throw this.#silent(`has ${closed.length} closed bars of ${symbol}, not ${limit}`);
    return closed.slice(closed.length - limit);
  }

  async ticker(symbol: string): Promise<Ticker> {
    const name = marketNameOf(symbol);
    const ticker = readTicker(await this.#connection.read('ticker', { symbol: name.id }), name);
    if (ticker === undefined) throw this.#silent(`says no price of ${symbol}`);
    return ticker;
  }

  async close(): Promise<void> {
    await Promise.all([this.#account?.close(), this.#connection.close()]);
  }

  #silent(what: string): HoldfastError {
    return new HoldfastError('DataUnavailable', `${this.profile} ${what}.`, { venue: this.profile });
  }
}
