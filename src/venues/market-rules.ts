/** What the markets of a venue ask of orders, read once each and again when it may have changed. */
import type { Market } from './venue';

const GOOD_FOR_MS = 10 * 60_000;

interface Known {
  readonly market: Promise<Market>;
  readonly read_at: number;
}

export class MarketRules {
  readonly #read: (symbol: string) => Promise<Market>;
  readonly #known = new Map<string, Known>();

  constructor(read: (symbol: string) => Promise<Market>) {
    this.#read = read;
  }

  /** Those who ask at once share one read; one that failed is forgotten. */
  of(symbol: string): Promise<Market> {
    const known = this.#known.get(symbol);
    const now = performance.now();
    if (known !== undefined && now - known.read_at < GOOD_FOR_MS) return known.market;
    const market = this.#read(symbol);
    this.#known.set(symbol, { market, read_at: now });
    market.catch(() => this.#known.delete(symbol));
    return market;
  }
}
