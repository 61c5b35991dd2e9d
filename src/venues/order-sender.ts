/**
 * Writes the one request of a permit, so that the last check is made when its bytes are about to be written.
 *
 * What undici 7.30 does (`lib/dispatcher/client.js`, `client-h1.js`): a request waits in its client's queue while the connection is
 * made or busy. When its turn has come, `writeH1` calls the handler's `onRequestStart` and then, in the same turn of the event loop,
 * corks the socket and writes header and body. If `onRequestStart` throws, the request ends with that error and not a byte of it is
 * written. After a connection was lost undici may put a request in the queue that was written before: `onRequestStart` is called
 * again then, and the permit, which is good for one request, throws. Address, headers and body are fixed before `onRequestStart`, so
 * a signed request cannot be made there; it need not be: what it tells the venue is an instant, the end of the permit, and that does
 * not move while it waits.
 */
import { Pool, type Dispatcher } from 'undici';
import { present } from '../json';

/** What the sender needs of a permit. */
export interface UsablePermit {
  readonly isUsed: boolean;
  remainingMs(): number;
  /** The last check. Throws when the order may not go out any more. */
  assertUsable(): void;
  settle(outcome: 'unused'): void;
}

/** What a venue is to accept the order by. The two together are the instant the permit ends at. */
export interface VenueExpiry {
  /** Milliseconds since 1970 on this machine's clock; the caller adds what it knows of the venue's. */
  readonly timestamp: number;
  /** Whole milliseconds after that; at least 1. */
  readonly expires_in_ms: number;
}

export interface OrderHttpRequest {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export type OrderDelivery =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly body: string;
      /** As the venue wrote it. */
      readonly retry_after?: string;
    }
  /** Not a byte was written, so it was certainly not placed; the permit is settled `unused`. */
  | { readonly kind: 'unsent'; readonly error: unknown }
  /** It may have reached the venue. */
  | { readonly kind: 'unknown'; readonly error: unknown };

export interface OrderSenderOptions {
  /** Orders on their way at once; default 8. */
  readonly connections?: number;
  /** From the write until the answer, milliseconds; default 5,000. undici’s clock for this ticks about once a second. */
  readonly answer_within_ms?: number;
}

const CONNECT_WITHIN_MS = 1_000;
const LARGEST_ANSWER = 1024 * 1024;

export class OrderSender {
  readonly #pool: Pool;

  /** `origin`: scheme, host and port. Connections are its own, so that nothing but orders holds up an order. */
  constructor(origin: string, { connections = 8, answer_within_ms = 5_000 }: OrderSenderOptions = {}) {
    this.#pool = new Pool(origin, {
      connections,
      // One request at a time on each connection.
      pipelining: 1,
      allowH2: false,
      connect: { timeout: CONNECT_WITHIN_MS },
      headersTimeout: answer_within_ms,
      bodyTimeout: answer_within_ms,
      maxResponseSize: LARGEST_ANSWER,
    });
  }

  /**
   * `build` makes and signs the request; it is called once, right before the request is queued. Never throws and never sends twice.
   * Settling the permit after `answered` and `unknown` is the caller's part.
   */
  async send(permit: UsablePermit, build: (expiry: VenueExpiry) => OrderHttpRequest): Promise<OrderDelivery> {
    try {
      const { method, path, headers = {}, body } = build(expiryOf(permit));
      const options = { method, path, headers, body: body ?? null, idempotent: false };
      return await new Promise((resolve) => {
        this.#pool.dispatch(options, new OneRequest(permit, resolve));
      });
    } catch (error) {
      return unsent(permit, error);
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

/** The window is cut rather than rounded, so the venue never accepts longer than the permit is good for. */
function expiryOf(permit: UsablePermit): VenueExpiry {
  const expires_in_ms = Math.max(1, Math.floor(permit.remainingMs()) - 1);
  return { timestamp: Date.now(), expires_in_ms };
}

function unsent(permit: UsablePermit, error: unknown): OrderDelivery {
  if (!permit.isUsed) permit.settle('unused');
  return { kind: 'unsent', error };
}

class OneRequest implements Dispatcher.DispatchHandler {
  readonly #permit: UsablePermit;
  readonly #resolve: (delivery: OrderDelivery) => void;
  readonly #chunks: Buffer[] = [];
  #isWritten = false;
  #status = 0;
  #retryAfter: string | undefined;

  constructor(permit: UsablePermit, resolve: (delivery: OrderDelivery) => void) {
    this.#permit = permit;
    this.#resolve = resolve;
  }

  onRequestStart(): void {
    this.#permit.assertUsable();
    this.#isWritten = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    statusCode: number,
    headers: Readonly<Record<string, unknown>>,
  ): void {
    const { 'retry-after': retryAfter } = headers;
    this.#status = statusCode;
    this.#retryAfter = typeof retryAfter === 'string' ? retryAfter : undefined;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const body = Buffer.concat(this.#chunks).toString('utf8');
    this.#resolve({ kind: 'answered', status: this.#status, body, ...present({ retry_after: this.#retryAfter }) });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#resolve(this.#isWritten ? { kind: 'unknown', error } : unsent(this.#permit, error));
  }
}
