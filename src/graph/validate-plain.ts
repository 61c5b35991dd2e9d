/** Validation, first phase: is the document plain, bounded JSON data at all? */
import type { Members } from '../json';
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
 * deep, among them values that contain themselves. Counts the bytes of the JSON as it goes, so that it ends before a bomb of shared
 * values goes off; to write the JSON for its length alone takes longer.
 */
export function checkPlain(document: unknown): PlainVerdict {
  const mistakes: Mistake[] = [];
  const todo: Visit[] = [{ value: document, key: undefined, around: undefined, depth: 0 }];
  let bytes = 0;
  for (let visit = todo.pop(); visit !== undefined; visit = todo.pop()) {
    if (visit.depth > MAX_DEPTH) return tooLarge(`The graph is nested deeper than ${MAX_DEPTH} levels.`);
    const wrong = wrongWith(visit);
    if (wrong) mistakes.push(wrong);
    else bytes += bytesIn(visit, todo);
    if (bytes > MAX_BYTES) return tooLarge('The graph is larger than 1 MiB.');
  }
  return { mistakes, unbounded: false };
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
  if (typeof value !== 'object' || value === null) return isLeaf(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  // A prototype without a parent is some realm's Object.prototype.
  return Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
}

type Leaf = string | number | boolean | null;

function isLeaf(value: unknown): value is Leaf {
  return typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value);
}

/** Of a plain value, but for what is inside it and must be visited itself. */
function bytesIn(visit: Visit, todo: Visit[]): number {
  const { value, depth } = visit;
  if (isLeaf(value)) return bytesOfLeaf(value);
  const members = value as Members;
  const keys = Object.keys(members);
  const isList = Array.isArray(value);
  const count = isList ? value.length : keys.length;
  // Brackets, commas, and a `null` for each hole of a list.
  let bytes = 2 + Math.max(0, count - 1) + 4 * (count - keys.length);
  for (const key of keys) {
    const inner = members[key];
    if (!isList) bytes += bytesOfText(key) + 1;
    if (isLeaf(inner) && key !== '__proto__' && depth < MAX_DEPTH) bytes += bytesOfLeaf(inner);
    else todo.push({ value: inner, key, around: visit, depth: depth + 1 });
    if (bytes > MAX_BYTES) break;
  }
  return bytes;
}

function bytesOfLeaf(leaf: Leaf): number {
  return typeof leaf === 'string' ? bytesOfText(leaf) : String(leaf).length;
}

/** What JSON writes as it is: printable ASCII but the quote and the backslash. */
const UNESCAPED = /^[ !#-[\]-~]*$/;

function bytesOfText(text: string): number {
  return UNESCAPED.test(text) ? text.length + 2 : bytesOf(JSON.stringify(text));
}
