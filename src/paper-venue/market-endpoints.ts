/** What anybody may ask. */
import { isDecimal } from '../money';
import { symbolAsJson } from './dialect';
import { mandatory, readCount } from './order-parameters';
import type { Position } from './market';
import type { Profile } from './profile';
import { refusals } from './refusal';
import type { Asked } from './request';
import { fixed, ZERO } from './steps';

const USUAL_DEPTH = 100;
const MOST_BARS = 1_000;
const USUAL_BARS = 500;

export class MarketEndpoints {
  readonly #profile: Profile;

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  readonly time = () => ({ serverTime: this.#profile.now().wall_ms });

  readonly exchangeInfo = ({ parameters }: Asked) => {
    this.#isSingle(parameters);
    return {
      timezone: 'UTC',
      serverTime: this.#profile.now().wall_ms,
      rateLimits: [],
      exchangeFilters: [],
      symbols: [symbolAsJson(this.#profile.market)],
    };
  };

  readonly ticker = (asked: Asked) => this.#each(asked, (position) => this.#profile.desk.ticker(position));
  readonly price = (asked: Asked) => this.#each(asked, (position) => this.#profile.desk.price(position));
  readonly bookTicker = (asked: Asked) => this.#each(asked, (position) => this.#profile.desk.bookTicker(position));

  readonly depth = ({ parameters }: Asked) => {
    this.#assertSymbol(parameters);
    const isEmpty = this.#isFeedEmpty();
    const book = this.#profile.desk.depth(this.#profile.shown(), readCount(parameters, 'limit', USUAL_DEPTH));
    return isEmpty ? { ...book, bids: [], asks: [] } : book;
  };

  readonly klines = ({ parameters }: Asked) => {
    this.#assertSymbol(parameters);
    if (this.#isFeedEmpty()) return [];
    return this.#profile.desk.klines(this.#profile.shown(), {
      interval: mandatory(parameters, 'interval'),
      limit: Math.min(MOST_BARS, readCount(parameters, 'limit', USUAL_BARS)),
      from_ms: readCount(parameters, 'startTime', 0),
      to_ms: readCount(parameters, 'endTime', Infinity),
    });
  };

  /** One object where a symbol is named, else a list: there is one market. */
  #each(asked: Asked, read: (position: Position) => object): unknown {
    const isSingle = this.#isSingle(asked.parameters);
    const isEmpty = this.#isFeedEmpty();
    const answer = read(this.#profile.shown());
    const told = isEmpty ? withoutPrices(answer) : answer;
    return isSingle ? told : [told];
  }

  /** Throws a `Refusal` where nothing at all is to be had. */
  #isFeedEmpty(): boolean {
    const strike = this.#profile.faults.strike('dead_feed', 'market_data');
    if (strike !== undefined && !strike.empty) throw refusals.unavailable();
    return strike !== undefined;
  }

  #isSingle(parameters: URLSearchParams): boolean {
    const symbols = parameters.get('symbols');
    if (symbols !== null && symbols !== JSON.stringify([this.#profile.market.id])) throw refusals.badSymbol();
    if (parameters.has('symbol')) this.#assertSymbol(parameters);
    return parameters.has('symbol');
  }

  #assertSymbol(parameters: URLSearchParams): void {
    if (mandatory(parameters, 'symbol') !== this.#profile.market.id) throw refusals.badSymbol();
  }
}

/** As Binance shows a market that has none: zeros. */
function withoutPrices(answer: object): object {
  const told = Object.entries(answer).map(([name, value]) => [
    name,
    isDecimal(value) ? fixed(ZERO) : (value as unknown),
  ]);
  return Object.fromEntries(told) as object;
}
