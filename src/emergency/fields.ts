/** Reads what callers sent, field by field. Each reader throws `HoldfastError` with a code and a sentence that names the field. */
import { HoldfastError, messageOf, type ErrorCode } from '../errors';
import { isObject, type Members } from '../json';
import { decimal, isDecimal } from '../money';

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** An object, and the code its mistakes are refused with. */
export interface Source {
  readonly members: Members;
  readonly code: ErrorCode;
}

/** Begins with a letter or digit, so that no id is `__proto__`. */
const ID = /^[\p{L}\p{N}][^\s\p{C}]{0,199}$/u;
/**
 * Prices and quantities, not negative. With 15 digits after the point each, finer than any venue's tick, their product has 30 and is
 * kept exactly: running totals never drift from their sum.
 */
const AMOUNT = /^(0|[1-9]\d{0,13})(\.\d{1,15})?$/;
/** A price times a quantity. */
const PRODUCT = /^(0|[1-9]\d{0,27})(\.\d{1,30})?$/;
const COUNT = /^(0|[1-9]\d{0,8})$/;
const CURRENCY = /^[A-Z][A-Z0-9]{1,9}$/;
const LONGEST_TEXT = 500;
/** The year 9999, the last that calendars agree on. */
const LAST_INSTANT = 253_402_300_799_999;

export function refuse(code: ErrorCode, message: string): never {
  throw new HoldfastError(code, message);
}

/** What was thrown, as an answer. A defect is refused as `Unexpected` rather than left to wedge the desk. */
export function refusalOf(error: unknown): Refusal {
  return { code: error instanceof HoldfastError ? error.code : 'Unexpected', message: messageOf(error) };
}

export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}

export function sourceOf(value: unknown, what: string, code: ErrorCode): Source {
  return isObject(value) ? { members: value, code } : refuse(code, `${what} must be an object`);
}

export function hasField({ members }: Source, field: string): boolean {
  return members[field] !== undefined;
}

export function readId({ members, code }: Source, field: string): string {
  const value = members[field];
  return isId(value) ? value : refuse(code, `${field} must be a text of 1 to 200 characters without spaces`);
}

export function readOptionalId(source: Source, field: string): string | undefined {
  return hasField(source, field) ? readId(source, field) : undefined;
}

/** Cut at 500 characters; blank is missing. */
export function readText({ members, code }: Source, field: string): string {
  const value = members[field];
  const text = typeof value === 'string' ? value.trim().slice(0, LONGEST_TEXT) : '';
  return text === '' ? refuse(code, `${field} is needed`) : text;
}

export function readOneOf<T extends string>({ members, code }: Source, field: string, values: readonly T[]): T {
  const found = values.find((value) => value === members[field]);
  return found ?? refuse(code, `${field} must be one of ${values.join(', ')}`);
}

export function readFlag({ members, code }: Source, field: string): boolean | undefined {
  const value = members[field];
  if (value === undefined || typeof value === 'boolean') return value;
  return refuse(code, `${field} must be true or false`);
}

/** Milliseconds since 1970. */
export function readInstant({ members, code }: Source, field: string): number {
  const value = members[field];
  if (isSafeInteger(value) && value >= 0 && value <= LAST_INSTANT) return value;
  return refuse(code, `${field} must be milliseconds since 1970`);
}

export function readEpoch({ members, code }: Source, field: string): number {
  const value = members[field];
  return isSafeInteger(value) ? value : refuse(code, `${field} must be a whole number`);
}

function isSafeInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

export function readDecimal({ members, code }: Source, field: string): string {
  const value = members[field];
  return isDecimal(value) ? value : refuse(code, `${field} must be a decimal string such as "10.50"`);
}

/** Zero or more, at most 14 digits before and 15 after the point. */
export function readAmount({ members, code }: Source, field: string): string {
  const value = members[field];
  if (typeof value === 'string' && AMOUNT.test(value)) return value;
  return refuse(code, `${field} must be a decimal string such as "10.50", not negative, with at most 15 decimals`);
}

/** Price · quantity: zero or more, at most 28 digits before and 30 after the point. */
export function readProduct({ members, code }: Source, field: string): string {
  const value = members[field];
  if (typeof value === 'string' && PRODUCT.test(value)) return value;
  return refuse(code, `${field} must be a decimal string such as "10.50", not negative, with at most 30 decimals`);
}

export function readPositive(source: Source, field: string): string {
  const value = readAmount(source, field);
  return decimal(value).gt('0') ? value : refuse(source.code, `${field} must be more than zero`);
}

export function readCount({ members, code }: Source, field: string): string {
  const value = members[field];
  if (typeof value === 'string' && COUNT.test(value)) return value;
  return refuse(code, `${field} must be a whole number as a text, such as "3"`);
}

export function readList({ members, code }: Source, field: string, most: number): readonly unknown[] {
  const value = members[field];
  if (Array.isArray(value) && value.length <= most) return value;
  return refuse(code, `${field} must be a list of at most ${most}`);
}

export function readIds(source: Source, field: string, most: number): readonly string[] {
  const list = readList(source, field, most);
  return list.every(isId) ? list : refuse(source.code, `${field} must be a list of ids`);
}

/** For ids of causes, which carry the names of people. */
export function readTexts(source: Source, field: string, most: number): readonly string[] {
  const list = readList(source, field, most);
  const isText = (value: unknown): value is string => typeof value === 'string';
  return list.every(isText) ? list : refuse(source.code, `${field} must be a list of texts`);
}

export function readCurrency({ members, code }: Source, field: string): string {
  const value = members[field];
  if (typeof value === 'string' && CURRENCY.test(value)) return value;
  return refuse(code, `${field} must be a currency such as USDT`);
}

/** IANA, as far as the JavaScript engine knows it. */
export function readTimeZone({ members, code }: Source, field: string): string {
  const value = members[field];
  try {
    if (typeof value === 'string') return new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone;
  } catch {
    // An unknown name is refused below like any other value.
  }
  return refuse(code, `${field} must be an IANA time zone such as Europe/Berlin`);
}
