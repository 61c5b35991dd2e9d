/** Validation, fourth phase: does every reference lead to something that exists and fits? */
import type { KindDeclaration, ValueType } from './kinds';
import { mistake } from './mistake';
import type { Mistake } from './mistake';
import type { NodeReading, Source, Wire } from './node-reading';
import type { Suggest } from './suggest';
import { fits, typeAt } from './value-types';

export const CONTROL_WORDS: readonly string[] = ['success', 'error', 'finished'];

export interface Names {
  readonly nodes: ReadonlyMap<string, NodeReading>;
  readonly suggest: Suggest;
}

export function checkWire(wire: Wire, names: Names): Mistake[] {
  const { source, pointer, text, via } = wire;
  if (source === undefined) {
    const form = via === 'after' ? 'node, node.success, node.error, node.finished or node.branch' : 'node.output';
    return [
      mistake(
        'bad_reference',
        pointer,
        `\`${text}\` is not a reference of the form ${form}.`,
        singleOutput(text, via, names),
      ),
    ];
  }
  const from = names.nodes.get(source.node);
  if (from === undefined) return [dangling(wire, source, names)];
  if (from.kind === undefined) return [];
  if (source.carries === 'control') return checkControl(wire, source, from.kind, names);
  return checkData(wire, { source, from: from.kind, to: names.nodes.get(wire.to)?.kind }, names);
}

/** A node named without its output, when it has only one. */
function singleOutput(text: string, via: Wire['via'], { nodes }: Names): string | undefined {
  const outputs = Object.keys(nodes.get(text)?.kind?.outputs ?? {});
  return via !== 'after' && outputs.length === 1 ? `${text}.${outputs.join('')}` : undefined;
}

function dangling({ pointer }: Wire, { node }: Source, { nodes, suggest }: Names): Mistake {
  return mistake('dangling_reference', pointer, `There is no node \`${node}\`.`, suggest(node, nodes.keys()));
}

function checkControl(
  { pointer }: Wire,
  { node, on }: Source,
  { type, branches }: KindDeclaration,
  { suggest }: Names,
): Mistake[] {
  const known = [...branches, ...CONTROL_WORDS];
  if (known.includes(on)) return [];
  const message = `\`${node}\` (${type}) cannot end with \`${on}\`; it can with ${listed(known)}.`;
  return [mistake('unknown_output', pointer, message, prefixed(node, suggest(on, known)))];
}

interface DataWire {
  readonly source: Source;
  readonly from: KindDeclaration;
  readonly to: KindDeclaration | undefined;
}

function checkData(wire: Wire, { source, from, to }: DataWire, { suggest }: Names): Mistake[] {
  const { node, on, path } = source;
  const known = Object.keys(from.outputs);
  const declared = known.includes(on) ? from.outputs[on] : undefined;
  if (declared === undefined) {
    const has = known.length === 0 ? 'it has none' : `it has ${listed(known)}`;
    const message = `\`${node}\` (${from.type}) has no output \`${on}\`; ${has}.`;
    return [mistake('unknown_output', wire.pointer, message, prefixed(node, suggest(on, known)))];
  }
  const type = typeAt(declared.type, path);
  if (type === undefined) {
    const message = `\`${node}.${on}\` is of type ${declared.type} and has no part \`${path.join('.')}\`.`;
    return [mistake('unknown_output', wire.pointer, message)];
  }
  return checkFit(wire, type, to);
}

function checkFit({ pointer, text, field }: Wire, type: ValueType, to: KindDeclaration | undefined): Mistake[] {
  const wanted = field !== undefined && to && Object.hasOwn(to.fields, field) ? to.fields[field]?.type : undefined;
  if (wanted === undefined || fits(type, wanted)) return [];
  const why =
    wanted === 'formula'
      ? 'is a formula, which must be written in params'
      : `takes ${wanted}, but \`${text}\` gives ${type}`;
  return [mistake('type_mismatch', pointer, `\`${field}\` ${why}.`)];
}

function prefixed(node: string, name: string | undefined): string | undefined {
  return name === undefined ? undefined : `${node}.${name}`;
}

function listed(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
