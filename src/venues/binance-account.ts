/** An account at Binance spot, or at whoever speaks its dialect. Amounts are the venue's own text; what it does not say is an error. */
import { HoldfastError, type ErrorCode } from '../errors';
import { isObject } from '../json';
import type { BinanceConnection } from './binance-connection';
import { BinanceLookup, type Lane } from './binance-lookup';
import { readBalances, readBook, readMarket } from './binance-market';
import { marketNameOf, readOrder, type MarketName } from './binance-order';
import { BinanceOrders } from './binance-orders';
import { BinanceStream, type StreamLog } from './binance-stream';
import { MarketRules } from './market-rules';
import type { UsablePermit } from './order-sender';
import type {
  Balance,
  Cancellation,
  Market,
  OpenOrdersOptions,
  OrderBook,
  OrderRef,
  Submission,
  TradingVenue,
  Venue,
  VenueOrder,
  VenueOrderDraft,
} from './venue';
import { LARGEST_CLOCK_BOUND_MS } from './venue-clock';

/** From an order's arrival to the end of its way inside the venue; nobody documents it, so it is generous. */
const WAY_INSIDE_MS = 1_000;
const QUERY_LAG_MS = 3_000;
/** The depths the dialect knows. */
const DEPTHS = [5, 10, 20, 50, 100, 500, 1_000, 5_000];

export class BinanceAccount implements TradingVenue {
  readonly account: string;
  /** A constant, because the order may have been sent by a process whose own bound nobody knows any more. */
  readonly fence_ms = LARGEST_CLOCK_BOUND_MS + WAY_INSIDE_MS;
  readonly query_lag_ms = QUERY_LAG_MS;
  readonly look_every_ms?: number;
  readonly #connection: BinanceConnection;
  readonly #now: () => number;
  readonly #lookup: BinanceLookup;
  readonly #orders: BinanceOrders;
  readonly #stream: BinanceStream | undefined;
  readonly #rules = new MarketRules((symbol) => this.#readMarket(symbol));

  constructor(connection: BinanceConnection, venue: Pick<Venue, 'now' | 'ticker'>, log?: StreamLog) {
    const { account, look_every_ms } = connection.profile;
    this.account = account;
    if (look_every_ms !== undefined) this.look_every_ms = look_every_ms;
    this.#connection = connection;
    this.#now = venue.now;
    this.#lookup = new BinanceLookup(connection, venue);
    this.#orders = new BinanceOrders(connection, this.#lookup, (symbol) => this.market(symbol));
    this.#stream = streamOf(connection, log);
  }

  countsAs(quote: string): string {
    const { counts_as } = this.#connection.profile;
    return (Object.hasOwn(counts_as, quote) ? counts_as[quote] : undefined) ?? quote;
  }

  market(symbol: string): Promise<Market> {
    return this.#rules.of(symbol);
  }

  /** The clock is measured in five round trips, which from far away is longer than a permit lives. */
  ready(): Promise<void> {
    return this.#connection.clock.assertSure();
  }

