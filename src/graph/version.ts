/** The version of a graph: a hash of what it means. */
import { type Members, isObject } from '../json';
import type { Graph } from './schema';

/** Hex SHA-256 of a text in UTF-8. An argument, because this room has no Node built-ins and Web Crypto only answers later. */
export type Sha256 = (text: string) => string;

const DIGITS = 12;

/** 12 hex digits, the same for every order of keys and without regard to `ui` and `$schema`, which change nothing that runs. */
export function graphVersion(graph: Graph, sha256: Sha256): string {
  const meaning = Object.entries(graph).filter(([key]) => key !== 'ui' && key !== '$schema');
  return sha256(canonicalJson(Object.fromEntries(meaning))).slice(0, DIGITS);
}

/** JSON with the keys of every object in code unit order, whole numbers before them. The value must be bounded plain data. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  return isObject(value) ? `{${membersOf(value).join(',')}}` : value === undefined ? 'null' : JSON.stringify(value);
}

/** Written out instead of sorted into new objects for `JSON.stringify`, which takes four times as long. */
function membersOf(value: Members): string[] {
  return inOrder(Object.keys(value))
    .filter((key) => value[key] !== undefined)
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
}

/** JavaScript itself lists whole numbers first, and in their order. */
function inOrder(keys: string[]): string[] {
  const first = keys.findIndex((key) => !isIndex(key));
  return first < 1 ? keys.sort() : [...keys.slice(0, first), ...keys.slice(first).sort()];
}

/** As of an array, whose last one is 2³² − 2. */
function isIndex(key: string): boolean {
  return /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) < 2 ** 32 - 1;
}
