/** Validation, first phase: is the document plain, bounded JSON data at all? */
import { MAX_BYTES, MAX_DEPTH, bytesOf } from './limits';
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import { toPointer } from './pointer';

export interface PlainVerdict {
  readonly mistakes: readonly Mistake[];
  /** True when nothing further may walk or print the document. */
  readonly unbounded: boolean;
}

/** A value and how it was come to, as a chain: a path of its own for each of a million would be mostly copying. */
interface Visit {
  readonly value: unknown;
  readonly key: string | undefined;
  readonly around: Visit | undefined;
  readonly depth: number;
}

/**
 * Finds what JSON cannot hold (`NaN`, infinities, dates), keys named `__proto__`, and documents that are too large or too
 * deep, among them values that contain themselves. Visits at most as many values as 1 MiB of JSON can hold.
 */
export function checkPlain(document: unknown): PlainVerdict {
  const mistakes: Mistake[] = [];
  const todo: Visit[] = [{ value: document, key: undefined, around: undefined, depth: 0 }];
  let size = 0;
  for (let visit = todo.pop(); visit !== undefined; visit = todo.pop()) {
    size += sizeOf(visit);
    if (size > MAX_BYTES) return tooLarge('The graph is larger than 1 MiB.');
    if (visit.depth > MAX_DEPTH) return tooLarge(`The graph is nested deeper than ${MAX_DEPTH} levels.`);
    const wrong = wrongWith(visit);
    if (wrong) mistakes.push(wrong);
    else size += addInside(visit, todo);
  }
  if (mistakes.length === 0 && bytesOf(JSON.stringify(document)) > MAX_BYTES) {
    return tooLarge('The graph is larger than 1 MiB.');
  }
  return { mistakes, unbounded: false };
}

/** A lower bound of its share of the JSON, so that the walk ends before a bomb of shared values goes off. */
function sizeOf({ value, key }: Visit): number {
  return 1 + (typeof value === 'string' ? value.length : 0) + (key?.length ?? 0);
}

function tooLarge(message: string): PlainVerdict {
  return { mistakes: [mistake('too_large', '', message)], unbounded: true };
}

function wrongWith(visit: Visit): Mistake | undefined {
  if (visit.key === '__proto__') {
    return mistake('unknown_key', pointerOf(visit), '`__proto__` is not a key of any object here.');
  }
  return isPlain(visit.value) ? undefined : mistake('shape', pointerOf(visit), 'This is not a value JSON can hold.');
}

function pointerOf({ key, around }: Visit): string {
  return around === undefined || key === undefined ? '' : pointerOf(around) + toPointer(key);
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return ['string', 'boolean', 'object'].includes(typeof value);
  const prototype: unknown = Object.getPrototypeOf(value);
  // A prototype without a parent is some realm's Object.prototype.
  return Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Texts and numbers that are fine are not worth a visit: only their size is returned. */
function addInside(visit: Visit, todo: Visit[]): number {
  const { value, depth } = visit;
  let size = 0;
  if (typeof value !== 'object' || value === null) return size;
  for (const key of Object.keys(value)) {
    const inner: unknown = (value as Readonly<Record<string, unknown>>)[key];
    if (typeof inner === 'string' && key !== '__proto__' && depth < MAX_DEPTH) size += 1 + inner.length + key.length;
    else todo.push({ value: inner, key, around: visit, depth: depth + 1 });
  }
  return size;
}
