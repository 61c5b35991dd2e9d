/** Watches the desk's figures; what changed is published and kept, at most once a second and scope. */
import { messageOf } from '../errors';
import type { DeskFigures, PositionFigures, ScopeFigures } from '../emergency/figures';
import type { EventPublisher } from '../event-log';
import { metricsEvent } from '../events/build';
import { present } from '../json';
import type { Logger } from '../logging';
import { DEFAULT_DESK } from '../temporal-client/desk';
import { readJournal } from './journal-reads';
import {
  DEFAULT_WINDOW,
  assembled,
  countExecutions,
  ownerOf,
  windowMs,
  type ExecutionCounts,
  type MetricsContext,
  type MetricsOwner,
} from './metrics';

export interface MetricsTellerOptions extends MetricsContext {
  readonly publisher: Pick<EventPublisher, 'publish'>;
  readonly log: Logger;
  /** Between two looks [1,000 ms]. */
  readonly every_ms?: number;
}

const EVERY_MS = 1_000;
/** After a look that failed. */
const PAUSE_MS = 5_000;
/** Listing executions costs Temporal more than figures cost the desk. */
const COUNT_EVERY_MS = 15_000;

interface Counted {
  readonly at: number;
  readonly counts: ExecutionCounts;
}

export class MetricsTeller {
  readonly #options: MetricsTellerOptions;
  /** What was published and kept last, by scope and by position. */
  readonly #told = new Map<string, string>();
  readonly #counted = new Map<string, Counted>();
  readonly #stopping = new AbortController();
  #watching: Promise<void> = Promise.resolve();

  constructor(options: MetricsTellerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#watching = this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { every_ms = EVERY_MS, log } = this.#options;
    while (!this.#stopping.signal.aborted) {
      const pause = await this.#look().then(
        () => every_ms,
        (error: unknown) => {
          log.debug({ error: messageOf(error) }, 'metrics_not_told');
          return PAUSE_MS;
        },
      );
      await this.#pause(pause);
    }
  }

  async #look(): Promise<void> {
    const figures = await this.#options.client.deskFigures();
    const scopes = figures.scopes.filter((each) => this.#told.get(each.scope) !== JSON.stringify(each));
    const positions = this.#changedPositions(figures.positions);
    if (scopes.length + positions.length === 0) return;
    await this.#keep(figures, scopes, positions);
    for (const { scope } of scopes) {
      const owner = ownerOf(scope);
      if (owner !== undefined) await this.#publish(owner, figures);
    }
    // Remembered last: what failed on the way is told by the next look.
    for (const each of scopes) this.#told.set(each.scope, JSON.stringify(each));
    for (const each of positions) this.#told.set(keyOf(each), JSON.stringify(each));
  }

  /** One that was closed is gone from the figures, and kept once more as nothing. */
  #changedPositions(positions: readonly PositionFigures[]): readonly PositionFigures[] {
    const held = new Set(positions.map(keyOf));
    const gone = [...this.#told].flatMap(([key, text]) => {
      if (!key.startsWith(POSITION) || held.has(key)) return [];
      const last = JSON.parse(text) as PositionFigures;
      return last.quantity === '0' ? [] : [{ ...last, ...FLAT }];
    });
    return [...positions.filter((each) => this.#told.get(keyOf(each)) !== JSON.stringify(each)), ...gone];
  }

  async #keep(
    { clock }: DeskFigures,
    scopes: readonly ScopeFigures[],
    positions: readonly PositionFigures[],
  ): Promise<void> {
    const equity = scopes.map(({ drawdown_percent, ...point }) => point);
    const held = positions.map(({ parts, notional, price_at, ...point }) => point);
    await readJournal(this.#options.journal, (journal) =>
      journal.recordPoints(DEFAULT_DESK, { at: clock, equity, positions: held }),
    );
  }

  async #publish(owner: MetricsOwner, figures: DeskFigures): Promise<void> {
    const since = Date.now() - windowMs(DEFAULT_WINDOW);
    const [counts, performance] = await Promise.all([
      this.#counts(owner, since),
      readJournal(this.#options.journal, (journal) => journal.performance(DEFAULT_DESK, owner, since)),
    ]);
    const type = 'bot_id' in owner ? 'bot_metrics' : 'strategy_metrics';
    const metrics = assembled(DEFAULT_WINDOW, { figures, performance, counts }, owner);
    this.#options.publisher.publish(
      metricsEvent(DEFAULT_DESK, present({ ...owner }), { type, ...metrics }, Date.now()),
    );
  }

  async #counts(owner: MetricsOwner, since: number): Promise<ExecutionCounts> {
    const key = JSON.stringify(owner);
    const known = this.#counted.get(key);
    if (known !== undefined && Date.now() - known.at < COUNT_EVERY_MS) return known.counts;
    const counts = await countExecutions(this.#options.client, owner, since);
    this.#counted.set(key, { at: Date.now(), counts });
    return counts;
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      const timer = setTimeout(finish, ms);
      function finish() {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        resolve();
      }
      signal.addEventListener('abort', finish);
      if (signal.aborted) finish();
    });
  }
}

const POSITION = 'position ';
const FLAT = { quantity: '0', cost: '0', notional: '0', unrealized: '0', parts: [] };

function keyOf({ venue, account, symbol }: PositionFigures): string {
  return `${POSITION}${venue} ${account} ${symbol}`;
}
