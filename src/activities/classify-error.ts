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

export function classifyError(error: unknown): ClassifiedError {
  if (error instanceof ApplicationFailure) {
    return { type: error.type ?? 'Unexpected', message: error.message, retryable: error.nonRetryable !== true };
  }
  const code = error instanceof HoldfastError ? error.code : codeOf(error);
  return { type: code, message: messageOf(error), retryable: errorCatalogue[code].retryable };
}

function codeOf(error: unknown): ErrorCode {
  if (hasConnectionCode(error)) return 'ConnectionError';
  const status = statusOf(error);
  if (status === 429) return 'RateLimited';
  if (status !== undefined && status >= 500) return 'ServiceError';
  return 'Unexpected';
}

/** `fetch` hides the socket's error as its cause. */
function hasConnectionCode(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? error.code : undefined;
  return (typeof code === 'string' && CONNECTION_CODES.has(code)) || hasConnectionCode(error.cause);
}

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { status, statusCode } = error as { status?: unknown; statusCode?: unknown };
  const found = status ?? statusCode;
  return typeof found === 'number' ? found : undefined;
}
