/**
 * Large values by reference: what stands in an execution's state for a value that is kept in the blob store.
 *
 * B1. A marker is `{"$blob": …}`, and one that was stepped into carries the `path` that is left. A text whose `{{references}}`
 *     must be filled in where the values can be read is `{"$template": …, "values": …}`.
 * B2. Only Holdfast makes them. Whatever else enters an execution (literals, start inputs, payloads of messages, what a kind
 *     gave) goes through `escapeReserved` first: its own keys `$blob` and `$template` get one more `$`, so no data of an author
 *     or of a stranger's server is ever taken for a marker, and `fillBlobs` gives it back as it was. No reference can name
 *     such a key, so the escape is seen in events and in the status alone.
 * B3. What a marker stands for is plain data: it is never searched for markers.
 */
import { fillTemplate } from './references';

/** Names a stored value: a text of JSON. */
export interface BlobRef {
  /** SHA-256 of the text, in hex. */
  readonly ref: string;
  /** Of the text, in UTF-8. */
  readonly bytes: number;
  readonly sha256: string;
  /** Of lists alone: how many items. */
  readonly length?: number;
}

export interface BlobMarker {
  readonly $blob: BlobRef;
  /** Where in the stored value; absent means all of it. */
  readonly path?: readonly string[];
}

export interface BlobTemplate {
  readonly $template: string;
  /** By reference, as written between the braces; may hold markers. */
  readonly values: Readonly<Record<string, unknown>>;
}

const HASH = /^[0-9a-f]{64}$/;
const RESERVED = /^\$+(?:blob|template)$/;
const ESCAPED = /^\$\$+(?:blob|template)$/;

export function isBlob(value: unknown): value is BlobMarker {
  if (!isRecord(value) || !isRecord(value['$blob'])) return false;
  const { ref, bytes, sha256, length = 0 } = value['$blob'];
  return [ref, sha256].every(isHash) && [bytes, length].every(Number.isSafeInteger) && isPath(value['path'] ?? []);
}

export function isBlobTemplate(value: unknown): value is BlobTemplate {
  return isRecord(value) && typeof value['$template'] === 'string' && isRecord(value['values']);
}

/**
 * Like `valueAt`, but a marker on the way ends it: the result is that marker with the steps that are left. The `length` of a
 * stored list is known without reading it.
 */
export function stepInto(value: unknown, path: readonly string[]): unknown {
  let current = value;
  for (const [at, step] of path.entries()) {
    if (isBlob(current)) return deeper(current, path.slice(at));
    if (!isRecord(current) || !Object.hasOwn(current, step)) return undefined;
    current = current[step];
  }
  return current;
}

function deeper({ $blob, path = [] }: BlobMarker, steps: readonly string[]): unknown {
  if (path.length > 0 || steps[0] !== 'length' || $blob.length === undefined) {
    return { $blob, path: [...path, ...steps] } satisfies BlobMarker;
  }
  return steps.length === 1 ? $blob.length : undefined;
}

/** True when a value means something else than it says: it must go through `fillBlobs` before a person or a kind reads it. */
export function holdsBlob(value: unknown): boolean {
  if (!isRecord(value)) return false;
  return isBlob(value) || Object.entries(value).some(([key, inner]) => RESERVED.test(key) || holdsBlob(inner));
}

/** All markers in a value, at any depth, in templates too. */
export function blobsIn(value: unknown): BlobMarker[] {
  if (isBlob(value)) return [value];
  return isRecord(value) ? Object.values(value).flatMap(blobsIn) : [];
}

/**
 * The value as it was meant: each marker replaced by what `valueOf` gives for it, templates filled in, escapes undone. As in
 * JSON, a member without a value is left out and an item without one is null.
 */
export function fillBlobs(value: unknown, valueOf: (marker: BlobMarker) => unknown): unknown {
  if (isBlob(value)) return valueOf(value);
  if (isBlobTemplate(value)) return fillBlobTemplate(value, valueOf);
  if (Array.isArray(value)) return value.map((item) => fillBlobs(item, valueOf) ?? null);
  if (!isRecord(value)) return value;
  const members = Object.entries(value).map(([key, inner]) => [unescapeKey(key), fillBlobs(inner, valueOf)] as const);
  return Object.fromEntries(members.filter(([, inner]) => inner !== undefined));
}

function fillBlobTemplate({ $template, values }: BlobTemplate, valueOf: (marker: BlobMarker) => unknown): string {
  return fillTemplate($template, (reference) =>
    Object.hasOwn(values, reference) ? fillBlobs(values[reference], valueOf) : undefined,
  );
}

/** See B2. `value` is JSON. */
export function escapeReserved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(escapeReserved);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [escapeKey(key), escapeReserved(inner)]));
}

function escapeKey(key: string): string {
  return RESERVED.test(key) ? `$${key}` : key;
}

function unescapeKey(key: string): string {
  return ESCAPED.test(key) ? key.slice(1) : key;
}

/** An object or a list. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && HASH.test(value);
}

function isPath(value: unknown): boolean {
  return Array.isArray(value) && value.every((step) => typeof step === 'string');
}
