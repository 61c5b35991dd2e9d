/**
 * The default converter made total. The SDK decodes a signal before its handler runs, and a payload it cannot decode fails the
 * workflow task for ever: one malformed `halt` would wedge the very workflow it was meant to stop. So what cannot be read
 * becomes a marker, and every handler decides what that means.
 */
import { defaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';
import { messageOf } from '../errors';

export interface UnreadablePayload {
  readonly unreadable_payload: string;
}

class TotalPayloadConverter implements PayloadConverter {
  toPayload(value: unknown): Payload {
    return defaultPayloadConverter.toPayload(value);
  }

  // The signature is the SDK's: the caller names the type it expects.
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
  fromPayload<T>(payload: Payload): T {
    try {
      return defaultPayloadConverter.fromPayload<T>(payload);
    } catch (error) {
      const unreadable: UnreadablePayload = { unreadable_payload: messageOf(error) };
      return unreadable as T;
    }
  }
}

/** Under the name the SDK looks for. */
export const payloadConverter = new TotalPayloadConverter();

export function isUnreadable(value: unknown): value is UnreadablePayload {
  return typeof value === 'object' && value !== null && 'unreadable_payload' in value;
}
