/** Reads of a venue: one request, one answer, errors of the catalogue. What it says carries no address: those hold signatures. */
import { Pool } from 'undici';
import { HoldfastError } from '../errors';
import { isObject } from '../json';
import type { VenueAnswer } from './binance-verdict';
import { Silence } from './silence';

export interface HttpReadsOptions {
  readonly profile: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Until the whole answer is there, milliseconds. */
  readonly within_ms: number;
  readonly connections: number;
}

const CONNECT_WITHIN_MS = 2_000;
const LARGEST_ANSWER = 32 * 1024 * 1024;
const SILENCE_MS = 1_000;

export class HttpReads {
  readonly #profile: string;
  readonly #within_ms: number;
  readonly #pool: Pool;
  readonly #silence = new Silence(SILENCE_MS);

  constructor({ profile, origin, within_ms, connections }: HttpReadsOptions) {
    this.#profile = profile;
    this.#within_ms = within_ms;
    this.#pool = new Pool(origin, {
      connections,
      pipelining: 1,
      allowH2: false,
      connect: { timeout: CONNECT_WITHIN_MS },
      maxResponseSize: LARGEST_ANSWER,
    });
  }

  /** Throws `ConnectionError`, `TimeoutError` and, while the venue wants silence, `RateLimited`; every answer is returned. */
  async get(path: string, headers: Readonly<Record<string, string>>): Promise<VenueAnswer> {
    if (this.#silence.isWanted) {
      throw new HoldfastError('RateLimited', `${this.#profile} asked for fewer requests.`, { venue: this.#profile });
    }
    try {
      const response = await this.#pool.request({
        path,
        method: 'GET',
        headers,
        signal: AbortSignal.timeout(this.#within_ms),
      });
      const body = await response.body.text();
      const { 'retry-after': retryAfter } = response.headers;
      this.#silence.heed(response.statusCode, typeof retryAfter === 'string' ? retryAfter : undefined);
      return { status: response.statusCode, body };
    } catch (error) {
      throw transportError(error, this.#profile, this.#within_ms);
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}

const TIMEOUTS: ReadonlySet<unknown> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ETIMEDOUT',
]);

/** What undici threw, as an entry of the catalogue. Its own text is left out: it may name the address. */
export function transportError(error: unknown, profile: string, within_ms: number): HoldfastError {
  const { code, name } = isObject(error) ? error : {};
  const details = { venue: profile, ...(typeof code === 'string' ? { cause: code } : {}) };
  if (name === 'TimeoutError' || TIMEOUTS.has(code)) {
    return new HoldfastError('TimeoutError', `${profile} did not answer within ${within_ms} ms.`, details);
  }
  const why = typeof code === 'string' ? ` (${code})` : '';
  return new HoldfastError(
    'ConnectionError',
    `${profile} could not be reached, or dropped the connection${why}.`,
    details,
  );
}
