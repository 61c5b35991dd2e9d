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

interface Visit {
  readonly value: unknown;
  readonly steps: readonly string[];
}

/**
 * Finds what JSON cannot hold (`NaN`, infinities, dates), keys named `__proto__`, and documents that are too large or too
 * deep, among them values that contain themselves. Visits at most as many values as 1 MiB of JSON can hold.
 */
export function checkPlain(document: unknown): PlainVerdict {
  const mistakes: Mistake[] = [];
  const todo: Visit[] = [{ value: document, steps: [] }];
  let size = 0;
  for (let visit = todo.pop(); visit !== undefined; visit = todo.pop()) {
    const { steps } = visit;
    size += sizeOf(visit);
    if (size > MAX_BYTES) return tooLarge('The graph is larger than 1 MiB.');
    if (steps.length > MAX_DEPTH) return tooLarge(`The graph is nested deeper than ${MAX_DEPTH} levels.`);
    const wrong = wrongWith(visit);
    if (wrong) mistakes.push(wrong);
    else for (const inner of insideOf(visit)) todo.push(inner);
  }
  if (mistakes.length === 0 && bytesOf(JSON.stringify(document)) > MAX_BYTES) {
    return tooLarge('The graph is larger than 1 MiB.');
  }
  return { mistakes, unbounded: false };
}

/** A lower bound of its share of the JSON, so that the walk ends before a bomb of shared values goes off. */
function sizeOf({ value, steps }: Visit): number {
  return 1 + (typeof value === 'string' ? value.length : 0) + (steps.at(-1)?.length ?? 0);
}

function tooLarge(message: string): PlainVerdict {
  return { mistakes: [mistake('too_large', '', message)], unbounded: true };
}

function wrongWith({ value, steps }: Visit): Mistake | undefined {
  if (steps.at(-1) === '__proto__')
    return mistake('unknown_key', toPointer(...steps), '`__proto__` is not a key of any object here.');
  return isPlain(value) ? undefined : mistake('shape', toPointer(...steps), 'This is not a value JSON can hold.');
}

function isPlain(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return ['string', 'boolean', 'object'].includes(typeof value);
  const prototype: unknown = Object.getPrototypeOf(value);
  // A prototype without a parent is some realm's Object.prototype.
  return Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
}

function insideOf({ value, steps }: Visit): Visit[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).map(([key, inner]) => ({ value: inner as unknown, steps: [...steps, key] }));
}
