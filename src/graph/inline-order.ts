/** The order of a hand-written executor as `after`. */
import { type Members, isObject } from '../json';
import { isFree, type InlineDraft } from './inline-draft';
import { type ImportNotes } from './import-report';
import { LAYOUT_KEYS } from './builder-draft';
import { toPointer } from './pointer';

type Nodes = ReadonlyMap<string, InlineDraft>;

/** Keys that name the nodes before this one. */
const WAITS: readonly string[] = ['depends_on', 'dependsOn', 'dependencies', 'needs', 'requires'];
/** Keys that name the nodes after this one, with how this one must end. */
const FOLLOWERS: readonly (readonly [key: string, on: string])[] = [
  ['next', 'success'],
  ['on_success', 'success'],
  ['on_failure', 'error'],
  ['on_error', 'error'],
  ['on_true', 'true'],
  ['on_false', 'false'],
  ['on_pass', 'pass'],
  ['on_fail', 'fail'],
];

export function waitsOf(draft: InlineDraft, notes: ImportNotes): void {
  const { id, rest, pointer } = draft;
  for (const key of WAITS) {
    const names = namesIn(rest.get(key));
    if (names === undefined || !isFree(draft, key)) continue;
    names.forEach((name, at) => {
      const place = pointer + toPointer(key) + (Array.isArray(rest.get(key)) ? toPointer(at) : '');
      waitFor(draft, name, { place, notes });
    });
    rest.delete(key);
    if (names.length === 0) notes.changed(pointer + toPointer(key), `The empty \`${key}\` of node ${id} was left out.`);
  }
}

/** A text or a list of texts. */
function namesIn(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value : undefined;
}

interface Wait {
  readonly place: string;
  readonly notes: ImportNotes;
}

function waitFor({ id, after, waits }: InlineDraft, reference: string, { place, notes }: Wait): void {
  if (after === undefined) {
    notes.lost(place, `Node ${id} would wait for \`${reference}\`, but its \`after\` is no list.`);
    return;
  }
  if (!waits.has(reference)) {
    waits.add(reference);
    notes.moved(toPointer('nodes', id, 'after', after.length), place);
    after.push(reference);
  }
  notes.changed(place, `Node ${id} waits for \`${reference}\` in \`after\`.`);
}

/** `next` and its like, where every name is a node's; else the key is left to what becomes of inline parameters. */
export function followAll(draft: InlineDraft, nodes: Nodes, notes: ImportNotes): void {
  const { id, rest, pointer } = draft;
  for (const [key, on] of FOLLOWERS) {
    const value = rest.get(key);
    const names = namesIn(value);
    if (names === undefined || !isFree(draft, key) || !names.every((name) => nodes.has(name))) continue;
    // `on_error: fail` and `continue` are the language's own, even beside nodes of that name.
    if (key === 'on_error' && (value === 'fail' || value === 'continue')) continue;
    names.forEach((name, at) => {
      const place = pointer + toPointer(key) + (Array.isArray(value) ? toPointer(at) : '');
      const target = nodes.get(name);
      if (target !== undefined) waitFor(target, on === 'success' ? id : `${id}.${on}`, { place, notes });
    });
    rest.delete(key);
    if (names.length === 0) notes.changed(pointer + toPointer(key), `The empty \`${key}\` of node ${id} was left out.`);
  }
}

const EDGE_KEYS: readonly string[] = ['edges', 'connections'];
const ENDS: ReadonlySet<string> = new Set(['from', 'to', 'source', 'target']);

/** Takes lists of edges into the nodes; returns the document's other keys. */
export function linkEdges(document: Members, nodes: Nodes, notes: ImportNotes): Members {
  const lists = EDGE_KEYS.filter((key) => Array.isArray(document[key]));
  for (const key of lists) {
    (document[key] as unknown[]).forEach((edge, at) => {
      linkEdge(edge, nodes, { place: toPointer(key, at), notes });
    });
    if ((document[key] as unknown[]).length === 0) notes.changed(toPointer(key), `The empty \`${key}\` was left out.`);
  }
  return Object.fromEntries(Object.entries(document).filter(([key]) => key !== 'nodes' && !lists.includes(key)));
}

/** `{from, to}`, `{source, target}` or `[from, to]`, between nodes there are. */
function linkEdge(edge: unknown, nodes: Nodes, { place, notes }: Wait): void {
  const [from, to] = endsOf(edge);
  const target = typeof to === 'string' ? nodes.get(to) : undefined;
  if (typeof from !== 'string' || target === undefined || !nodes.has(from.split('.')[0] ?? '')) {
    notes.lost(place, 'An edge must lead from a node to a node, {from, to}; it was left out.');
    return;
  }
  waitFor(target, from, { place, notes });
  noteKeys(isObject(edge) ? edge : {}, [from, to], { place, notes });
}

/** Keys of an edge that may mean something, an end beside the one that was taken among them. */
function noteKeys(edge: Members, taken: readonly unknown[], { place, notes }: Wait): void {
  for (const [key, value] of Object.entries(edge)) {
    if (key === 'id' || LAYOUT_KEYS.has(key) || (ENDS.has(key) && taken.includes(value))) continue;
    notes.lost(place + toPointer(key), `An edge’s key \`${key}\` has no counterpart and was left out.`);
  }
}

function endsOf(edge: unknown): readonly unknown[] {
  if (Array.isArray(edge)) return edge.length === 2 ? edge : [];
  return isObject(edge) ? [edge.from ?? edge.source, edge.to ?? edge.target] : [];
}
