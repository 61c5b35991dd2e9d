/** The nodes and guards of a graph as numbered vertices with their resolved edges: what cycles and reachability are about. */
import type { KindCatalogue } from './kinds';
import { guardIdOf } from './names';
import { GUARD_KIND } from './node-reading';
import type { NodeReading, Wire } from './node-reading';

export interface Edge {
  readonly from: number;
  /** A control word or a branch; `success` for data. */
  readonly on: string;
}

export interface Vertex {
  /** The node whose it is; a guard has the same owner as its node. */
  readonly owner: string;
  /** JSON pointer: the node, or its `when`. */
  readonly pointer: string;
  readonly branches: readonly string[];
  readonly join: NodeReading['join'];
  /** The ones that lead somewhere. */
  readonly edges: readonly Edge[];
  /** How many distinct references it has, also those that lead nowhere. */
  readonly references: number;
}

interface Draft extends Pick<Vertex, 'owner' | 'pointer' | 'branches' | 'join'> {
  readonly id: string;
  readonly guard: string | undefined;
}

export function wireUp(nodes: readonly NodeReading[], wires: readonly Wire[], catalogue: KindCatalogue): Vertex[] {
  const drafts = nodes.flatMap((node) => draftsOf(node, catalogue));
  const index = new Map(drafts.map(({ id }, at) => [id, at]));
  const wiresTo = grouped(wires, ({ to }) => to);
  return drafts.map((draft) => connect(draft, wiresTo.get(draft.id) ?? [], index));
}

function draftsOf({ id, pointer, kind, when, join }: NodeReading, catalogue: KindCatalogue): Draft[] {
  const guard = when === undefined ? undefined : guardIdOf(id);
  const node: Draft = { id, owner: id, pointer, branches: kind?.branches ?? [], join, guard };
  if (guard === undefined) return [node];
  const branches = catalogue.get(GUARD_KIND)?.branches ?? [];
  return [{ id: guard, owner: id, pointer: `${pointer}/when`, branches, join: 'all', guard: undefined }, node];
}

function connect({ guard, ...draft }: Draft, wires: readonly Wire[], index: ReadonlyMap<string, number>): Vertex {
  const edges = new Map<string, Edge>();
  for (const { source } of wires) {
    const from = source && index.get(source.node);
    if (source === undefined || from === undefined) continue;
    edges.set(keyOf(source), { from, on: source.carries === 'data' ? 'success' : source.on });
  }
  const from = guard === undefined ? undefined : index.get(guard);
  const guarded = from === undefined ? [] : [{ from, on: 'true' }];
  const references = new Set(wires.map(({ source, text }) => (source ? keyOf(source) : text))).size;
  return { ...draft, edges: [...guarded, ...edges.values()], references };
}

/** One edge per output or ending of a node, however often it is referred to: as the scheduler counts them. */
function keyOf({ node, carries, on }: { node: string; carries: string; on: string }): string {
  return `${node} ${carries} ${on}`;
}

export function grouped<K, V>(values: readonly V[], keyOf: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}
