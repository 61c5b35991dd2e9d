/**
 * Orders in Binance's dialect, both ways. Pure. Amounts are taken from the venue's own text: what ccxt's `parseOrder` makes of them is
 * partly computed (average, cost), and statuses it does not know it passes on.
 */
import { HoldfastError } from '../errors';
import { isObject, present, type Members } from '../json';
import { decimal, formatDecimal, isDecimal } from '../money';
import type { OrderType, VenueOrder, VenueOrderDraft, VenueOrderStatus } from './venue';

/** A market as the venue and as Holdfast call it. */
export interface MarketName {
  /** Such as BTCUSDT. */
  readonly id: string;
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
}

export interface VenueFill {
  readonly price: string;
  readonly quantity: string;
  readonly commission: string;
  readonly commission_asset: string;
}

/** Some assets are not written in Latin letters. */
const SYMBOL = /^([\p{L}\p{N}]{1,40})\/([\p{L}\p{N}]{1,40})$/u;

const STATUSES: Readonly<Record<string, VenueOrderStatus>> = {
  NEW: 'open',
  PENDING_NEW: 'open',
  PARTIALLY_FILLED: 'open',
  PENDING_CANCEL: 'open',
  FILLED: 'filled',
  CANCELED: 'cancelled',
  EXPIRED: 'expired',
  EXPIRED_IN_MATCH: 'expired',
  REJECTED: 'rejected',
};

const TIMES_IN_FORCE = { gtc: 'GTC', ioc: 'IOC', fok: 'FOK' } as const;

/** Spot markets are called by their two currencies. Throws `DataUnavailable` on what is no symbol. */
export function marketNameOf(symbol: string): MarketName {
  const [, base, quote] = SYMBOL.exec(symbol) ?? [];
  if (base === undefined || quote === undefined) {
    throw new HoldfastError('DataUnavailable', `${JSON.stringify(symbol)} is no market; one is written BTC/USDT.`);
  }
  return { id: `${base}${quote}`, symbol, base, quote };
}

/** Without time and signature. */
export function orderParams(draft: VenueOrderDraft, { id }: MarketName): Readonly<Record<string, string>> {
  const { client_order_id, side, quantity } = draft;
  return {
    symbol: id,
    side: side.toUpperCase(),
    ...termsOf(draft),
    quantity,
    newClientOrderId: client_order_id,
    // With its fills, and so with what it cost.
    newOrderRespType: 'FULL',
  };
}

function termsOf({
  type,
  price = '',
  stop_price = '',
  time_in_force = 'gtc',
}: VenueOrderDraft): Readonly<Record<string, string>> {
  if (type === 'market') return { type: 'MARKET' };
  if (type === 'stop') return { type: 'STOP_LOSS', stopPrice: stop_price };
  if (time_in_force === 'post_only') return { type: 'LIMIT_MAKER', price };
  return { type: 'LIMIT', timeInForce: TIMES_IN_FORCE[time_in_force], price };
}

/** The order of an answer, without fees; undefined when anything that counts is missing or not as it should be. */
export function readOrder(raw: unknown, { id, symbol }: MarketName): VenueOrder | undefined {
  if (!isObject(raw) || raw['symbol'] !== id) return undefined;
  const identity = identityOf(raw);
  const amounts = amountsOf(raw);
  const times = timesOf(raw);
  if (identity === undefined || amounts === undefined || times === undefined) return undefined;
  return { ...identity, symbol, ...amounts, fees: '0', ...times };
}

type Identity = Pick<VenueOrder, 'client_order_id' | 'venue_order_id' | 'side' | 'type' | 'status'>;
const SIDES: Readonly<Record<string, VenueOrder['side']>> = { BUY: 'buy', SELL: 'sell' };

function identityOf(raw: Members): Identity | undefined {
  // An answer to a cancel has an id of its own, and calls the order's the original one.
  const client_order_id = textOf(raw['origClientOrderId']) ?? textOf(raw['clientOrderId']);
  const venue_order_id = textOf(raw['orderId']);
  const type = textOf(raw['type']);
  const side = SIDES[textOf(raw['side']) ?? ''];
  const status = STATUSES[textOf(raw['status']) ?? ''];
  const found = { client_order_id, venue_order_id, side, status, type: type === undefined ? undefined : typeOf(type) };
  return isComplete(found) ? found : undefined;
}

