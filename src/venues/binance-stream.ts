/**
 * Hears over the user data stream of Binance spot, or of whoever speaks its dialect, that an order has ended.
 *
 * - U1. It is a word to look, and nothing else: what became of an order is read. Whatever comes late, twice, or not at all changes how soon
 *       somebody looks, and no outcome.
 * - U2. One connection for the account, opened when an order is first watched. One that breaks is opened anew as long as an order is watched,
 *       later each time it fails.
 * - U3. Who is told is told once, on the next end of that order. What happened while nobody was connected is told to nobody.
 */
import { createHmac } from 'node:crypto';
import type { WebSocket } from 'ws' with { 'resolution-mode': 'import' };
import { isObject, type Members } from '../json';
import type { VenueCredentials } from './profile';

/** Where lines about it go. They hold no address, no key and no words of the venue's. */
export interface StreamLog {
  info(fields: Members, line: string): void;
  warn(fields: Members, line: string): void;
}

export interface BinanceStreamOptions {
  readonly profile: string;
  /** Without the path of its WebSocket API; absent: Binance's own address for that. */
  readonly base_url: string | undefined;
  readonly credentials: VenueCredentials;
  /** The venue's time, milliseconds. */
  readonly now: () => number;
  readonly log?: StreamLog | undefined;
  /** Until the first attempt after a break, milliseconds; twice as long after each that fails; default 1,000. */
  readonly retry_ms?: number;
}

const BINANCE_STREAM_URL = 'wss://ws-api.binance.com:443';
const PATH = '/ws-api/v3';
const CONNECT_WITHIN_MS = 5_000;
/** The most the dialect allows: to listen does no harm when it begins late. */
const WINDOW_MS = '60000';
/** The venue asks for a sign of life every twenty seconds, and so do we. */
const PING_EVERY_MS = 20_000;
const SILENT_FOR_MS = 60_000;
const RETRY_MS = 1_000;
const RETRY_MOST_MS = 60_000;
const LARGEST_MESSAGE = 1024 * 1024;
const SUBSCRIBE = 'subscribe';
const ENDED: ReadonlySet<unknown> = new Set(['FILLED', 'CANCELED', 'EXPIRED', 'EXPIRED_IN_MATCH', 'REJECTED']);
/** The venue is about to close the connection. */
const LAST_WORDS: ReadonlySet<unknown> = new Set(['eventStreamTerminated', 'serverShutdown']);

export class BinanceStream {
  readonly #options: BinanceStreamOptions;
  readonly #watchers = new Map<string, Set<() => void>>();
  #socket: WebSocket | undefined;
  /** Set while a connection is awaited or being made. */
  #opening: NodeJS.Timeout | undefined;
  /** Since a subscription was last confirmed. */
  #failures = 0;
  #not_before = 0;
  #isClosed = false;

  constructor(options: BinanceStreamOptions) {
    this.#options = options;
  }

  /** Has `heard` called once, when the venue says that the order has ended, until the function that is returned is called. */
  watch(client_order_id: string, heard: () => void): () => void {
    const watchers = this.#watchers.get(client_order_id) ?? new Set();
    this.#watchers.set(client_order_id, watchers.add(heard));
    this.#open();
    return () => {
      watchers.delete(heard);
      if (watchers.size === 0 && this.#watchers.get(client_order_id) === watchers) {
        this.#watchers.delete(client_order_id);
      }
    };
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#opening);
    this.#watchers.clear();
    this.#socket?.terminate();
  }

  #open(): void {
    const isThere = this.#socket !== undefined || this.#opening !== undefined;
    if (this.#isClosed || isThere || this.#watchers.size === 0) return;
    this.#opening = setTimeout(
      () => {
        this.#connect()
          .catch((error: unknown) => {
            this.#lost(codeOf(error));
          })
          .finally(() => {
            this.#opening = undefined;
            this.#open();
          });
      },
      Math.max(0, this.#not_before - performance.now()),
    ).unref();
  }

