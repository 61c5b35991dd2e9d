/** Errors of the catalogue, as they are thrown. */
import { errorCatalogue, type ErrorEntry } from './error-catalogue';

export { errorCatalogue, type ErrorEntry } from './error-catalogue';

export type ErrorCode = keyof typeof errorCatalogue;

/** An error of the catalogue: `code` names the entry, `details` carries its fields as JSON. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }

  get entry(): ErrorEntry {
    return errorCatalogue[this.code];
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCatalogue, value);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Ends an exhaustive `switch`; reaching it is a defect. */
export function unreachable(value: never): never {
  throw new HoldfastError('Unexpected', `unreachable case: ${JSON.stringify(value)}`);
}

/** With a full stop, and a capital unless it begins with a name. */
export function asSentence(text: string): string {
  const head = /^[a-z]+[\s,.!?]/.test(text) ? text.charAt(0).toUpperCase() : text.charAt(0);
  return `${head}${text.slice(1)}${/[.!?…]$/.test(text) ? '' : '.'}`;
}
