/** Reads values out of a history: total, for anybody may have signalled anything. */
import { defaultPayloadConverter } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { isObject } from '../json';
import { isWholeNumber, wholeNumber } from '../whole-number';

export interface FailureWords {
  readonly error: string;
  readonly error_type: string;
}

/** Characters of what somebody wrote. */
const LONGEST = 500;
const SECOND_MS = 1_000;
const NANOS_PER_MS = 1_000_000;

/** What a payload holds; undefined for none and for one that cannot be read. */
export function decoded(payload: temporal.api.common.v1.IPayload | null | undefined): unknown {
  if (payload == null) return undefined;
  try {
    return defaultPayloadConverter.fromPayload<unknown>(payload);
  } catch {
    return undefined;
  }
}

/** Milliseconds since 1970, of a timestamp as the protocol or a marker's JSON has it; NaN for anything else. */
export function msOf(time: unknown): number {
  if (!isObject(time)) return Number.NaN;
  const { seconds, nanos } = time;
  // A number, or one of the protocol's own kind of long ones, which reads the same.
  const whole = `${(seconds ?? 0) as number}`;
  if (!isWholeNumber(whole)) return Number.NaN;
  return wholeNumber(whole) * SECOND_MS + (typeof nanos === 'number' ? Math.floor(nanos / NANOS_PER_MS) : 0);
}

export function instant(ms: number | undefined): string | undefined {
  return ms === undefined || Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

export function failureWords({
  message,
  applicationFailureInfo,
  timeoutFailureInfo,
}: temporal.api.failure.v1.IFailure): FailureWords {
  const error_type = applicationFailureInfo?.type ?? (timeoutFailureInfo == null ? 'Unexpected' : 'TimeoutError');
  return { error: (message ?? '').slice(0, LONGEST), error_type };
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, LONGEST) : undefined;
}

export function numberIn(value: unknown, name: string): number | undefined {
  const found = isObject(value) ? value[name] : undefined;
  return typeof found === 'number' ? found : undefined;
}

/** Of something somebody sent, the texts under these names. */
export function textsIn<N extends string>(value: unknown, names: readonly N[]): { readonly [K in N]?: string } {
  if (!isObject(value)) return {};
  const found = names.flatMap((name) => {
    const text = textOf(value[name]);
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(found) as { readonly [K in N]?: string };
}
