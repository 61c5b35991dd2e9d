/**
 * What Holdfast asks of a market and of an account at it. Prices and quantities are decimal strings: prices in quote currency, quantities
 * in base currency. Times are UTC epoch milliseconds by the venue's clock unless a line says otherwise.
 */
import type { ErrorCode } from '../errors';
import type { UsablePermit } from './order-sender';

export interface Candle {
  readonly open_time_ms: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly volume: string;
}

export interface Ticker {
  readonly symbol: string;
  /** Last traded price. */
  readonly last: string;
  /** Best prices and when they were quoted; absent where the venue does not say. */
  readonly bid?: string;
  readonly ask?: string;
  /** When it was traded. */
  readonly time_ms: number;
}

/** Best first. */
export interface OrderBook {
  readonly symbol: string;
  readonly bids: readonly BookLevel[];
  readonly asks: readonly BookLevel[];
  readonly time_ms: number;
}

export interface BookLevel {
  readonly price: string;
  readonly quantity: string;
}

/** What the venue asks of the orders of one market. */
export interface Market {
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  /** Prices are multiples of it. */
  readonly price_tick: string;
  /** Quantities are multiples of it. */
  readonly quantity_step: string;
  readonly min_quantity: string;
  /** Least price · quantity; "0" where there is none. */
  readonly min_notional: string;
}

export interface Venue {
  readonly profile: string;
  readonly mode: 'paper' | 'live';
  /** The venue's own clock: the replay clock on paper. */
  now(): number;
  /** The last closed bars, oldest first. Throws `DataUnavailable` when the venue has fewer or no such market. */
  candles(symbol: string, limit: number): Promise<readonly Candle[]>;
  /** Throws `DataUnavailable` when the venue has no such market, or is silent about its price. */
  ticker(symbol: string): Promise<Ticker>;
  /** What else it is asked; absent where it can only be watched. */
  readonly trading?: TradingVenue;
}

export type Venues = ReadonlyMap<string, Venue>;

export type OrderSide = 'buy' | 'sell';

/** `stop`: a market order that begins to work at its stop price. */
export type OrderType = 'market' | 'limit' | 'stop';

/** Of limit orders: good till cancelled, immediate or cancel, fill or kill, post only (rejected where it would take). */
export type TimeInForce = 'gtc' | 'ioc' | 'fok' | 'post_only';

/** One order, complete. */
export interface VenueOrderDraft {
  /** Chosen by the sender: at most 36 letters and digits. */
  readonly client_order_id: string;
  readonly symbol: string;
  readonly side: OrderSide;
  readonly type: OrderType;
  readonly quantity: string;
  /** Of limit orders. */
  readonly price?: string;
  /** Of stop orders. */
  readonly stop_price?: string;
  /** Of limit orders [gtc]. */
  readonly time_in_force?: TimeInForce;
}

/** `open` also when partly filled. An order that is not open fills no more. */
export type VenueOrderStatus = 'open' | 'filled' | 'cancelled' | 'expired' | 'rejected';

/** An order as the venue has it. */
export interface VenueOrder {
  readonly client_order_id: string;
  readonly venue_order_id: string;
  readonly symbol: string;
  readonly side: OrderSide;
  readonly type: OrderType;
  readonly status: VenueOrderStatus;
  readonly quantity: string;
  readonly price?: string;
  readonly stop_price?: string;
  readonly filled_quantity: string;
  /** Price · quantity of all fills. */
  readonly filled_notional: string;
  /** Paid so far, valued in quote currency; "0" where the venue does not say it of an order. */
  readonly fees: string;
  readonly created_ms: number;
  /** Of the latest fill or change. */
  readonly updated_ms: number;
}

/**
 * How a submit ended. `unsent`: not a byte was written, and the permit is settled `unused`. `unknown`: the venue may have it; whoever asked
 * looks the client order id up, and sends nothing.
 */
export type Submission =
  | { readonly kind: 'placed'; readonly order: VenueOrder }
  | { readonly kind: 'rejected'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'unsent'; readonly error: unknown }
  | { readonly kind: 'unknown'; readonly error: unknown };

/** `ended`: it was in a final state before. `not_found` says nothing of an order that may still be on its way. */
export type Cancellation =
  | { readonly kind: 'cancelled'; readonly order: VenueOrder }
  | { readonly kind: 'ended' }
  | { readonly kind: 'not_found' };

export interface Balance {
  /** Currency, such as BTC. */
  readonly asset: string;
  readonly free: string;
  /** Held by open orders. */
  readonly locked: string;
}

export interface OpenOrdersOptions {
  /** To cancel them, so it waits behind nothing else that is read. */
  readonly urgent?: boolean;
  readonly unreadable?: (count: number) => void;
}

export interface OrderRef {
  readonly client_order_id: string;
  readonly symbol: string;
}

/**
 * One account at a venue. What reads throws errors of the catalogue, retryable or not: `ConnectionError`, `TimeoutError`, `RateLimited`,
 * `ServiceError`, `VenueRefused`, `DataUnavailable`.
 */
export interface TradingVenue {
  /** Name of the account at the desk. */
  readonly account: string;
  /**
   * By how much the venue may accept an order after the end of its permit, milliseconds: the bound of the clocks' difference. Absent where
   * orders carry no expiry, and then nothing is ever fenced.
   */
  readonly fence_ms?: number;
  /** How long the venue may have an order before it can be found, milliseconds. */
  readonly query_lag_ms: number;
  /** How long an order that rests is left alone between two looks, milliseconds; absent: the longer it rests, half a minute at most. */
  readonly look_every_ms?: number;
  /** The desk's currency that one unit of this quote currency counts as at par; the quote currency itself where it is not configured. */
  countsAs(quote: string): string;
  /** Throws `DataUnavailable` when there is no such market. */
  market(symbol: string): Promise<Market>;
  /**
   * Resolves when an order would wait for nothing but its request: whatever else it waited for would take from the life of its permit. Throws
   * why it could not be sent. Absent where there is nothing to wait for.
   */
  ready?(): Promise<void>;
  orderBook(symbol: string, depth: number): Promise<OrderBook>;
  balances(): Promise<readonly Balance[]>;
  /** Of all markets where none is named. Throws also where one of them cannot be read, unless `unreadable` takes how many. */
  openOrders(symbol?: string, options?: OpenOrdersOptions): Promise<readonly VenueOrder[]>;
  /** Undefined when the venue does not have it: which means never only when it is fenced, and the query lag has passed since. */
  find(order: OrderRef): Promise<VenueOrder | undefined>;
  /** One request, never repeated, with the permit's last check as its bytes are written. Never throws. */
  submit(order: VenueOrderDraft, permit: UsablePermit): Promise<Submission>;
  /**
   * Has `heard` called once, when the venue says by itself that the order has ended, until what is returned is called. That may come late or
   * never, so who hears it looks, and who does not looks as well. Absent where the venue says nothing by itself.
   */
  watchEnd?(client_order_id: string, heard: () => void): () => void;
  /** Needs no permit, and takes nothing from the budget of reads. May be repeated. */
  cancel(order: OrderRef): Promise<Cancellation>;
}
