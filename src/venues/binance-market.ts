/** Market data in Binance's dialect. Pure. What cannot be read, or says nothing, is undefined; no number is ever made up for it. */
import { isObject, type Members } from '../json';
import { decimal } from '../money';
import { amountOf, type MarketName } from './binance-order';
import type { Balance, BookLevel, Candle, Market, OrderBook, Ticker } from './venue';

const NONE = '0';

/** Of `ticker/24hr`. A quote that is absent or zero is left out; a last price that is leaves nothing. */
export function readTicker(raw: unknown, { id, symbol }: MarketName): Ticker | undefined {
  if (!isObject(raw) || raw['symbol'] !== id) return undefined;
  const last = aboveZero(raw['lastPrice']);
  const time_ms = raw['closeTime'];
  if (last === undefined || !isTime(time_ms)) return undefined;
  const [bid, ask] = [aboveZero(raw['bidPrice']), aboveZero(raw['askPrice'])];
  const isQuoted = bid !== undefined && ask !== undefined && decimal(bid).lte(decimal(ask));
  return { symbol, last, ...(isQuoted ? { bid, ask } : {}), time_ms };
}

/** Both sides, neither empty nor crossed. The dialect does not say when the book stood so. */
export function readBook(raw: unknown, symbol: string, time_ms: number): OrderBook | undefined {
  if (!isObject(raw)) return undefined;
  const [bids, asks] = [readLevels(raw['bids']), readLevels(raw['asks'])];
  const [bid, ask] = [bids?.[0], asks?.[0]];
  if (bids === undefined || asks === undefined || bid === undefined || ask === undefined) return undefined;
  return decimal(bid.price).lte(decimal(ask.price)) ? { symbol, bids, asks, time_ms } : undefined;
}

function readLevels(raw: unknown): readonly BookLevel[] | undefined {
  if (!Array.isArray(raw)) return undefined;
  const levels = raw.map((level: unknown) => {
    if (!Array.isArray(level)) return undefined;
    const [price, quantity] = [aboveZero(level[0]), aboveZero(level[1])];
    return price === undefined || quantity === undefined ? undefined : { price, quantity };
  });
  return levels.every((level) => level !== undefined) ? levels : undefined;
}

/** Those that closed by `now`, oldest first. */
export function readCandles(raw: unknown, now: number): readonly Candle[] | undefined {
  if (!Array.isArray(raw)) return undefined;
  const bars = raw.map(readBar);
  if (!bars.every((bar) => bar !== undefined)) return undefined;
  return bars.filter(({ close_time_ms }) => close_time_ms < now).map(({ candle }) => candle);
}

function readBar(raw: unknown): { readonly candle: Candle; readonly close_time_ms: number } | undefined {
  if (!Array.isArray(raw)) return undefined;
  const [open_time_ms, , , , , , close_time_ms] = raw as readonly unknown[];
  const [open, high, low, close] = raw.slice(1, 5).map(aboveZero);
  const volume = amountOf(raw[5]);
  if (open === undefined || high === undefined || low === undefined || close === undefined) return undefined;
  if (volume === undefined || !isTime(open_time_ms) || !isTime(close_time_ms)) return undefined;
  return { candle: { open_time_ms, open, high, low, close, volume }, close_time_ms };
}

/** Of one entry of `exchangeInfo`; undefined where it is not traded, or a filter that counts is missing. */
export function readMarket(raw: unknown, { symbol, base, quote }: MarketName): Market | undefined {
  if (!isObject(raw) || raw['status'] !== 'TRADING' || !Array.isArray(raw['filters'])) return undefined;
  const filters = new Map(raw['filters'].filter(isObject).map((filter: Members) => [filter['filterType'], filter]));
  const price_tick = aboveZero(filters.get('PRICE_FILTER')?.['tickSize']);
  const grid = quantityRules(filters.get('LOT_SIZE'));
  const min_notional = leastNotional(filters.get('NOTIONAL') ?? filters.get('MIN_NOTIONAL'));
  if (price_tick === undefined || grid === undefined || min_notional === undefined) return undefined;
  return { symbol, base, quote, price_tick, ...grid, min_notional };
}

function quantityRules(lot: Members | undefined): Pick<Market, 'quantity_step' | 'min_quantity'> | undefined {
  const [quantity_step, min_quantity] = [aboveZero(lot?.['stepSize']), amountOf(lot?.['minQty'])];
  return quantity_step === undefined || min_quantity === undefined ? undefined : { quantity_step, min_quantity };
}

/** A market need not have one; one that cannot be read is none of those. */
function leastNotional(filter: Members | undefined): string | undefined {
  return filter === undefined ? NONE : amountOf(filter['minNotional']);
}

/** Of `account`; without what is neither free nor locked. */
export function readBalances(raw: unknown): readonly Balance[] | undefined {
  if (!isObject(raw) || !Array.isArray(raw['balances'])) return undefined;
  const balances = raw['balances'].map((entry: unknown) => {
    if (!isObject(entry)) return undefined;
    const [free, locked] = [amountOf(entry['free']), amountOf(entry['locked'])];
    const { asset } = entry;
    return typeof asset !== 'string' || free === undefined || locked === undefined
      ? undefined
      : { asset, free, locked };
  });
  if (!balances.every((balance) => balance !== undefined)) return undefined;
  return balances.filter(({ free, locked }) => free !== NONE || locked !== NONE);
}

function aboveZero(value: unknown): string | undefined {
  const amount = amountOf(value);
  return amount === NONE ? undefined : amount;
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
