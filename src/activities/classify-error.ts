/** Anything a node's body throws, as an entry of the catalogue. One question decides: will the same request help again? */
import { ApplicationFailure } from '@temporalio/common';
import { errorCatalogue, HoldfastError, messageOf, type ErrorCode } from '../errors';

export interface ClassifiedError {
  readonly type: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** Codes of Node's sockets and resolver, and of undici, that mean the other side was not reached or went away. */
const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** Characters; a message is kept in the execution's state, in its history and in events, and some carry a whole response. */
const LONGEST_MESSAGE = 1_000;
/** How many causes deep a code is looked for; some errors are their own cause. */
const DEPTH = 5;

export function classifyError(error: unknown): ClassifiedError {
  const message = messageOf(error).slice(0, LONGEST_MESSAGE);
  if (error instanceof ApplicationFailure) {
    return { type: error.type ?? 'Unexpected', message, retryable: error.nonRetryable !== true };
  }
  const code = error instanceof HoldfastError ? error.code : codeOf(error);
  return { type: code, message, retryable: errorCatalogue[code].retryable };
}

function codeOf(error: unknown): ErrorCode {
  if (hasConnectionCode(error, DEPTH)) return 'ConnectionError';
  // What `AbortSignal.timeout` aborts a request with.
  if (error instanceof Error && error.name === 'TimeoutError') return 'TimeoutError';
  const status = statusOf(error);
  if (status === 429) return 'RateLimited';
  if (status !== undefined && status >= 500) return 'ServiceError';
  return 'Unexpected';
}

/** `fetch` hides the socket's error as its cause. */
function hasConnectionCode(error: unknown, depth: number): boolean {
  if (!(error instanceof Error) || depth === 0) return false;
  const code = 'code' in error ? error.code : undefined;
  return (typeof code === 'string' && CONNECTION_CODES.has(code)) || hasConnectionCode(error.cause, depth - 1);
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { status, statusCode } = error as { status?: unknown; statusCode?: unknown };
  const found = status ?? statusCode;
  return typeof found === 'number' ? found : undefined;
}
