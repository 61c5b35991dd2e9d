/**
 * What an answer in Binance's dialect says of the request it answers. Pure.
 *
 * Binance documents: 4xx is a mistake of the sender, 403 and 429 and 418 are refused before anything else happens, 5xx has an unknown end.
 * Codes are looked up by name here; one that is not listed says neither yes nor no. ccxt's classes are too wide for this: an order that is
 * there already and one the filters refuse are both its `InvalidOrder`.
 */
import type { ErrorCode } from '../errors';
import { isObject } from '../json';

export interface VenueAnswer {
  readonly status: number;
  readonly body: string;
}

export type Verdict =
  | { readonly kind: 'yes'; readonly value: unknown }
  /** What was asked for was certainly not done. */
  | { readonly kind: 'no'; readonly code: ErrorCode; readonly message: string; readonly venue_code?: number }
  /** It may have been done. */
  | { readonly kind: 'unclear'; readonly code: ErrorCode; readonly message: string; readonly venue_code?: number };

export type Purpose = 'order' | 'read';

export const NO_SUCH_ORDER = -2013;
export const CANCEL_REFUSED = -2011;
export const OUTSIDE_WINDOW = -1021;
const NEW_ORDER_REFUSED = -2010;
const BAD_SYMBOL = -1121;

/** Of the web application firewall, of a limit, of the ban that follows when it is ignored. */
const SLOW_DOWN: ReadonlySet<number> = new Set([403, 418, 429]);
/** No access from here at all. */
const NO_ACCESS: ReadonlySet<number> = new Set([401, 451]);

const REFUSALS: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [-1002, 'VenueRefused'], // unauthorised
  [-1003, 'RateLimited'], // too many requests
  [-1013, 'OrderRejected'], // a filter, or an amount that is none
  [-1014, 'OrderRejected'], // unsupported combination
  [-1015, 'RateLimited'], // too many orders
  [-1020, 'OrderRejected'], // unsupported operation
  [OUTSIDE_WINDOW, 'OrderRejected'],
  [-1022, 'VenueRefused'], // signature
  [-1034, 'RateLimited'], // too many connections
  [NEW_ORDER_REFUSED, 'OrderRejected'],
  [CANCEL_REFUSED, 'OrderRejected'],
  [NO_SUCH_ORDER, 'OrderRejected'],
  [-2014, 'VenueRefused'], // form of the key
  [-2015, 'VenueRefused'], // key, address or permission
]);

/** Where the same code means another thing to a reader than to somebody who orders. */
const OF_READS: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  // The clocks are compared anew, and then it works.
  [OUTSIDE_WINDOW, 'ServiceError'],
  [BAD_SYMBOL, 'DataUnavailable'],
]);

export function judge(answer: VenueAnswer, purpose: Purpose): Verdict {
  const { status, body } = answer;
  const value = parsed(body);
  const { venue_code, message = `HTTP ${status}` } = complaintOf(value);
  if (SLOW_DOWN.has(status)) return { kind: 'no', code: 'RateLimited', message };
  if (status >= 500) return { kind: 'unclear', code: 'ServiceError', message };
  if (venue_code !== undefined && venue_code < 0) return byCode(venue_code, message, purpose);
  if (NO_ACCESS.has(status)) return { kind: 'no', code: 'VenueRefused', message };
  if (status >= 200 && status < 300 && isStructured(value)) return { kind: 'yes', value };
  return { kind: 'unclear', code: 'ServiceError', message: `HTTP ${status} with an answer that cannot be read` };
}

function byCode(venue_code: number, message: string, purpose: Purpose): Verdict {
  const code = refusalOf(venue_code, message);
  if (code === undefined) return { kind: 'unclear', code: 'ServiceError', message, venue_code };
  if (purpose === 'order') return { kind: 'no', code, message, venue_code };
  const read = OF_READS.get(venue_code) ?? (code === 'OrderRejected' ? 'VenueRefused' : code);
  return { kind: 'no', code: read, message, venue_code };
}

/** Undefined where the code is not known to mean that nothing was done. */
function refusalOf(venue_code: number, message: string): ErrorCode | undefined {
  if (venue_code === NEW_ORDER_REFUSED) {
    // An order of this client id is there: it is looked up, not taken for refused.
    if (/duplicate/i.test(message)) return undefined;
    return /insufficient balance/i.test(message) ? 'InsufficientFunds' : 'OrderRejected';
  }
  // All of -1100 to -1199 are mistakes in what was sent.
  return REFUSALS.get(venue_code) ?? (venue_code <= -1100 && venue_code > -1200 ? 'OrderRejected' : undefined);
}

function isStructured(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function complaintOf(value: unknown): { readonly venue_code?: number; readonly message?: string } {
  if (!isObject(value)) return {};
  const { code, msg } = value;
  return {
    ...(typeof code === 'number' ? { venue_code: code } : {}),
    ...(typeof msg === 'string' ? { message: msg } : {}),
  };
}
