/** W3C trace context, carried from the start of an execution to its nodes and events. */

/** What a `traceparent` of version 00 looks like; ids of zeros alone are none. */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The id of the trace; undefined for what is no `traceparent`. */
export function traceIdOf(traceparent: unknown): string | undefined {
  return typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
}

/** The same text where it is a `traceparent`. */
export function asTraceparent(text: unknown): string | undefined {
  return traceIdOf(text) === undefined ? undefined : (text as string);
}