  async orderBook(symbol: string, depth: number): Promise<OrderBook> {
    const { id } = marketNameOf(symbol);
    const limit = DEPTHS.find((known) => known >= depth) ?? Math.max(...DEPTHS);
    const raw = await this.#connection.read('depth', { symbol: id, limit: String(limit) });
    const book = readBook(raw, symbol, this.#now());
    if (book === undefined)
      throw this.#error('DataUnavailable', `shows no book of ${symbol}, or one that is empty or crossed`);
    return { ...book, bids: book.bids.slice(0, depth), asks: book.asks.slice(0, depth) };
  }

  async balances(): Promise<readonly Balance[]> {
    const balances = readBalances(await this.#connection.read('account', { omitZeroBalances: 'true' }));
    if (balances === undefined) throw this.#error('ServiceError', 'shows balances that cannot be read');
    return balances;
  }

  async openOrders(
    symbol?: string,
    { urgent = false, unreadable = () => this.#unreadableOrders() }: OpenOrdersOptions = {},
  ): Promise<readonly VenueOrder[]> {
    const only = symbol === undefined ? undefined : marketNameOf(symbol);
    const lane = urgent ? 'urgent' : 'in turn';
    const raw = await this.#read('openOrders', only === undefined ? {} : { symbol: only.id }, lane);
    if (!Array.isArray(raw)) return this.#unreadableOrders();
    const names = only === undefined ? await this.#namesOf(raw, lane) : new Map([[only.id, only]]);
    const orders = raw.map((entry: unknown) => {
      const name = isObject(entry) ? names.get(entry['symbol']) : undefined;
      return name === undefined ? undefined : readOrder(entry, name);
    });
    const read = orders.filter((order) => order !== undefined);
    if (read.length < orders.length) unreadable(orders.length - read.length);
    return read;
  }

  find(order: OrderRef): Promise<VenueOrder | undefined> {
    return this.#lookup.find(order, 'in turn');
  }

  watchEnd(client_order_id: string, heard: () => void): () => void {
    return this.#stream?.watch(client_order_id, heard) ?? (() => undefined);
  }

  submit(order: VenueOrderDraft, permit: UsablePermit): Promise<Submission> {
    return this.#orders.submit(order, permit);
  }

  cancel(order: OrderRef): Promise<Cancellation> {
    return this.#orders.cancel(order);
  }

  async close(): Promise<void> {
    this.#stream?.close();
    await this.#orders.close();
  }

  async #readMarket(symbol: string): Promise<Market> {
    const name = marketNameOf(symbol);
    const [entry] = await this.#entries((entry) => entry['symbol'] === name.id, { symbol: name.id }, 'in turn');
    const isIt = entry?.['baseAsset'] === name.base && entry['quoteAsset'] === name.quote;
    const market = isIt ? readMarket(entry, name) : undefined;
    if (market === undefined)
      throw this.#error('DataUnavailable', `has no market ${symbol} that is traded and says its rules`);
    return market;
  }

  /** How the venue's names are written, by name. It has thousands, so only those are asked for that are there. */
  async #namesOf(orders: readonly unknown[], lane: Lane): Promise<ReadonlyMap<unknown, MarketName>> {
    const ids = new Set(orders.map((order) => (isObject(order) ? order['symbol'] : undefined)));
    if (ids.size === 0) return new Map();
    const symbols = JSON.stringify([...ids]);
    const entries = await this.#entries((entry) => ids.has(entry['symbol']), { symbols }, lane);
    const names = entries.map(({ baseAsset, quoteAsset }) =>
      marketNameOf(`${String(baseAsset)}/${String(quoteAsset)}`),
    );
    return new Map(names.map((name) => [name.id, name]));
  }

  async #entries(
    isWanted: (entry: Readonly<Record<string, unknown>>) => boolean,
    params: Readonly<Record<string, string>>,
    lane: Lane,
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const raw = await this.#read('exchangeInfo', params, lane);
    const symbols = isObject(raw) ? raw['symbols'] : undefined;
    if (!Array.isArray(symbols)) throw this.#error('ServiceError', 'shows markets that cannot be read');
    return symbols.filter(isObject).filter(isWanted);
  }

  #read(name: 'exchangeInfo' | 'openOrders', params: Readonly<Record<string, string>>, lane: Lane): Promise<unknown> {
    return lane === 'urgent' ? this.#connection.readUrgently(name, params) : this.#connection.read(name, params);
  }

  #unreadableOrders(): never {
    throw this.#error('ServiceError', 'shows open orders that cannot be read');
  }

  #error(code: ErrorCode, what: string): HoldfastError {
    const { name: venue } = this.#connection.profile;
    return new HoldfastError(code, `${venue} ${what}.`, { venue });
  }
}

/** None for a key of the kind that signs with a private key: the stream is signed by HMAC alone, and such an account is only asked. */
function streamOf({ profile, clock }: BinanceConnection, log: StreamLog | undefined): BinanceStream | undefined {
  const { name, base_url, credentials } = profile;
  if (credentials === undefined || credentials.secret.reveal().includes('PRIVATE KEY')) return undefined;
  return new BinanceStream({ profile: name, base_url, credentials, now: () => clock.now(), log });
}
