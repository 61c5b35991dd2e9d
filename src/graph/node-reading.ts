/**
 * A node as validation and drawing read it: whatever is well-formed of it, so that one malformed key does not hide the
 * mistakes in the others.
 */
import { itemAt } from './item-at';
import type { KindCatalogue, KindDeclaration } from './kinds';
import { guardIdOf } from './names';
import { toPointer } from './pointer';
import { parseControlReference, parseDataReference, referencesInFormula, referencesInTemplate } from './references';

/** The kind that `when` stands for, and its field that takes the formula. */
export const GUARD_KIND = 'if';
export const GUARD_FIELD = 'condition';

export interface NodeReading {
  readonly id: string;
  /** JSON pointer of the node. */
  readonly pointer: string;
  readonly type: string | undefined;
  readonly kind: KindDeclaration | undefined;
  readonly params: ReadonlyMap<string, unknown>;
  /** Values are texts where the graph is well-formed. */
  readonly inputs: ReadonlyMap<string, unknown>;
  /** False when `params` or `inputs` is malformed, so that nobody knows which fields it meant to give. */
  readonly fields_known: boolean;
  readonly after: readonly unknown[];
  readonly when: string | undefined;
  readonly join: 'all' | 'any' | number;
}

export function readNode(id: string, raw: unknown, catalogue: KindCatalogue): NodeReading {
  const node = membersOf(raw);
  const [type, after, when] = [node.get('type'), node.get('after'), node.get('when')];
  const params = node.get('params') ?? {};
  const inputs = node.get('inputs') ?? {};
  return {
    id,
    pointer: toPointer('nodes', id),
    type: typeof type === 'string' ? type : undefined,
    kind: typeof type === 'string' ? catalogue.get(type) : undefined,
    params: membersOf(params),
    inputs: membersOf(inputs),
    fields_known: isMembers(params) && isMembers(inputs),
    after: Array.isArray(after) ? after : [],
    when: typeof when === 'string' && when !== '' ? when : undefined,
    join: joinOf(node.get('join')),
  };
}

function joinOf(join: unknown): NodeReading['join'] {
  return join === 'any' || typeof join === 'number' ? join : 'all';
}

function isMembers(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(isMembers(value) ? Object.entries(value) : []);
}

/** One reference as it is written. `path` is empty for control references. */
export interface Wire {
  /** The node or guard that waits. */
  readonly to: string;
  /** JSON pointer of the text it stands in. */
  readonly pointer: string;
  readonly text: string;
  readonly via: 'input' | 'template' | 'formula' | 'after';
  /** The field it feeds, for `input`. */
  readonly field?: string;
  /** Undefined when the text is not a reference. */
  readonly source: Source | undefined;
}

export interface Source {
  readonly node: string;
  readonly carries: 'data' | 'control';
  /** A control word, a branch, or the name of the output. */
  readonly on: string;
  /** The steps below the output. */
  readonly path: readonly string[];
}

/** Every reference of a node and of its guard, in the order they are written. */
export function wiresOf(node: NodeReading): Wire[] {
  return [...inputWires(node), ...paramWires(node), ...afterWires(node), ...guardWires(node)];
}

function inputWires({ id, pointer, inputs }: NodeReading): Wire[] {
  return [...inputs].flatMap(([field, text]) => {
    if (typeof text !== 'string') return [];
    const place = pointer + toPointer('inputs', field);
    return [{ to: id, pointer: place, text, via: 'input', field, source: dataSource(text) }];
  });
}

/** The kind's formulas are read as such, every other text as a template: the scheduler does the same. */
function paramWires({ id, pointer, params, kind }: NodeReading): Wire[] {
  return [...params].flatMap(([name, value]) => {
    if (typeof value !== 'string') return [];
    const via = kind?.formulas.includes(name) === true ? 'formula' : 'template';
    return dataWires(value, { to: id, pointer: pointer + toPointer('params', name), via });
  });
}

function guardWires({ id, pointer, when }: NodeReading): Wire[] {
  return when === undefined ? [] : dataWires(when, { to: guardIdOf(id), pointer: `${pointer}/when`, via: 'formula' });
}

function dataWires(text: string, at: Pick<Wire, 'to' | 'pointer'> & { via: 'template' | 'formula' }): Wire[] {
  const found = at.via === 'formula' ? referencesInFormula(text) : referencesInTemplate(text);
  return found.map((reference) => ({ ...at, text: reference, source: dataSource(reference) }));
}

function afterWires({ id, pointer, after }: NodeReading): Wire[] {
  return after.flatMap((text, index) => {
    if (typeof text !== 'string') return [];
    const place = pointer + toPointer('after', index);
    return [{ to: id, pointer: place, text, via: 'after', source: controlSource(text) }];
  });
}

function dataSource(text: string): Source | undefined {
  const reference = parseDataReference(text);
  if (reference === undefined) return undefined;
  return { node: reference.node, carries: 'data', on: itemAt(reference.path, 0), path: reference.path.slice(1) };
}

function controlSource(text: string): Source | undefined {
  const reference = parseControlReference(text);
  return reference && { ...reference, carries: 'control', path: [] };
}
