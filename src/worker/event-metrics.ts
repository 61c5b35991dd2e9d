/** What becomes of the events this worker tells; Prometheus reads it with the SDK's own metrics. */
import type { MetricMeter } from '@temporalio/common';
import type { PublisherStats } from '../event-log';

const LOOK_EVERY_MS = 1_000;

/** Upper bounds of the latencies that are told apart, milliseconds; the SDK's own begin at 50. */
export const EVENT_LATENCY = {
  name: 'holdfast_event_latency',
  buckets: [0.5, 1, 2, 5, 10, 25, 50, 100, 250, 1_000, 5_000, 30_000],
} as const;

export class EventMetrics {
  readonly #metrics: ReturnType<typeof eventMetrics>;
  #seen = { published: 0, dropped: 0, refused: 0 };
  #stats: (() => PublisherStats) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(meter: Pick<MetricMeter, 'createCounter' | 'createGauge' | 'createHistogram'>) {
    this.#metrics = eventMetrics(meter);
  }

  /** A batch was taken whose oldest event had waited so long, milliseconds. */
  readonly taken = (waited_ms: number): void => {
    this.#metrics.latency.record(waited_ms);
  };

  /** Asks every second until it is closed. */
  watch(stats: () => PublisherStats): void {
    this.#stats = stats;
    this.look();
    this.#timer = setInterval(() => {
      this.look();
    }, LOOK_EVERY_MS);
    this.#timer.unref();
  }

  look(): void {
    if (this.#stats === undefined) return;
    const { queued, published, dropped, refused } = this.#stats();
    this.#metrics.buffered.set(queued);
    this.#metrics.published.add(published - this.#seen.published);
    this.#metrics.dropped.add(dropped - this.#seen.dropped);
    this.#metrics.refused.add(refused - this.#seen.refused);
    this.#seen = { published, dropped, refused };
  }

  close(): void {
    clearInterval(this.#timer);
    this.look();
  }
}

function eventMetrics(meter: ConstructorParameters<typeof EventMetrics>[0]) {
  const counter = (name: string, description: string) => meter.createCounter(name, undefined, description);
  return {
    published: counter('holdfast_events_published_total', 'Events the log has taken.'),
    dropped: counter('holdfast_events_dropped_total', 'Events given up because too many waited; announced as a gap.'),
    refused: counter('holdfast_events_refused_total', 'Events Redis refused for what they are.'),
    buffered: meter.createGauge('holdfast_events_buffered', 'int', undefined, 'Events that wait for Redis.'),
    latency: meter.createHistogram(
      EVENT_LATENCY.name,
      'float',
      'ms',
      'From queueing to Redis’s answer, of the oldest event of each batch.',
    ),
  };
}
