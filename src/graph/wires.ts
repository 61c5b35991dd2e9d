/** The references of a graph as they are written. */
import type { BodyReading } from './body-reading';
import { itemAt } from './item-at';
import { guardIdOf, LOOP_GUARD } from './names';
import type { NodeReading } from './node-reading';
import { toPointer } from './pointer';
import { parseControlReference, parseDataReference, referencesInFormula, referencesInTemplate } from './references';

/** One reference. */
export interface Wire {
  /** The node or guard that waits; nobody does for `outputs`. */
  readonly to: string | undefined;
  /** Where it stands, see `placeOf`: not a pointer yet, since few of 10,000 are ever asked for theirs. */
  readonly base: string;
  readonly key: string;
  readonly part: string | number | undefined;
  readonly text: string;
  readonly via: 'input' | 'template' | 'formula' | 'after' | 'output';
  /** The node whose field it feeds, for `input`; the field is `part`. */
  readonly node: NodeReading | undefined;
  /** Undefined when the text is not a reference. */
  readonly source: Source | undefined;
}

/** JSON pointer of the text a reference stands in. */
export function placeOf({ base, key, part }: Wire): string {
  return base + (part === undefined ? toPointer(key) : toPointer(key, part));
}

export interface Source {
  readonly node: string;
  readonly carries: 'data' | 'control';
  /** A control word, a branch, or the name of the output. */
  readonly on: string;
  /** The steps below the output; empty for control references. */
  readonly path: readonly string[];
}

/** Every reference in a body but those in the bodies inside it, in the order they are written. */
export function wiresOf(body: BodyReading): Wire[] {
  const wires: Wire[] = [];
  for (const node of body.nodes.values()) addWiresOf(node, wires);
  const { owner } = body;
  if (body.kind === 'repeat' && owner?.goes_on !== undefined) {
    addFormula(wires, owner.goes_on, { to: LOOP_GUARD, base: owner.pointer, key: 'while', part: undefined });
  }
  for (const [part, text] of Object.entries(body.outputs)) {
    if (typeof text !== 'string') continue;
    const source = dataSource(text);
    wires.push({
      to: undefined,
      base: body.pointer,
      key: 'outputs',
      part,
      text,
      via: 'output',
      node: undefined,
      source,
    });
  }
  return wires;
}

/** Those of a node and of its guard. */
function addWiresOf(node: NodeReading, wires: Wire[]): void {
  const { id: to, pointer: base, inputs, after, when } = node;
  for (const part of Object.keys(inputs)) {
    const text = inputs[part];
    if (typeof text !== 'string') continue;
    wires.push({ to, base, key: 'inputs', part, text, via: 'input', node, source: dataSource(text) });
  }
  addParamWires(node, wires);
  for (let part = 0; part < after.length; part += 1) {
    const text = after[part];
    if (typeof text !== 'string') continue;
    wires.push({ to, base, key: 'after', part, text, via: 'after', node: undefined, source: controlSource(text) });
  }
  if (when !== undefined) addFormula(wires, when, { to: guardIdOf(to), base, key: 'when', part: undefined });
}

/** The kind's formulas are read as such, every other text as a template: the scheduler does the same. */
function addParamWires({ id: to, pointer: base, params, kind }: NodeReading, wires: Wire[]): void {
  for (const part of Object.keys(params)) {
    const value = params[part];
    if (typeof value !== 'string') continue;
    const at = { to, base, key: 'params', part };
    if (kind?.formulas.includes(part) === true) addFormula(wires, value, at);
    else if (value.includes('{{')) addTemplate(wires, value, at);
  }
}

type At = Pick<Wire, 'to' | 'base' | 'key' | 'part'>;

function addFormula(wires: Wire[], formula: string, at: At): void {
  for (const text of referencesInFormula(formula)) {
    wires.push({ ...at, text, via: 'formula', node: undefined, source: dataSource(text) });
  }
}

function addTemplate(wires: Wire[], template: string, at: At): void {
  for (const text of referencesInTemplate(template)) {
    wires.push({ ...at, text, via: 'template', node: undefined, source: dataSource(text) });
  }
}

const NO_STEPS: readonly string[] = [];

function dataSource(text: string): Source | undefined {
  const reference = parseDataReference(text);
  if (reference === undefined) return undefined;
  const { node, path } = reference;
  return { node, carries: 'data', on: itemAt(path, 0), path: path.length === 1 ? NO_STEPS : path.slice(1) };
}

function controlSource(text: string): Source | undefined {
  const reference = parseControlReference(text);
  return reference && { node: reference.node, carries: 'control', on: reference.on, path: NO_STEPS };
}
