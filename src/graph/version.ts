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
  const writer = new Writer();
  writer.add(value);
  return writer.text;
}

type Before = '{' | ',';

/** Appends to one text, name by name: joined from texts of texts, its pieces are gathered once more by who hashes it. */
class Writer {
  text = '';
  /** As they stand between two values, or before the first: few names are on most of the members. */
  readonly #names = { '{': new Map<string, string>(), ',': new Map<string, string>() };

  add(value: unknown): void {
    if (typeof value === 'string') this.text += quoted(value);
    else if (Array.isArray(value)) this.#addList(value);
    else if (isObject(value)) this.#addMembers(value);
    else this.text += value === undefined ? 'null' : JSON.stringify(value);
  }

  #addList(items: readonly unknown[]): void {
    this.text += '[';
    items.forEach((item, at) => {
      if (at > 0) this.text += ',';
      this.add(item);
    });
    this.text += ']';
  }

  #addMembers(members: Members): void {
    let before: Before = '{';
    for (const key of inOrder(Object.keys(members))) {
      const member = members[key];
      if (member === undefined) continue;
      this.text += this.#name(before, key);
      this.add(member);
      before = ',';
    }
    this.text += before === '{' ? '{}' : '}';
  }

  #name(before: Before, key: string): string {
    const names = this.#names[before];
    const known = names.get(key);
    if (known !== undefined) return known;
    const name = `${before}${quoted(key)}:`;
    names.set(key, name);
    return name;
  }
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
