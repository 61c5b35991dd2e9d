/**
 * A node as validation and drawing read it: whatever is well-formed of it, so that one malformed key does not hide the
 * mistakes in the others.
 */
import { type Members, isObject } from '../json';
import type { KindCatalogue, KindDeclaration } from './kinds';

/** The kind that `when` and `while` stand for, and its field that takes the formula. */
export const GUARD_KIND = 'if';
export const GUARD_FIELD = 'condition';

export interface NodeReading {
  readonly id: string;
  /** JSON pointer of the node. */
  readonly pointer: string;
  readonly type: string | undefined;
  readonly kind: KindDeclaration | undefined;
  /** Every key of the node, well-formed or not. */
  readonly raw: Members;
  readonly params: Members;
  /** Values are texts where the graph is well-formed. */
  readonly inputs: Members;
  /** False when `params` or `inputs` is malformed, so that nobody knows which fields it meant to give. */
  readonly fields_known: boolean;
  readonly after: readonly unknown[];
  readonly when: string | undefined;
  /** Of `repeat`. */
  readonly goes_on: string | undefined;
  readonly join: 'all' | 'any' | number;
}

const NOTHING: Members = Object.freeze({});
const NO_TEXTS: readonly unknown[] = Object.freeze([]);

export function readNode(id: string, raw: unknown, catalogue: KindCatalogue, pointer: string): NodeReading {
  const node = objectOf(raw);
  const { type, after, params = NOTHING, inputs = NOTHING } = node;
  return {
    id,
    pointer,
    type: typeof type === 'string' ? type : undefined,
    kind: typeof type === 'string' ? catalogue.get(type) : undefined,
    raw: node,
    params: objectOf(params),
    inputs: objectOf(inputs),
    fields_known: isObject(params) && isObject(inputs),
    after: Array.isArray(after) ? after : NO_TEXTS,
    when: formulaOf(node['when']),
    goes_on: formulaOf(node['while']),
    join: joinOf(node['join']),
  };
}

function formulaOf(text: unknown): string | undefined {
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function joinOf(join: unknown): NodeReading['join'] {
  return join === 'any' || typeof join === 'number' ? join : 'all';
}

/** The object, or an empty one where it is none. */
export function objectOf(value: unknown): Members {
  return isObject(value) ? value : NOTHING;
}

export function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(objectOf(value)));
}

/** Never a member of the prototype, such as `constructor`. */
export function own<T>(members: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}
