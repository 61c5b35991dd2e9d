/** How events come in, and what becomes of those this gateway tells itself; Prometheus reads it from `/metrics`. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { PublisherStats } from '../event-log';
import type { EventEnvelope } from '../events/envelope';
import type { GapNotice } from './protocol';

const AGES_S = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];

export interface FeedState {
  readonly listening: boolean;
  /** How often the log was read for what a channel had not carried. */
  readonly backfills: number;
}

export class FeedMetrics {
  readonly #registers: Registry[];
  readonly #age: Histogram;
  readonly #gaps: Counter<'reason'>;

  constructor(registry: Registry) {
    this.#registers = [registry];
    this.#age = new Histogram({
      name: 'holdfast_gateway_event_age_seconds',
      help: 'From what an event tells of until it came here, by the clock of each; what is told again is as old as the fact.',
      buckets: AGES_S,
      registers: this.#registers,
    });
    this.#gaps = new Counter({
      name: 'holdfast_gateway_gaps_total',
      help: 'Gaps that clients were told of.',
      labelNames: ['reason'],
      registers: this.#registers,
    });
    for (const reason of ['dropped', 'log_restarted', 'out_of_reach'] as const) this.#gaps.inc({ reason }, 0);
  }

  came({ timestamp }: Pick<EventEnvelope, 'timestamp'>): void {
    this.#age.observe(Math.max(0, Date.now() - Date.parse(timestamp)) / 1_000);
  }

  gapTold({ reason }: Pick<GapNotice, 'reason'>): void {
    this.#gaps.inc({ reason });
  }

  /** Both are asked each time the metrics are read. */
  watch(feed: FeedState, published: () => PublisherStats): void {
    this.#gauge('holdfast_gateway_feed_listening', '1 while events come from Redis, else 0.', () =>
      feed.listening ? 1 : 0,
    );
    this.#total(
      'holdfast_gateway_backfills_total',
      'Reads of the log for what a channel had not carried.',
      () => feed.backfills,
    );
    this.#total(
      'holdfast_gateway_events_published_total',
      'Events told here that the log has taken.',
      () => published().published,
    );
    this.#total(
      'holdfast_gateway_events_dropped_total',
      'Events told here and given up; announced as a gap.',
      () => published().dropped,
    );
    this.#total(
      'holdfast_gateway_events_refused_total',
      'Events told here that Redis refused.',
      () => published().refused,
    );
    this.#gauge('holdfast_gateway_events_buffered', 'Events told here that wait for Redis.', () => published().queued);
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      ...{ name, help, registers: this.#registers },
      collect() {
        this.set(read());
      },
    });
  }

  #total(name: string, help: string, read: () => number): void {
    new Counter({
      ...{ name, help, registers: this.#registers },
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }
}