  /** The library is loaded when a venue is first listened to. */
  async #connect(): Promise<void> {
    const { WebSocket } = await import('ws');
    if (this.#isClosed) return;
    const address = `${this.#options.base_url?.replace(/^http/, 'ws') ?? BINANCE_STREAM_URL}${PATH}`;
    const limits = { handshakeTimeout: CONNECT_WITHIN_MS, maxPayload: LARGEST_MESSAGE, perMessageDeflate: false };
    const socket = new WebSocket(address, limits);
    this.#socket = socket;
    let why: string | undefined;
    const stopWatch = lifeOf(socket);
    socket.on('open', () => {
      socket.send(this.#subscription());
    });
    socket.on('message', (data) => {
      this.#hear((data as Buffer).toString('utf8'), socket);
    });
    socket.on('error', (error) => (why = codeOf(error)));
    socket.on('close', (code) => {
      stopWatch();
      this.#socket = undefined;
      this.#lost(why ?? `closed (${code})`);
      this.#open();
    });
  }

  /** Signed over its parameters in the order of their names. */
  #subscription(): string {
    const { credentials, now } = this.#options;
    const params = { apiKey: credentials.key.reveal(), recvWindow: WINDOW_MS, timestamp: String(now()) };
    const payload = Object.entries(params)
      .map(([name, value]) => `${name}=${value}`)
      .join('&');
    const signature = createHmac('sha256', credentials.secret.reveal()).update(payload).digest('hex');
    const method = 'userDataStream.subscribe.signature';
    return JSON.stringify({ id: SUBSCRIBE, method, params: { ...params, signature } });
  }

  #hear(text: string, socket: WebSocket): void {
    const message = parsed(text);
    if (message?.['id'] === SUBSCRIBE) this.#answered(message, socket);
    const event = message?.['event'];
    if (!isObject(event)) return;
    if (LAST_WORDS.has(event['e'])) socket.terminate();
    const ended = endedOrder(event);
    if (ended !== undefined) this.#tell(ended);
  }

  #answered({ status, error }: Members, socket: WebSocket): void {
    const { profile: venue, log } = this.#options;
    if (status === 200) {
      this.#failures = 0;
      log?.info({ venue }, 'venue_stream_opened');
      return;
    }
    const code = isObject(error) && Number.isSafeInteger(error['code']) ? String(error['code']) : 'no code';
    log?.warn({ venue, code }, 'venue_stream_refused');
    socket.terminate();
  }

  #tell(client_order_id: string): void {
    const watchers = this.#watchers.get(client_order_id);
    this.#watchers.delete(client_order_id);
    for (const heard of watchers ?? []) heard();
  }

  /** One line for a break, however often it fails to be mended. */
  #lost(why: string): void {
    const { profile: venue, log, retry_ms = RETRY_MS } = this.#options;
    if (this.#failures === 0 && !this.#isClosed) log?.warn({ venue, why }, 'venue_stream_lost');
    this.#not_before = performance.now() + Math.min(RETRY_MOST_MS, retry_ms * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 16);
  }
}

/** Ends a connection over which nothing comes any more. Returns what stops that. */
function lifeOf(socket: WebSocket): () => void {
  const end = setTimeout(() => {
    socket.terminate();
  }, SILENT_FOR_MS).unref();
  const ping = setInterval(() => {
    if (socket.readyState === socket.OPEN) socket.ping();
  }, PING_EVERY_MS).unref();
  for (const sign of ['message', 'ping', 'pong'] as const) socket.on(sign, () => end.refresh());
  return () => {
    clearTimeout(end);
    clearInterval(ping);
  };
}

/** The client order id of the order that this event says has ended. */
function endedOrder({ e, X: status, C: cancelled, c: own }: Members): string | undefined {
  if (e !== 'executionReport' || !ENDED.has(status)) return undefined;
  // A cancel goes by its own id, and names the order's beside it.
  const id = typeof cancelled === 'string' && cancelled !== '' ? cancelled : own;
  return typeof id === 'string' ? id : undefined;
}

function parsed(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The text of an error may name the address. */
function codeOf(error: unknown): string {
  const code = isObject(error) ? error['code'] : undefined;
  return typeof code === 'string' ? code : 'it could not be opened';
}
