/** The version of a graph: a hash of what it means. */
import { isObject } from '../json';
import type { Graph } from './schema';

/** Hex SHA-256 of a text in UTF-8. An argument, because this room has no Node built-ins and Web Crypto only answers later. */
export type Sha256 = (text: string) => string;

const DIGITS = 12;

/** 12 hex digits, the same for every order of keys and without regard to `ui` and `$schema`, which change nothing that runs. */
export function graphVersion(graph: Graph, sha256: Sha256): string {
  const meaning = Object.entries(graph).filter(([key]) => key !== 'ui' && key !== '$schema');
  return sha256(canonicalJson(Object.fromEntries(meaning))).slice(0, DIGITS);
}

/** JSON with the keys of every object in code unit order. The value must be bounded plain data. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (isObject(inner) ? sorted(inner) : inner));
}

function sorted(value: object): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
