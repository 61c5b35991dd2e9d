/** A small recorded market, and the paper venue's engine on it in driven time. */
import { decimal } from '../../src/money';
import { Books } from '../../src/paper-venue/books';
import { Engine } from '../../src/paper-venue/engine';
import { Market, type MarketData } from '../../src/paper-venue/market';
import type { BookEvent, OrderDraft } from '../../src/paper-venue/orders';
import type { Candle } from '../../src/venues/venue';

export const MINUTE = 60_000;

/** Open, high, low, close, volume. */
export type BarText = readonly [string, string, string, string, string];

/** Quiet at 100, traded down to 95 in the third minute, up to 106 in the fourth, quiet again. */
export const BARS: readonly BarText[] = [
  ['100', '100', '100', '100', '10'],
  ['100', '101', '99', '100', '10'],
  ['100', '100', '95', '96', '10'],
  ['96', '106', '96', '105', '10'],
  ['105', '105', '105', '105', '0'],
  ['105', '105', '104', '105', '10'],
];

/** The replay begins when the first bar has closed. */
export function marketData(bars: readonly BarText[] = BARS, rest: Partial<MarketData> = {}): MarketData {
  const candles = bars.map(([open, high, low, close, volume], index): Candle => ({
    ...{ open_time_ms: index * MINUTE, open, high, low, close, volume },
  }));
  return {
    base: 'BTC',
    quote: 'USDT',
    rules: { tick: '0.01', step: '0.001', min_quantity: '0.001', max_quantity: '1000', min_notional: '5' },
    bars: candles,
    window: { start_ms: MINUTE, end_ms: (bars.length + 1) * MINUTE, speed: 1 },
    ...rest,
  };
}

export interface DraftText extends Partial<Omit<OrderDraft, 'quantity' | 'quote_quantity' | 'price' | 'stop_price'>> {
  readonly quantity?: string;
  readonly quote_quantity?: string;
  readonly price?: string;
  readonly stop_price?: string;
}

/** One engine, what it kept, and its clocks. One account, `main`, with 10,000 USDT and 50 BTC. */
export class PaperWorld {
  readonly kept: BookEvent[][] = [];
  readonly market: Market;
  readonly books: Books;
  readonly engine: Engine;
  /** Bars that have closed since the replay began. */
  minute = 0;
  #ids = 0;

  constructor(
    data: MarketData = marketData(),
    participation = '0.1',
    told: (event: BookEvent) => void = () => undefined,
  ) {
    this.market = new Market(data);
    this.books = new Books(data);
    this.engine = new Engine({
      ...{ market: this.market, books: this.books, participation, market_ms: 0 },
      fees: { maker: '0.001', taker: '0.002' },
      keep: (events) => this.kept.push([...events]),
      told,
    });
    this.engine.deposit('main', { USDT: '10000', BTC: '50' });
  }

  get now() {
    return { wall_ms: 1_000_000 + this.minute, market_ms: this.minute * MINUTE };
  }

  /** The next `minutes` bars close. */
  pass(minutes = 1): void {
    this.minute += minutes;
    this.engine.advance(this.now);
  }

  place(draft: DraftText) {
    const { quantity, quote_quantity, price, stop_price, ...rest } = draft;
    const amounts = Object.entries({ quantity, quote_quantity, price, stop_price }).flatMap(([name, text]) =>
      text === undefined ? [] : [[name, decimal(text)] as const],
    );
    const usual = { account: 'main', client_order_id: `order-${++this.#ids}`, side: 'BUY', type: 'LIMIT' } as const;
    const draftOf = { ...usual, time_in_force: 'GTC' as const, ...rest, ...Object.fromEntries(amounts) };
    return this.engine.place(draftOf, this.now);
  }

  order(client_order_id: string) {
    return this.books.byClientId('main', client_order_id)!;
  }

  /** `free locked` of an asset. */
  holding(asset: string): string {
    const { free, locked } = this.books.holding('main', asset);
    return `${free.toFixed()} ${locked.toFixed()}`;
  }

  /** `price×quantity` of an order's fills, with an m where it was the maker. */
  fills(client_order_id: string): string[] {
    const fills = this.books.fillsOf(this.order(client_order_id).accepted.order_id);
    return fills.map(({ price, quantity, maker }) => `${price}×${quantity}${maker ? 'm' : ''}`);
  }
}
