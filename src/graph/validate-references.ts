/** Validation, fourth phase: does every reference lead to something that exists, can be seen from there, and fits? */
import { bodyWith, idsSeenFrom, type BodyReading } from './body-reading';
import type { KindDeclaration } from './kinds';
import type { Mistake } from './mistake';
import { own } from './node-reading';
import type { NodeReading } from './node-reading';
import { valueAt } from './references';
import { fieldOf, isFilledIn, sentence } from './validate-fields';
import {
  has,
  inputType,
  itemType,
  listed,
  mistakeAt,
  noPart,
  prefixed,
  type Found,
  type Names,
} from './validate-scope';
import { fits, typeAt } from './value-types';
import type { ValueType } from './value-types';
import { branchesOf } from './wiring';
import type { Source, Wire } from './wires';

const CONTROL_WORDS: readonly string[] = ['success', 'error', 'finished'];

/** Adds what is wrong with one reference of a body. */
export function checkWire(wire: Wire, body: BodyReading, names: Names, found: Mistake[]): void {
  const { source } = wire;
  if (source === undefined) {
    found.push(malformed(wire, body));
    return;
  }
  const wrong =
    source.carries === 'control' ? checkControl(wire, source, body, names) : checkData(wire, source, body, names);
  if (wrong !== undefined) found.push(wrong);
}

function malformed(wire: Wire, body: BodyReading): Mistake {
  const { text, via } = wire;
  const form = via === 'after' ? 'node, node.success, node.error, node.finished or node.branch' : 'node.output';
  const code = via === 'output' ? 'bad_output' : 'bad_reference';
  const near = via === 'after' ? undefined : singleOutput(text, body);
  return mistakeAt(wire, code, `\`${text}\` is not a reference of the form ${form}.`, near);
}

/** A node named without its output, when it has only one. */
function singleOutput(text: string, body: BodyReading): string | undefined {
  const [output, ...more] = Object.keys(bodyWith(text, body)?.nodes.get(text)?.kind?.outputs ?? {});
  return output === undefined || more.length > 0 ? undefined : `${text}.${output}`;
}

function checkControl(wire: Wire, { node, on }: Source, body: BodyReading, names: Names): Mistake | undefined {
  const from = body.nodes.get(node);
  if (from === undefined) return absent(wire, { id: node, carries: 'control' }, body, names);
  if (from.kind === undefined) return undefined;
  const branches = branchesOf(from);
  if (CONTROL_WORDS.includes(on) || branches.includes(on)) return undefined;
  const known = [...branches, ...CONTROL_WORDS];
  const message = `\`${node}\` (${from.kind.type}) cannot end with \`${on}\`; it can with ${listed(known)}.`;
  return mistakeAt(wire, 'unknown_output', message, prefixed(node, names.suggest(on, known)));
}

function checkData(wire: Wire, source: Source, body: BodyReading, names: Names): Mistake | undefined {
  const { node, on, path } = source;
  if (node === 'input') return checkType(wire, inputType(wire, source, body, names));
  if (node === 'item') return checkType(wire, itemType(wire, [on, ...path], body, names));
  const from = bodyWith(node, body)?.nodes.get(node);
  if (from === undefined) return absent(wire, { id: node, carries: 'data' }, body, names);
  if (from.kind === undefined) return undefined;
  return checkType(wire, outputType(wire, { source, from, kind: from.kind }, names)) ?? checkValue(wire, source, from);
}

/** A node that is not to be seen from here, or nowhere. */
function absent(wire: Wire, { id, carries }: Waited, body: BodyReading, { bodies, suggest }: Names): Mistake {
  if (id === 'input' || id === 'item') {
    return mistakeAt(wire, 'bad_scope', `\`${id}\` is no node, so nothing can wait for it.`);
  }
  const there = bodies.find((each) => each.nodes.has(id));
  if (there !== undefined) return mistakeAt(wire, 'bad_scope', outOfReach(id, carries, { there, body }));
  const seen = carries === 'data' ? idsSeenFrom(body) : body.nodes.keys();
  return mistakeAt(wire, 'dangling_reference', `There is no node \`${id}\`.`, suggest(id, seen));
}

