/** What the venue does wrong on purpose. Seeded, so that a run can be repeated. */
import { z } from 'zod';
import { seededRandom } from './random';

/** What a request is about, as far as faults tell requests apart. */
const kinds = ['submit', 'cancel', 'query', 'market_data'] as const;
export type RequestKind = (typeof kinds)[number];

const rule = z.strictObject({
  /** Strikes the next so many requests; counted down. */
  next: z.int().min(0).max(1_000_000).default(0),
  /** Strikes any other request with this probability. */
  probability: z.number().min(0).max(1).default(0),
  /** Of delays, hidden orders and late fills. */
  ms: z.int().min(0).max(600_000).default(0),
  /** Which requests. */
  on: z.array(z.enum(kinds)).min(1).default(['submit']),
});
const cancels = rule.omit({ on: true });
const events = cancels;

/** `null` switches a fault off; one that is not named stays as it is. */
export const faultsSchema = z.strictObject({
  /** The connection is cut, and nothing was done. */
  drop_before: rule.nullish(),
  /** It is done, and then the connection is cut. */
  drop_after: rule.nullish(),
  delay_before_ms: rule.nullish(),
  delay_after_ms: rule.nullish(),
  /** 503, and nothing was done. */
  error_5xx_before: rule.nullish(),
  /** It is done, and the answer is 502. */
  error_5xx_after: rule.nullish(),
  /** 429. */
  rate_limited: rule.nullish(),
  /** A cancel is refused. */
  refuse_cancel: cancels.nullish(),
  /** A cancel is answered, and `ms` later there is a fill from before it. */
  late_fill: cancels.nullish(),
  /** An accepted order is not found for `ms`. */
  hidden_for_ms: cancels.nullish(),
  /** Prices are not to be had: 503, or with `empty` answers without any. */
  dead_feed: cancels.extend({ empty: z.boolean().default(false) }).nullish(),
  /** The connection of a user data stream is cut in place of an event. */
  stream_cut: events.nullish(),
  /** An event, and all that come after it, wait for `ms`. */
  stream_delay_ms: events.nullish(),
  /** An event is sent twice. */
  stream_duplicate: events.nullish(),
  /** No event is sent; what is kept back is sent when this is switched off. */
  stream_hold: z.boolean().nullish(),
  /** What is told of the market stops; orders go on. */
  stale_book: z.boolean().nullish(),
  /** How far the venue's clock is ahead. */
  clock_skew_ms: z.int().min(-600_000).max(600_000).nullish(),
});

export type FaultSettings = z.input<typeof faultsSchema>;
type Settings = z.output<typeof faultsSchema>;
type RuleName = Exclude<keyof Settings, 'stale_book' | 'clock_skew_ms' | 'stream_hold'>;
export interface Strike {
  readonly ms: number;
  readonly empty: boolean;
}

export class Faults {
  readonly #random: () => number;
  #settings: Settings = {};

  constructor(seed: number, settings: FaultSettings = {}) {
    this.#random = seededRandom(seed);
    this.change(settings);
  }

  /** Throws a `ZodError` on what is no setting. */
  change(settings: unknown): Settings {
    this.#settings = { ...this.#settings, ...faultsSchema.parse(settings) };
    return this.#settings;
  }

  get settings(): Settings {
    return this.#settings;
  }

  get clock_skew_ms(): number {
    return this.#settings.clock_skew_ms ?? 0;
  }

  get holdsStreams(): boolean {
    return this.#settings.stream_hold ?? false;
  }

  get isStale(): boolean {
    return this.#settings.stale_book ?? false;
  }

  /** Whether the fault strikes this request, or this event of a stream; counts it when it does. */
  strike(name: RuleName, kind: RequestKind | 'event'): Strike | undefined {
    const found = this.#settings[name];
    if (!found || ('on' in found && (kind === 'event' || !found.on.includes(kind)))) return undefined;
    const { next, probability, ms } = found;
    if (next > 0) this.#settings = { ...this.#settings, [name]: { ...found, next: next - 1 } };
    else if (probability === 0 || this.#random() >= probability) return undefined;
    return { ms, empty: 'empty' in found && found.empty };
  }
}
