/** Who asks, and whether in time. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { wholeNumber } from '../whole-number';
import { refusals } from './refusal';

export interface Account {
  readonly name: string;
  readonly key: string;
  readonly secret: string;
  /** What it starts with, by asset; by default what the profile gives. */
  readonly balances?: Readonly<Record<string, string>>;
}

/** As it came: nothing decoded. */
export interface SignedRequest {
  readonly key: string | undefined;
  readonly query: string;
  readonly body: string;
}

const DEFAULT_WINDOW_MS = 5_000;
const LONGEST_WINDOW_MS = 60_000;
const MOST_AHEAD_MS = 1_000;
const SIGNATURE = /(^|&)signature=([^&]*)/;

/** The account whose secret signed query and body, put together as they came. Throws a `Refusal`. */
export function accountOf({ key, query, body }: SignedRequest, accounts: readonly Account[]): Account {
  const account = accountWith(key, accounts);
  const given = (SIGNATURE.exec(query) ?? SIGNATURE.exec(body))?.[2];
  assertSigned(query.replace(SIGNATURE, '') + body.replace(SIGNATURE, ''), given, account);
  return account;
}

/** The same of a request by WebSocket: the signature is of all other parameters in the order of their names. Throws a `Refusal`. */
export function accountOfParameters(parameters: URLSearchParams, accounts: readonly Account[]): Account {
  const account = accountWith(parameters.get('apiKey') ?? undefined, accounts);
  const signed = [...parameters].filter(([name]) => name !== 'signature').sort(([a], [b]) => (a < b ? -1 : 1));
  const payload = signed.map(([name, value]) => `${name}=${value}`).join('&');
  assertSigned(payload, parameters.get('signature') ?? undefined, account);
  return account;
}

function accountWith(key: string | undefined, accounts: readonly Account[]): Account {
  if (key === undefined || key === '') throw refusals.noKey();
  const account = accounts.find((each) => each.key === key);
  if (account === undefined) throw refusals.badKey();
  return account;
}

function assertSigned(payload: string, given: string | undefined, { secret }: Account): void {
  if (given === undefined) throw refusals.missing('signature');
  const right = createHmac('sha256', secret).update(payload).digest('hex');
  if (!isSame(given.toLowerCase(), right)) throw refusals.badSignature();
}

function isSame(given: string, right: string): boolean {
  return given.length === right.length && timingSafeEqual(Buffer.from(given), Buffer.from(right));
}

/** Until when a request may be accepted, by the venue's clock. */
export interface RequestWindow {
  readonly timestamp: number;
  readonly window_ms: number;
}

/** Throws a `Refusal` when it does not say, or asks for more than there is. */
export function readWindow(parameters: URLSearchParams): RequestWindow {
  const timestamp = parameters.get('timestamp') ?? '';
  if (!/^\d{1,15}$/.test(timestamp)) throw refusals.missing('timestamp');
  const asked = parameters.get('recvWindow') ?? String(DEFAULT_WINDOW_MS);
  if (!/^\d{1,9}(\.\d{1,3})?$/.test(asked)) throw refusals.illegal('recvWindow');
  // Whole milliseconds pass: what is left of one decides only whether the window is too long.
  const [whole = '', part = '0'] = asked.split('.');
  const window_ms = wholeNumber(whole);
  const isLonger = window_ms === LONGEST_WINDOW_MS && wholeNumber(part) > 0;
  if (window_ms > LONGEST_WINDOW_MS || isLonger) throw refusals.badWindow();
  return { timestamp: wholeNumber(timestamp), window_ms };
}

/** The first look, when the whole request has come. Throws a `Refusal`. */
export function assertTimely({ timestamp, window_ms }: RequestWindow, now_ms: number): void {
  if (timestamp >= now_ms + MOST_AHEAD_MS) throw refusals.aheadOfTime();
  assertNotLate({ timestamp, window_ms }, now_ms);
}

/** The second look, right before it is accepted: what waited in between may be too old by now. Throws a `Refusal`. */
export function assertNotLate({ timestamp, window_ms }: RequestWindow, now_ms: number): void {
  if (now_ms - timestamp > window_ms) throw refusals.outsideWindow();
}