interface Waited {
  readonly id: string;
  readonly carries: Source['carries'];
}

function outOfReach(
  id: string,
  carries: Source['carries'],
  { there, body }: { readonly there: BodyReading; readonly body: BodyReading },
): string {
  if (carries === 'control' && bodyWith(id, body) !== undefined) {
    return `\`after\` names nodes of the same body, and \`${id}\` stands outside it: let the node whose body it is wait.`;
  }
  if (body.kind === 'on_halt') return `\`${id}\` is a node of the graph, of which \`on_halt\` sees nothing.`;
  const { owner } = there;
  if (owner !== undefined) {
    return `\`${id}\` stands in the body of \`${owner.id}\`, of which only the outputs can be seen from here.`;
  }
  return `\`${id}\` stands outside the subgraph: give its output as a field of the subgraph's node, and refer to \`input.\` and that name.`;
}

interface Output {
  readonly source: Source;
  readonly from: NodeReading;
  readonly kind: KindDeclaration;
}

function outputType(wire: Wire, { source, from, kind }: Output, { suggest }: Names): Found {
  const { node, on, path } = source;
  const type = own(kind.outputs, on)?.type ?? openType(on, from, kind);
  if (type === undefined) {
    const known = [...Object.keys(kind.outputs), ...Object.keys(givenByBody(from, kind))];
    const message = `\`${node}\` (${kind.type}) has no output \`${on}\`; ${has(known)}.`;
    return mistakeAt(wire, 'unknown_output', message, prefixed(node, suggest(on, known)));
  }
  return typeAt(type, path) ?? noPart(wire, { of: `${node}.${on}`, type, path });
}

/** What a node gives beside its kind's outputs is known by its body; where another graph runs, it may be anything. */
function openType(on: string, from: NodeReading, kind: KindDeclaration): ValueType | undefined {
  if (kind.open_outputs !== true) return undefined;
  return from.raw['body'] === undefined || Object.hasOwn(givenByBody(from, kind), on) ? 'any' : undefined;
}

function givenByBody({ raw }: NodeReading, { open_outputs }: KindDeclaration): object {
  const outputs = open_outputs === true ? valueAt(raw, ['body', 'outputs']) : undefined;
  return typeof outputs === 'object' && outputs !== null ? outputs : {};
}

function checkType(wire: Wire, found: Found): Mistake | undefined {
  const { text, part } = wire;
  if (typeof found !== 'string') return found;
  const wanted = fieldFed(wire)?.type;
  if (wanted === undefined || fits(found, wanted)) return undefined;
  const why =
    wanted === 'formula'
      ? 'is a formula, which must be written in params'
      : `takes ${wanted}, but \`${text}\` gives ${found}`;
  return mistakeAt(wire, 'type_mismatch', `\`${part}\` ${why}.`);
}

function fieldFed({ node, part }: Wire) {
  return node?.kind === undefined || typeof part !== 'string' ? undefined : fieldOf(node.kind, part);
}

/** An output that is a literal of its node can be checked like one. */
function checkValue(wire: Wire, { on, path }: Source, from: NodeReading): Mistake | undefined {
  const literal = from.kind && own(from.kind.outputs, on)?.same_as;
  const given = literal === undefined ? undefined : own(from.params, literal);
  const value = isFilledIn(given) ? undefined : valueAt(given, path);
  if (value === undefined) return undefined;
  const wrong = fieldFed(wire)?.check(value);
  if (wrong === undefined) return undefined;
  const shown = `\`${wire.part}\` is given ${short(value)} by \`${wire.text}\``;
  return mistakeAt(wire, 'type_mismatch', sentence(shown, wrong));
}

function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
