/** What anybody may ask. */
import { symbolAsJson } from './dialect';
import { mandatory, readCount } from './order-parameters';
import type { Position } from './market';
import type { Profile } from './profile';
import { refusals } from './refusal';
import type { Asked } from './request';

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
    return this.#profile.desk.depth(this.#position(), readCount(parameters, 'limit', USUAL_DEPTH));
  };

  readonly klines = ({ parameters }: Asked) => {
    this.#assertSymbol(parameters);
    return this.#profile.desk.klines(this.#position(), {
      interval: mandatory(parameters, 'interval'),
      limit: Math.min(MOST_BARS, readCount(parameters, 'limit', USUAL_BARS)),
      from_ms: readCount(parameters, 'startTime', 0),
      to_ms: readCount(parameters, 'endTime', Infinity),
    });
  };

  /** One object where a symbol is named, else a list: there is one market. */
  #each(asked: Asked, read: (position: Position) => unknown): unknown {
    const isSingle = this.#isSingle(asked.parameters);
    const answer = read(this.#position());
    return isSingle ? answer : [answer];
  }

  #position(): Position {
    if (this.#profile.faults.strike('dead_feed', 'market_data')) throw refusals.unavailable();
    return this.#profile.shown();
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
