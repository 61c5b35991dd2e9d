/** A graph as a Mermaid flowchart. */
import type { KindCatalogue } from './kinds';
import { guardIdOf } from './names';
import { readNode, wiresOf } from './node-reading';
import type { NodeReading, Wire } from './node-reading';
import type { Graph } from './schema';

/**
 * Mermaid text, `flowchart LR`: solid arrows carry data and name the output, dotted ones are control and name the branch or
 * ending, diamonds are conditions and the guards of `when`. Ids are numbered, because Mermaid gives words such as `end` a
 * meaning; names stand in the labels, escaped.
 */
export function drawMermaid(graph: Graph, catalogue: KindCatalogue): string {
  const nodes = Object.entries(graph.nodes).map(([id, node]) => ({
    ...readNode(id, node, catalogue),
    type: node.type,
  }));
  const names = new Map(nodes.flatMap(({ id }, at) => [[id, `n${at}`] as const, [guardIdOf(id), `g${at}`] as const]));
  const nameOf = (id: string) => names.get(id);
  const lines = [
    ...nodes.flatMap((node) => shapes(node, nameOf)),
    ...new Set(nodes.flatMap(wiresOf).flatMap((wire) => arrow(wire, nameOf))),
  ];
  return ['flowchart LR', ...lines.map((line) => `  ${line}`), ''].join('\n');
}

type NameOf = (id: string) => string | undefined;

function shapes({ id, type, kind, when }: NodeReading & { readonly type: string }, nameOf: NameOf): string[] {
  const label = `"${escaped(id)}<br/>${escaped(type)}"`;
  const name = nameOf(id);
  const shape = (kind?.branches.length ?? 0) > 0 ? `{${label}}` : `[${label}]`;
  if (when === undefined) return [`${name}${shape}`];
  const guard = nameOf(guardIdOf(id));
  return [`${guard}{"when<br/>${escaped(when)}"}`, `${name}${shape}`, `${guard} -. "true" .-> ${name}`];
}

function arrow({ to, source }: Wire, nameOf: NameOf): string[] {
  const from = source && nameOf(source.node);
  if (source === undefined || from === undefined) return [];
  const label = [source.on, ...source.path].join('.');
  if (source.carries === 'data') return [`${from} -- "${escaped(label)}" --> ${nameOf(to)}`];
  return [source.on === 'success' ? `${from} -.-> ${nameOf(to)}` : `${from} -. "${escaped(label)}" .-> ${nameOf(to)}`];
}

/** Mermaid's entity codes for everything but plain text, so that no label can end its quotes or become HTML. */
function escaped(text: string): string {
  return text.replace(/[^\p{L}\p{N} _.,:+*/=|()!-]/gu, (character) => `#${character.codePointAt(0)};`);
}
