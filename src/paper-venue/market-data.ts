/** What is told of the market, as Binance's spot API writes it. Times are the replay's. */
import { decimal, type Decimal } from '../money';
import { BAR_MS } from '../venues/recorded-venue';
import type { Candle } from '../venues/venue';
import type { Level, Market, Position } from './market';
import { refusals } from './refusal';
import { fixed, least, most, sumOf, ZERO } from './steps';

const MINUTES: Readonly<Record<string, number>> = {
  ...{ '1m': 1, '3m': 3, '5m': 5, '15m': 15, '30m': 30 },
  ...{ '1h': 60, '2h': 120, '4h': 240, '6h': 360, '8h': 480, '12h': 720, '1d': 1440 },
};
const BARS_OF_A_DAY = 1440;

export class MarketDesk {
  readonly #market: Market;
  #day: { readonly index: number; readonly json: ReturnType<MarketDesk['dayAsJson']> } | undefined;

  constructor(market: Market) {
    this.#market = market;
  }

  /** The last 24 hours. Throws a `Refusal` before the first bar has closed. */
  ticker({ index }: Position) {
    this.#assertOpened(index);
    if (this.#day?.index !== index) this.#day = { index, json: this.dayAsJson(index) };
    return this.#day.json;
  }

  price({ index }: Position) {
    this.#assertOpened(index);
    return { symbol: this.#market.id, price: fixed(decimal(this.#market.candle(index).close)) };
  }

  bookTicker({ index }: Position) {
    this.#assertOpened(index);
    return { symbol: this.#market.id, ...this.#best(index) };
  }

  depth({ lap, index }: Position, limit: number) {
    this.#assertOpened(index);
    const { bids, asks } = this.#market.depth(index);
    const rows = (levels: readonly Level[]) =>
      levels.slice(0, limit).map(({ price, quantity }) => [fixed(price), fixed(quantity)]);
    const lastUpdateId = lap * this.#market.data.bars.length + index + 1;
    return { lastUpdateId, bids: rows(bids), asks: rows(asks) };
  }

  /** Bars that have closed, oldest first; those of several minutes only when all of their minutes have passed. */
  klines({ index }: Position, { interval, limit, from_ms, to_ms }: KlineQuery) {
    const minutes = MINUTES[interval];
    if (minutes === undefined) throw refusals.badInterval();
    const width = minutes * BAR_MS;
    const closed = index < 0 ? 0 : this.#market.closedAt(index);
    const bars = this.#market.data.bars.slice(0, index + 1);
    const all = [...grouped(bars, width)];
    const within = all.filter(([open]) => open >= from_ms && open <= to_ms && open + width <= closed);
    const asked = from_ms > 0 ? within.slice(0, limit) : within.slice(-limit);
    return asked.map(([open, parts]) => klineAsJson(open, width, parts));
  }

  dayAsJson(index: number) {
    const bars = this.#market.data.bars.slice(Math.max(0, index + 1 - BARS_OF_A_DAY), index + 1);
    const { open, high, low, close, volume, quoteVolume } = combined(bars);
    const change = close.minus(open);
    return {
      symbol: this.#market.id,
      priceChange: fixed(change),
      priceChangePercent: open.eq('0') ? '0.000' : change.div(open).times('100').toFixed(3),
      weightedAvgPrice: fixed(volume.eq('0') ? close : quoteVolume.div(volume)),
      prevClosePrice: fixed(open),
      lastPrice: fixed(close),
      lastQty: fixed(this.#market.bar(index).volume),
      ...this.#best(index),
      openPrice: fixed(open),
      highPrice: fixed(high),
      lowPrice: fixed(low),
      volume: fixed(volume),
      quoteVolume: fixed(quoteVolume),
      openTime: this.#market.candle(index - bars.length + 1).open_time_ms,
      closeTime: this.#market.closedAt(index),
      firstId: index - bars.length + 1,
      lastId: index,
      count: bars.length,
    };
  }

  #best(index: number) {
    const { bids, asks } = this.#market.depth(index);
    const [bid, ask] = [bids[0], asks[0]];
    return {
      bidPrice: fixed(bid?.price ?? ZERO),
      bidQty: fixed(bid?.quantity ?? ZERO),
      askPrice: fixed(ask?.price ?? ZERO),
      askQty: fixed(ask?.quantity ?? ZERO),
    };
  }

  #assertOpened(index: number): void {
    if (index < 0) throw refusals.unavailable();
  }
}

export interface KlineQuery {
  readonly interval: string;
  readonly limit: number;
  readonly from_ms: number;
  readonly to_ms: number;
}

function grouped(bars: readonly Candle[], width: number): Map<number, Candle[]> {
  const groups = new Map<number, Candle[]>();
  for (const bar of bars) {
    const open = bar.open_time_ms - (bar.open_time_ms % width);
    const group = groups.get(open);
    if (group === undefined) groups.set(open, [bar]);
    else group.push(bar);
  }
  return groups;
}

interface Combined {
  readonly open: Decimal;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly close: Decimal;
  readonly volume: Decimal;
  /** A bar says what it traded, not at which prices: its close stands for all of it. */
  readonly quoteVolume: Decimal;
}

function combined(bars: readonly Candle[]): Combined {
  const [first, last] = [bars[0], bars.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('no bars');
  return {
    open: decimal(first.open),
    high: bars.map(({ high }) => decimal(high)).reduce(most),
    low: bars.map(({ low }) => decimal(low)).reduce(least),
    close: decimal(last.close),
    volume: sumOf(bars.map(({ volume }) => decimal(volume))),
    quoteVolume: sumOf(bars.map(({ volume, close }) => decimal(volume).times(decimal(close)))),
  };
}

function klineAsJson(open_ms: number, width: number, parts: readonly Candle[]) {
  const { open, high, low, close, volume, quoteVolume } = combined(parts);
  const taker = [fixed(ZERO), fixed(ZERO)];
  const prices = [fixed(open), fixed(high), fixed(low), fixed(close), fixed(volume)];
  return [open_ms, ...prices, open_ms + width - 1, fixed(quoteVolume), parts.length, ...taker, '0'];
}
