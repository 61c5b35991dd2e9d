/** The version of a graph: a hash of what it means. */
import { type Members, isObject } from '../json';
import { itemAt } from './item-at';
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
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  return isObject(value) ? `{${membersOf(value)}}` : value === undefined ? 'null' : JSON.stringify(value);
}

/** Written out instead of sorted into new objects for `JSON.stringify`, which takes four times as long. */
function membersOf(value: Members): string {
  let text = '';
  for (const key of inOrder(Object.keys(value))) {
    const member = value[key];
    if (member !== undefined) text += `${text === '' ? '' : ','}${quoted(key)}:${canonicalJson(member)}`;
  }
  return text;
}

/** Printable ASCII but the quote and the backslash: JSON has it as it is. */
const UNESCAPED = /^[ !#-[\]-~]*$/;

/** Nearly every text of a graph is plain, and a call of `JSON.stringify` for each takes three times as long as a look at it. */
function quoted(text: string): string {
  return UNESCAPED.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** JavaScript itself lists whole numbers first, and in their order. Sorts in place. */
function inOrder(keys: string[]): string[] {
  let first = 0;
  while (first < keys.length && isIndex(itemAt(keys, first))) first += 1;
  if (first > 0) return [...keys.slice(0, first), ...keys.slice(first).sort()];
  return keys.length > FEW ? keys.sort() : insertionSorted(keys);
}

/** Beyond these the engine's own sort is the faster one. */
const FEW = 16;

/** 10,000 nodes have 30,000 short lists of keys. */
function insertionSorted(keys: string[]): string[] {
  for (let next = 1; next < keys.length; next += 1) {
    const key = itemAt(keys, next);
    let at = next;
    for (; at > 0 && itemAt(keys, at - 1) > key; at -= 1) keys[at] = itemAt(keys, at - 1);
    keys[at] = key;
  }
  return keys;
}

const ZERO = 48;
const NINE = 57;

/** As of an array, whose last one is 2³² − 2. */
function isIndex(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= ZERO && first <= NINE && /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) < 2 ** 32 - 1;
}
