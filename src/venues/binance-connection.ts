/** The way to one account at Binance, or at whoever speaks its dialect: reads that take turns, reads that do not, and its clock. */
import { HoldfastError } from '../errors';
import { judge, OUTSIDE_WINDOW, type Purpose, type VenueAnswer, type Verdict } from './binance-verdict';
import { BINANCE_URL, CcxtBinance, type ReadName } from './ccxt-binance';
import { HttpReads } from './http-reads';
import type { VenueProfile } from './profile';
import { VenueClock } from './venue-clock';

const ANSWER_WITHIN_MS = 5_000;
/** Waiting for its turn included. */
const READ_WITHIN_MS = 9_000;
const LONGEST_MESSAGE = 300;
const SHOWN = '[secret]';
/** What a venue that repeats a request says of it: an HMAC, or whatever else stands there by that name. */
const SIGNATURES = [/\b[0-9a-f]{64}\b/gi, /(?<=signature["']?\s*(?:[=:]|%3D)\s*["']?)[^\s&"',;]+/gi];
/** Reads that wait, also those nobody waits for any more: ccxt keeps a queue without end, and a long one would delay all that come after. */
const MOST_WAITING = 300;

export class BinanceConnection {
  readonly profile: VenueProfile;
  readonly clock: VenueClock;
  /** Scheme, host and port. */
  readonly origin: string;
  readonly #reads: HttpReads;
  /** For what must not wait behind market data. */
  readonly #urgent: HttpReads;
  #api: CcxtBinance | undefined;
  #waiting = 0;

  constructor(profile: VenueProfile) {
    this.profile = profile;
    this.origin = new URL(profile.base_url ?? BINANCE_URL).origin;
    const { name } = profile;
    const common = { profile: name, origin: this.origin, within_ms: ANSWER_WITHIN_MS };
    this.#reads = new HttpReads({ ...common, connections: 8 });
    this.#urgent = new HttpReads({ ...common, connections: 4 });
    this.clock = new VenueClock({ profile: name, ask: () => this.#serverTime() });
  }

  /** ccxt is loaded when a venue is first used: a worker that never uses one does without its memory. */
  get api(): CcxtBinance {
    this.#api ??= new CcxtBinance({
      ...this.profile,
      now: () => this.clock.now(),
      carry: (path, headers) => this.#reads.get(path, headers),
    });
    return this.#api;
  }

  /** The answer to a read. Throws errors of the catalogue. */
  async read(name: ReadName, params?: Readonly<Record<string, string>>): Promise<unknown> {
    this.clock.keepFresh();
    return this.#valueOf(await this.#inTime(this.#inTurn(name, params)));
  }

  /** The same without waiting for a turn, on connections of its own. */
  async readUrgently(path: string, params: Readonly<Record<string, string>>): Promise<unknown> {
    const request = this.api.unthrottled(path === 'exchangeInfo' ? 'public' : 'private', path, params);
    return this.#valueOf(await this.#urgent.get(request.path, request.headers));
  }

  /** What an answer says, in words that hold no secret and are not a whole page. */
  judge(answer: VenueAnswer, purpose: Purpose): Verdict {
    const verdict = judge(answer, purpose);
    if (verdict.kind === 'yes') return verdict;
    if (verdict.venue_code === OUTSIDE_WINDOW) this.clock.forget();
    // In this order: half a secret is one that is found no more.
    return { ...verdict, message: this.#withoutSecrets(verdict.message).slice(0, LONGEST_MESSAGE) };
  }

  errorOf({ code, message, venue_code }: Exclude<Verdict, { kind: 'yes' }>): HoldfastError {
    const details = { venue: this.profile.name, ...(venue_code === undefined ? {} : { venue_code }) };
    return new HoldfastError(code, `${this.profile.name}: ${message}`, details);
  }

  async close(): Promise<void> {
    this.#api?.release();
    await Promise.all([this.#reads.close(), this.#urgent.close()]);
  }

  #valueOf(answer: VenueAnswer): unknown {
    const verdict = this.judge(answer, 'read');
    if (verdict.kind !== 'yes') throw this.errorOf(verdict);
    return verdict.value;
  }

  /** It asks without waiting for a turn: waiting would count as the way to the venue. */
  async #serverTime(): Promise<number> {
    const { path, headers } = this.api.unthrottled('public', 'time');
    const value = this.#valueOf(await this.#urgent.get(path, headers)) as { readonly serverTime?: unknown };
    if (Number.isSafeInteger(value.serverTime)) return value.serverTime as number;
    throw new HoldfastError('ServiceError', `${this.profile.name} does not say what time it is.`);
  }

  async #inTurn(name: ReadName, params?: Readonly<Record<string, string>>): Promise<VenueAnswer> {
    const { name: venue } = this.profile;
    if (this.#waiting >= MOST_WAITING) {
      throw new HoldfastError('RateLimited', `${venue}: ${MOST_WAITING} reads wait for their turn already.`, { venue });
    }
    this.#waiting += 1;
    try {
      return await this.api.read(name, params);
    } finally {
      this.#waiting -= 1;
    }
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    const { name: venue } = this.profile;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const message = `${venue} was not asked, or did not answer, within ${READ_WITHIN_MS} ms.`;
        reject(new HoldfastError('TimeoutError', message, { venue }));
      }, READ_WITHIN_MS);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #withoutSecrets(text: string): string {
    const { key, secret, password } = this.profile.credentials ?? {};
    const unsigned = SIGNATURES.reduce((cut, signature) => cut.replace(signature, SHOWN), text);
    return [key, secret, password].reduce((cut, word) => word?.cutFrom(cut) ?? cut, unsigned);
  }
}
