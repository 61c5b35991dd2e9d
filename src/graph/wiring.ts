/** The nodes and guards of a body as numbered vertices with their resolved edges: what cycles and reachability are about. */
import { bodyWith, type BodyReading } from './body-reading';
import { itemAt } from './item-at';
import type { KindCatalogue } from './kinds';
import { guardIdOf, LOOP_GUARD } from './names';
import { GUARD_KIND, own } from './node-reading';
import type { NodeReading } from './node-reading';
import type { Source, Wire } from './wires';

export interface Edge {
  readonly from: number;
  /** A control word or a branch; `success` for data. */
  readonly on: string;
  /** True when `join` counts it; every other edge is required. */
  readonly counted: boolean;
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
  /** How many distinct references `join` counts, also those that lead nowhere. */
  readonly countable: number;
}

interface Draft extends Pick<Vertex, 'owner' | 'pointer' | 'branches' | 'join'> {
  readonly id: string;
  readonly guard?: string;
  /** What the join counts: the references in `after`, or where none stand there the data. */
  readonly counts: Source['carries'];
}

export interface WiredBody {
  readonly body: BodyReading;
  readonly wires: readonly Wire[];
}

/** The vertices of every body; a loop waits for what its body takes from around it. */
export function wireUp(bodies: readonly WiredBody[], catalogue: KindCatalogue): Vertex[][] {
  const captured = new Map<BodyReading, Wire[]>();
  const inside = bodies.map((each) => ({ body: each.body, wires: withoutCaptured(each, captured) }));
  return inside.map(({ body, wires }) => {
    const taken = captured.get(body);
    return verticesOf(body, taken === undefined ? wires : [...wires, ...taken], catalogue);
  });
}

/** Puts the references to nodes around a body where these stand: there the loop waits for them, and in the body nobody does. */
function withoutCaptured({ body, wires }: WiredBody, captured: Map<BodyReading, Wire[]>): readonly Wire[] {
  if (body.around === undefined) return wires;
  return wires.filter((wire) => {
    const there = wire.source?.carries === 'data' ? bodyWith(wire.source.node, body) : undefined;
    if (there === undefined || there === body) return true;
    const list = captured.get(there) ?? [];
    captured.set(there, list);
    list.push({ ...wire, to: loopIn(there, body) });
    return false;
  });
}

/** The loop of `outer` in which, however deep, `inner` is. */
function loopIn(outer: BodyReading, inner: BodyReading): string | undefined {
  return inner.around === undefined || inner.around === outer ? inner.owner?.id : loopIn(outer, inner.around);
}

function verticesOf(body: BodyReading, wires: readonly Wire[], catalogue: KindCatalogue): Vertex[] {
  const drafts = draftsOf(body, catalogue.get(GUARD_KIND)?.branches ?? []);
  const index = new Map<string, number>();
  for (let at = 0; at < drafts.length; at += 1) index.set(itemAt(drafts, at).id, at);
  const wiresTo: (Wire[] | undefined)[] = drafts.map(() => undefined);
  for (const wire of wires) {
    const to = wire.to === undefined ? undefined : index.get(wire.to);
    if (to === undefined) continue;
    const list = wiresTo[to];
    // Made with its first wire a list takes no room for more.
    if (list === undefined) wiresTo[to] = [wire];
    else list.push(wire);
  }
  return drafts.map((draft, at) => connect(draft, wiresTo[at] ?? [], index));
}

function draftsOf({ kind, owner, nodes }: BodyReading, guardBranches: readonly string[]): Draft[] {
  const drafts: Draft[] = [];
  for (const node of nodes.values()) addDrafts(drafts, node, guardBranches);
  if (kind === 'repeat' && owner?.goes_on !== undefined) {
    drafts.push({ ...guard(LOOP_GUARD, owner, guardBranches), pointer: `${owner.pointer}/while` });
  }
  return drafts;
}

function addDrafts(drafts: Draft[], node: NodeReading, guardBranches: readonly string[]): void {
  const { id, pointer, when, join, after } = node;
  const counts = after.length > 0 ? 'control' : 'data';
  const draft: Draft = { id, owner: id, pointer, branches: branchesOf(node), join, counts };
  if (when === undefined) {
    drafts.push(draft);
    return;
  }
  const guardId = guardIdOf(id);
  drafts.push(guard(guardId, node, guardBranches), { ...draft, guard: guardId });
}

function guard(id: string, { id: owner, pointer }: NodeReading, branches: readonly string[]): Draft {
  return { id, owner, pointer: `${pointer}/when`, branches, join: 'all', counts: 'data' };
}

/** The control outputs of a node: those of its kind, and those it names itself. */
export function branchesOf({ kind, params }: NodeReading): readonly string[] {
  if (kind?.branches_from === undefined) return kind?.branches ?? [];
  const named = own(params, kind.branches_from);
  const more = typeof named === 'object' && named !== null ? Object.keys(named) : [];
  return [...more, ...kind.branches];
}

function connect(draft: Draft, wires: readonly Wire[], index: ReadonlyMap<string, number>): Vertex {
  const { owner, pointer, branches, join, counts } = draft;
  const edges: Edge[] = [];
  let countable = 0;
  const guardAt = draft.guard === undefined ? undefined : index.get(draft.guard);
  if (guardAt !== undefined) edges.push({ from: guardAt, on: 'true', counted: false });
  for (const wire of distinct(wires)) {
    const counted = counts === (wire.via === 'after' ? 'control' : 'data');
    if (counted && !isElsewhere(wire.source)) countable += 1;
    const edge = edgeOf(wire, counted && join !== 'all', index);
    if (edge !== undefined) edges.push(edge);
  }
  // Without the room an array that grew has left.
  return { owner, pointer, branches, join, edges: edges.slice(), countable };
}

function edgeOf({ source }: Wire, counted: boolean, index: ReadonlyMap<string, number>): Edge | undefined {
  const from = source && index.get(source.node);
  if (source === undefined || from === undefined) return undefined;
  return { from, on: source.carries === 'data' ? 'success' : source.on, counted };
}

/** One per output or ending of a node, however often it is referred to: as the scheduler counts them. */
function distinct(wires: readonly Wire[]): readonly Wire[] {
  if (wires.length < 2) return wires;
  // Of references to different nodes none repeats another: the keys of the rest cost as much as to read them.
  if (new Set(wires.map(({ source, text }) => source?.node ?? text)).size === wires.length) return wires;
  return [...new Map(wires.map((wire) => [keyOf(wire), wire])).values()];
}

function keyOf({ source, text }: Wire): string {
  return source === undefined ? text : `${source.node} ${source.carries} ${source.on}`;
}

/** Start inputs and items are there already: nobody waits for them. */
function isElsewhere(source: Source | undefined): boolean {
  return source?.carries === 'data' && (source.node === 'input' || source.node === 'item');
}
