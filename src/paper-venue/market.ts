/**
 * A recorded market as the venue sees it: which bar has closed, what is quoted, what stands in the book. Pure; time is an argument.
 *
 * The last bar that has closed is the market, until the next one has. Its quote is the recorded one where there is one; otherwise it lies
 * `HALF_SPREAD` around the close, widened to the tick. The book below the best prices is made, not recorded: every level holds a share of
 * what was traded per minute lately.
 */
import { decimal, type Decimal } from '../money';
import { BAR_MS, closedBars } from '../venues/recorded-venue';
import type { RecordedQuote } from '../venues/quote-file';
import type { ReplayWindow } from '../venues/replay-clock';
import type { Candle } from '../venues/venue';
import { ceilTo, floorTo, most, sumOf } from './steps';

export interface MarketRules {
  /** Prices are multiples of it. */
  readonly tick: string;
  /** Quantities are multiples of it. */
  readonly step: string;
  readonly min_quantity: string;
  readonly max_quantity: string;
  readonly min_notional: string;
}

export interface MarketData {
  readonly base: string;
  readonly quote: string;
  readonly rules: MarketRules;
  /** One minute each, oldest first. */
  readonly bars: readonly Candle[];
  readonly quotes?: readonly RecordedQuote[];
  readonly window: ReplayWindow;
}

/** Where the replay stands: its round, and the last bar that has closed. */
export interface Position {
  readonly lap: number;
  /** -1 before the first bar has closed. */
  readonly index: number;
}

export interface Level {
  readonly price: Decimal;
  readonly quantity: Decimal;
}

/** Best first. */
export interface Depth {
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

export interface Bar {
  readonly low: Decimal;
  readonly high: Decimal;
  readonly close: Decimal;
  readonly volume: Decimal;
}

const HALF_SPREAD = decimal('0.00005');
const LEVELS = 20;
const LEVEL_SHARE = decimal('0.05');
/** Minutes whose mean volume makes the book. */
const LATELY = 30;

export class Market {
  /** As the dialect names it. */
  readonly id: string;
  readonly data: MarketData;
  readonly tick: Decimal;
  readonly step: Decimal;
  readonly #quotes: ReadonlyMap<number, RecordedQuote>;
  /** The same book is asked for until the next bar has closed. */
  #last: { readonly index: number; readonly depth: Depth } | undefined;

  constructor(data: MarketData) {
    this.data = data;
    this.id = `${data.base}${data.quote}`;
    this.tick = decimal(data.rules.tick);
    this.step = decimal(data.rules.step);
    this.#quotes = new Map((data.quotes ?? []).map((quote) => [quote.open_time_ms, quote]));
  }

  /** `market_ms`: recorded milliseconds since the anchor of the replay. */
  position(market_ms: number): Position {
    const lap = Math.floor(market_ms / this.#span);
    return { lap, index: closedBars(this.data.bars, this.data.window.start_ms + market_ms - lap * this.#span) - 1 };
  }

  /** Every position after `from` up to `to`; of several rounds in between only the last is gone through. */
  *between(from: Position, to: Position): Generator<Position> {
    const first = this.position(0).index;
    const last = this.position(this.#span - 1).index;
    let { lap, index } = from.lap < to.lap - 1 ? { lap: to.lap - 1, index: first - 1 } : from;
    while (lap < to.lap || (lap === to.lap && index < to.index)) {
      if (index >= last) {
        lap += 1;
        index = first;
      } else index += 1;
      yield { lap, index };
    }
  }

  /** Recorded milliseconds since the anchor at which a position's bar opened. */
  openedAt({ lap, index }: Position): number {
    return lap * this.#span + this.candle(index).open_time_ms - this.data.window.start_ms;
  }

  hasOpened({ index }: Position): boolean {
    return this.data.bars[index] !== undefined;
  }

  candle(index: number): Candle {
    const candle = this.data.bars[index];
    if (candle === undefined) throw new RangeError(`no bar ${index}`);
    return candle;
  }

  bar(index: number): Bar {
    const { low, high, close, volume } = this.candle(index);
    return { low: decimal(low), high: decimal(high), close: decimal(close), volume: decimal(volume) };
  }

  /** When the last bar had closed, by the replay clock. */
  closedAt(index: number): number {
    return this.candle(index).open_time_ms + BAR_MS;
  }

  depth(index: number): Depth {
    if (this.#last?.index !== index) this.#last = { index, depth: this.#make(index) };
    return this.#last.depth;
  }

  #make(index: number): Depth {
    const close = decimal(this.candle(index).close);
    const gap = most(this.tick, floorTo(close.times(HALF_SPREAD), this.tick));
    const usual = this.#onGrid(this.#lately(index).times(LEVEL_SHARE));
    const best = this.#best(index, close, usual);
    const levels = (from: Level, direction: '1' | '-1') =>
      Array.from({ length: LEVELS }, (_, level): Level => {
        const price = from.price.plus(gap.times(String(level)).times(direction));
        return { price, quantity: level === 0 ? from.quantity : usual };
      }).filter(({ price }) => price.gt('0'));
    return { bids: levels(best.bid, '-1'), asks: levels(best.ask, '1') };
  }

  #best(index: number, close: Decimal, usual: Decimal): { bid: Level; ask: Level } {
    const quote = this.#quotes.get(this.candle(index).open_time_ms);
    const bid = quote === undefined ? undefined : decimal(quote.bid);
    const ask = quote === undefined ? undefined : decimal(quote.ask);
    if (quote !== undefined && bid !== undefined && ask?.gt(bid) === true) {
      return {
        bid: { price: bid, quantity: this.#onGrid(decimal(quote.bid_quantity)) },
        ask: { price: ask, quantity: this.#onGrid(decimal(quote.ask_quantity)) },
      };
    }
    const half = close.times(HALF_SPREAD);
    return {
      bid: { price: most(this.tick, floorTo(close.minus(half), this.tick)), quantity: usual },
      ask: { price: ceilTo(close.plus(half), this.tick), quantity: usual },
    };
  }

  #lately(index: number): Decimal {
    const bars = this.data.bars.slice(Math.max(0, index + 1 - LATELY), index + 1);
    return sumOf(bars.map(({ volume }) => decimal(volume))).div(String(bars.length));
  }

  #onGrid(quantity: Decimal): Decimal {
    return most(this.step, floorTo(quantity, this.step));
  }

  get #span(): number {
    return this.data.window.end_ms - this.data.window.start_ms;
  }
}
