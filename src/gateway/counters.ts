/** What the gateway refused, by reason, how many clients it has, how its feed does, and how the desk stands; Prometheus reads it from `/metrics`. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { ErrorCode } from '../errors';
import { DeskMetrics } from './desk-metrics';
import { FeedMetrics } from './feed-metrics';

/** Each is a row of docs/GATEWAY.md. */
export const REFUSAL_REASONS = [
  'host',
  'origin',
  'unauthenticated',
  'token_expired',
  'forbidden',
  'bad_request',
  'unknown_message',
  'binary',
  'malformed',
  'too_large',
  'rate',
  'clients',
  'clients_of_address',
  'slow',
  'event',
] as const;
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

const BY_CODE: Partial<Record<ErrorCode, RefusalReason>> = {
  Unauthenticated: 'unauthenticated',
  TokenExpired: 'token_expired',
  Forbidden: 'forbidden',
  BadRequest: 'bad_request',
  RateLimited: 'rate',
};
const TOO_LARGE = 413;

export class Counters {
  readonly #registry = new Registry();
  readonly feed = new FeedMetrics(this.#registry);
  readonly desk = new DeskMetrics(this.#registry);
  readonly #refusals = new Counter({
    name: 'holdfast_gateway_refusals_total',
    help: 'Connections, messages, requests and events the gateway refused.',
    labelNames: ['reason'],
    registers: [this.#registry],
  });

  constructor() {
    for (const reason of REFUSAL_REASONS) this.#refusals.inc({ reason }, 0);
  }

  refused(reason: RefusalReason): void {
    this.#refusals.inc({ reason });
  }

  /** What the catalogue says no to that is about access or shape; that something does not exist is no refusal. */
  refusedWith(code: ErrorCode, status?: number): void {
    const reason = status === TOO_LARGE ? 'too_large' : BY_CODE[code];
    if (reason !== undefined) this.refused(reason);
  }

  /** `count` is asked each time the metrics are read. */
  watchClients(count: () => number): void {
    new Gauge({
      name: 'holdfast_gateway_clients',
      help: 'Connections of clients that are open.',
      registers: [this.#registry],
      collect() {
        this.set(count());
      },
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    await this.desk.look();
    return this.#registry.metrics();
  }
}