function isComplete<T extends object>(found: T): found is { [K in keyof T]: Exclude<T[K], undefined> } & T {
  return Object.values(found).every((value) => value !== undefined);
}

/** Order numbers may be either. */
function textOf(value: unknown): string | undefined {
  if (Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Somebody else's order may be of a type nobody here sends; one that waits for a price is a stop. */
function typeOf(type: string): OrderType {
  if (/STOP|TAKE_PROFIT/.test(type)) return 'stop';
  return type === 'MARKET' ? 'market' : 'limit';
}

function amountsOf(raw: Members) {
  const { origQty, executedQty, cummulativeQuoteQty, price, stopPrice } = raw;
  const [quantity, filled_quantity, filled_notional] = [origQty, executedQty, cummulativeQuoteQty].map(amountOf);
  if (quantity === undefined || filled_quantity === undefined || filled_notional === undefined) return undefined;
  // What was filled cost something; where the venue does not say what, nobody guesses.
  if ((filled_quantity === '0') !== (filled_notional === '0')) return undefined;
  const prices = present({ price: amountOf(price), stop_price: amountOf(stopPrice) });
  const aboveZero = Object.fromEntries(Object.entries(prices).filter(([, value]) => value !== '0'));
  return { quantity, filled_quantity, filled_notional, ...aboveZero };
}

function timesOf({ time, transactTime, updateTime, workingTime }: Members) {
  const created_ms = firstTime(time, workingTime, transactTime);
  const updated_ms = firstTime(updateTime, transactTime, time);
  return created_ms === undefined || updated_ms === undefined ? undefined : { created_ms, updated_ms };
}

function firstTime(...values: readonly unknown[]): number | undefined {
  return values.find((value): value is number => Number.isSafeInteger(value) && (value as number) > 0);
}

/** Text alone: a number has been through floating point. */
export function amountOf(value: unknown): string | undefined {
  if (!isDecimal(value) || value.startsWith('-')) return undefined;
  return formatDecimal(decimal(value));
}

/** Of an order's answer (`qty`) and of `myTrades` alike; undefined when one cannot be read. */
export function readFills(raw: unknown): readonly VenueFill[] | undefined {
  if (!Array.isArray(raw)) return undefined;
  const fills = raw.map(readFill);
  return fills.every((fill) => fill !== undefined) ? fills : undefined;
}

function readFill(raw: unknown): VenueFill | undefined {
  if (!isObject(raw)) return undefined;
  const [price, quantity, commission] = [raw['price'], raw['qty'], raw['commission']].map(amountOf);
  const asset = raw['commissionAsset'];
  if (price === undefined || quantity === undefined || commission === undefined || typeof asset !== 'string')
    return undefined;
  return { price, quantity, commission, commission_asset: asset };
}

/** All they are of, decimal text. */
export function quantityOf(fills: readonly VenueFill[]): string {
  return formatDecimal(fills.reduce((sum, { quantity }) => sum.plus(decimal(quantity)), decimal('0')));
}

/**
 * What was paid for them, in quote currency: a commission in base currency counts at the price of its fill, one in a third currency at
 * `priceOf`, its price in quote currency.
 */
export async function feesOf(
  fills: readonly VenueFill[],
  { base, quote }: MarketName,
  priceOf: (asset: string, fill: VenueFill) => Promise<string>,
): Promise<string> {
  let sum = decimal('0');
  for (const fill of fills) {
    const { price, commission, commission_asset } = fill;
    const paid = decimal(commission);
    if (paid.eq('0') || commission_asset === quote) sum = sum.plus(paid);
    else sum = sum.plus(paid.times(decimal(commission_asset === base ? price : await priceOf(commission_asset, fill))));
  }
  return formatDecimal(sum);
}
