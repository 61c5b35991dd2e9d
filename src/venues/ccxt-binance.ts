/**
 * The one place that knows ccxt. Of it we use what would otherwise be written again: where the endpoints of Binance are, how requests are
 * signed, what they weigh, and how many may be sent. Requests are carried by our own pools, answers are read by our own parsers (see
 * `binance-order.ts`), and ccxt's own resending stays off.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { HoldfastError, messageOf } from '../errors';
import type { VenueAnswer } from './binance-verdict';
import type { OrderHttpRequest } from './order-sender';
import type { VenueCredentials } from './profile';

type Params = Readonly<Record<string, string>>;

interface SignedRequest {
  readonly url: string;
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What we use of an exchange of ccxt 4.5. */
interface CcxtExchange {
  sign(path: string, api: Api, method: string, params: Params): SignedRequest;
  /** Called by ccxt when a request has waited for its turn and was signed. */
  fetch: (url: string, method: string, headers?: Readonly<Record<string, string>>) => Promise<VenueAnswer>;
  /** What signed requests bear as their time. */
  nonce: () => number;
  urls: { api: Record<string, string> };
  /** Its queue has no end and no way to be left; it runs while somebody waits. */
  readonly throttler: {
    readonly running: boolean;
    readonly config: { tokens: number; readonly capacity: number; readonly refillRate: number };
  };
}

type CcxtClass = new (options: Readonly<Record<string, unknown>>) => CcxtExchange;
type Api = 'public' | 'private';

/** Endpoints that are read, by the name ccxt gives their method. */
const READS = {
  exchangeInfo: 'publicGetExchangeInfo',
  ticker: 'publicGetTicker24hr',
  depth: 'publicGetDepth',
  klines: 'publicGetKlines',
  account: 'privateGetAccount',
  openOrders: 'privateGetOpenOrders',
  order: 'privateGetOrder',
  myTrades: 'privateGetMyTrades',
} as const;
export type ReadName = keyof typeof READS;

export interface CcxtBinanceOptions {
  /** Without the version; absent: Binance's own. */
  readonly base_url?: string;
  readonly credentials?: VenueCredentials;
  /** The venue's time, milliseconds. */
  readonly now: () => number;
  readonly carry: (path: string, headers: Readonly<Record<string, string>>) => Promise<VenueAnswer>;
  /** What reads may weigh in a minute, in the venue's own measure; default `READ_WEIGHT`. */
  readonly read_weight_per_minute?: number;
}

/** Of the 6,000 that Binance allows an address a tenth is left to orders, cancels, the clock and a burst. */
const READ_WEIGHT = 5_400;
/** ccxt counts five of Binance's weight as one. */
const WEIGHT_OF_A_TOKEN = 5;
/** What was not used is good for a burst of so long. */
const BURST_MS = 1_000;

/** Where Binance is when no address is configured. */
export const BINANCE_URL = 'https://api.binance.com';
const VERSION = '/api/v3';

export class CcxtBinance {
  readonly #exchange: CcxtExchange;
  readonly #prefix: string;
  /** Until when the bucket of turns was filled. */
  #filled_at = performance.now();

  /** Loads ccxt's module of Binance, the first time in a process: about 0.3 s and 34 MB. */
  constructor(options: CcxtBinanceOptions) {
    const { base_url = BINANCE_URL, credentials, now, carry, read_weight_per_minute = READ_WEIGHT } = options;
    const Binance = exchangeClass('binance');
    const rateLimit = rateLimitOf(read_weight_per_minute);
    this.#prefix = `${base_url}${VERSION}`;
    const exchange = new Binance({
      // Amounts stay text wherever ccxt touches them.
      number: String,
      enableRateLimit: true,
      rateLimit,
      tokenBucket: { capacity: BURST_MS / rateLimit },
      options: { maxRetriesOnFailure: 0, recvWindow: 5_000 },
      ...(credentials === undefined ? {} : { apiKey: credentials.key.reveal(), secret: credentials.secret.reveal() }),
    });
    // Every address ccxt knows leads here: there is no way from a paper profile to the real venue.
    exchange.urls.api = Object.fromEntries(Object.keys(exchange.urls.api).map((api) => [api, this.#prefix]));
    exchange.nonce = now;
    exchange.fetch = (url, _method, headers = {}) => {
      this.#filled_at = performance.now();
      return carry(this.#pathOf(url), definite(headers));
    };
    this.#exchange = exchange;
  }

  /** Waits for its turn, then one request. */
  async read(name: ReadName, params: Params = {}): Promise<VenueAnswer> {
    const methods = this.#exchange as unknown as Readonly<Record<string, (params: Params) => Promise<VenueAnswer>>>;
    const method = methods[READS[name]];
    if (method === undefined) throw new HoldfastError('Unexpected', `ccxt has no ${READS[name]}`);
    this.#fill();
    return method.call(this.#exchange, params);
  }

  /** A read for whoever carries it without waiting for a turn. */
  unthrottled(api: Api, path: string, params: Params = {}): { readonly path: string; readonly headers: Params } {
    const { url, headers = {} } = this.#exchange.sign(path, api, 'GET', params);
    return { path: this.#pathOf(url), headers: definite(headers) };
  }

  /** An order or its cancelling, signed; `params` hold its time. */
  order(method: 'POST' | 'DELETE', params: Params): OrderHttpRequest {
    const { url, headers = {}, body } = this.#exchange.sign('order', 'private', method, { ...params });
    return { method, path: this.#pathOf(url), headers: definite(headers), ...(body === undefined ? {} : { body }) };
  }

  /** Lets all that wait for a turn go at once, for whoever carries them no more: their timers would keep the process. */
  release(): void {
    this.#exchange.throttler.config.tokens = Number.MAX_SAFE_INTEGER;
  }

  /**
   * ccxt fills its bucket only while somebody waits: after a pause of any length a read waited for what the one before it had used, 20 ms
   * for a ticker and 200 ms for trades. So what nobody waited for is filled in here.
   */
  #fill(): void {
    const { running, config } = this.#exchange.throttler;
    if (running) return;
    const now = performance.now();
    config.tokens = Math.min(config.capacity, config.tokens + (now - this.#filled_at) * config.refillRate);
    this.#filled_at = now;
  }

  /** A request that leads anywhere else is a defect, and goes nowhere. */
  #pathOf(url: string): string {
    if (!url.startsWith(`${this.#prefix}/`)) throw new HoldfastError('Unexpected', 'ccxt signed for another address');
    const { pathname, search } = new URL(url);
    return `${pathname}${search}`;
  }
}

/** Milliseconds to a token. */
function rateLimitOf(weight_per_minute: number): number {
  return (60_000 * WEIGHT_OF_A_TOKEN) / weight_per_minute;
}

function definite(headers: Readonly<Record<string, string | undefined>>): Params {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * One exchange's module alone. The package exports only all of them at once, and its CommonJS copy of a single exchange does not load, so
 * the ES module is named by its path; Node loads it synchronously since 20.19.
 */
function exchangeClass(id: string): CcxtClass {
  try {
    const nodeRequire = createRequire(__filename);
    const file = join(dirname(nodeRequire.resolve('ccxt')), '..', 'js', 'src', `${id}.js`);
    return (nodeRequire(file) as { readonly default: CcxtClass }).default;
  } catch (error) {
    throw new HoldfastError('Unexpected', `ccxt’s module for ${id} could not be loaded: ${messageOf(error)}`);
  }
}
