/** One profile at work: a recorded market, its accounts, what they hold, and its faults. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { BAR_MS } from '../venues/recorded-venue';
import { replayedSince } from '../venues/replay-clock';
import { Books } from './books';
import { Engine, type Fees, type Instant } from './engine';
import { Faults, type FaultSettings } from './faults';
import { JournalFile } from './journal-file';
import { Market, type MarketData, type Position } from './market';
import { MarketDesk } from './market-data';
import type { BookEvent } from './orders';
import type { Account } from './signature';
import { userEvents } from './user-events';
import { UserStreams } from './user-streams';

export interface ProfileOptions {
  /** The first part of its addresses. */
  readonly profile: string;
  readonly market: MarketData;
  /** Who may trade; default one called `main`, whose key and secret are `paper`. */
  readonly accounts?: readonly Account[];
  /** What an account starts with that does not say it, by asset; default 100,000 of the quote and 10 of the base currency. */
  readonly balances?: Readonly<Record<string, string>>;
  /** Default 0.001 each. */
  readonly fees?: Fees;
  /** Of what a bar traded, how much resting orders get, 0 to 1; default "0.1". */
  readonly participation?: string;
  /** Of the chance that faults strike by; default 1. */
  readonly seed?: number;
  readonly faults?: FaultSettings;
}

export interface ProfileClock {
  /** Wall time, UTC epoch milliseconds. */
  readonly now: () => number;
  /** Recorded milliseconds since the anchor of the replay; by default what the wall time gives. */
  readonly market_ms?: () => number;
}

const MAIN: Account = { name: 'main', key: 'paper', secret: 'paper' };
const usual = { accounts: [MAIN], fees: { maker: '0.001', taker: '0.001' }, participation: '0.1', seed: 1 };
const SLOWEST_TURN_MS = 1_000;
const FASTEST_TURN_MS = 20;

export class Profile {
  readonly name: string;
  readonly accounts: readonly Account[];
  readonly market: Market;
  readonly books: Books;
  readonly engine: Engine;
  readonly desk: MarketDesk;
  readonly faults: Faults;
  readonly streams: UserStreams;
  readonly #clock: ProfileClock;
  readonly #journal: JournalFile | undefined;
  #stale: Position | undefined;

  /** Reads its books back where there is a directory. Throws `DataUnavailable` when they are damaged. */
  constructor(options: ProfileOptions, clock: ProfileClock, directory?: string) {
    const { accounts, fees, participation, seed } = { ...usual, ...options };
    this.name = options.profile;
    this.accounts = accounts;
    this.market = new Market(options.market);
    this.desk = new MarketDesk(this.market);
    this.faults = new Faults(seed, options.faults);
    this.streams = new UserStreams(this.faults);
    this.#clock = clock;
    this.books = new Books(options.market);
    this.#journal = directory === undefined ? undefined : this.#restore(directory);
    this.engine = new Engine({
      ...{ market: this.market, books: this.books, fees, participation, market_ms: this.#marketMs() },
      keep: this.#journal?.keep ?? (() => undefined),
      told: (event) => {
        this.#tell(event);
      },
    });
    this.#endow(options);
  }

  /** The venue's clock and the market's. */
  now(): Instant {
    return { wall_ms: this.#clock.now() + this.faults.clock_skew_ms, market_ms: this.#marketMs() };
  }

  /** What is told of the market: where it stands, or stood when the book went stale. */
  shown(): Position {
    const position = this.market.position(this.#marketMs());
    this.#stale = this.faults.isStale ? (this.#stale ?? position) : undefined;
    return this.#stale ?? position;
  }

  changeFaults(settings: unknown) {
    const changed = this.faults.change(settings);
    this.shown();
    this.streams.flush();
    return changed;
  }

  advance(): void {
    this.engine.advance(this.now());
  }

  /** How often `advance` is to be called so that no bar waits long, milliseconds. */
  get turn_ms(): number {
    return Math.min(SLOWEST_TURN_MS, Math.max(FASTEST_TURN_MS, BAR_MS / this.market.data.window.speed));
  }

  close(): void {
    this.#journal?.close();
  }

  #tell(event: BookEvent): void {
    const told = userEvents(event, { books: this.books, market: this.market, now_ms: this.now().wall_ms });
    if (told !== undefined) this.streams.tell(told.account, told.events);
  }

  /** An account is given something once, when it is first seen. */
  #endow({ market, balances = { [market.quote]: '100000', [market.base]: '10' } }: ProfileOptions): void {
    for (const account of this.accounts) {
      if (!this.books.accounts.includes(account.name)) this.engine.deposit(account.name, account.balances ?? balances);
    }
  }

  #marketMs(): number {
    return this.#clock.market_ms?.() ?? replayedSince(this.#clock.now(), this.market.data.window);
  }

  #restore(directory: string): JournalFile {
    mkdirSync(directory, { recursive: true });
    const { journal, events } = JournalFile.open(join(directory, `${this.name}.jsonl`));
    for (const event of events) this.books.apply(event);
    return journal;
  }
}
