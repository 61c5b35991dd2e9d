/** The importer for nodes with inline parameters: `{"nodes": {"node1": {"type": "constant", "value": 42}}}`. */
import { NODE_ID, RESERVED_IDS } from './names';
import { toPointer } from './pointer';
import { nodeKeys } from './schema';

export interface Imported {
  readonly document: unknown;
  /** One sentence for every thing that was moved or filled in, and for every one that could not be carried. */
  readonly report: readonly string[];
  /** Where the imported document's pointer pointed in the original. */
  readonly originOf: (pointer: string) => string;
}

type Members = Readonly<Record<string, unknown>>;

/** What became of one node. */
interface Moved {
  readonly node: unknown;
  readonly report: readonly string[];
  /** New pointer to old. */
  readonly origins: readonly (readonly [string, string])[];
}

/**
 * Turns a graph with inline parameters into the language. Applies exactly when the document is an object without the key
 * `holdfast` whose `nodes` is an object; anything else is returned as it is, with an empty report.
 *
 * Keys of a node that the language does not have become its params. A key that stands in `params` too, or beside a `params`
 * that is no object, stays where it is, so that validation names it. `name` fills a missing `id`.
 */
export function importInline(document: unknown, name = 'graph'): Imported {
  if (!isInline(document)) return { document, report: [], originOf: (pointer) => pointer };
  const moved = Object.entries(document.nodes).map(([id, node]) => [id, moveParams(id, node)] as const);
  const head = { holdfast: 1, id: idFrom(name) };
  const origins = new Map(moved.flatMap(([, each]) => each.origins));
  return {
    document: { ...head, ...document, nodes: Object.fromEntries(moved.map(([id, { node }]) => [id, node])) },
    report: [...headReport(document, head.id), ...moved.flatMap(([, each]) => each.report)],
    originOf: (pointer) => originOf(origins, pointer),
  };
}

function isInline(document: unknown): document is Members & { readonly nodes: Members } {
  return isMembers(document) && !Object.hasOwn(document, 'holdfast') && isMembers(document.nodes);
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function headReport(document: Members, id: string): string[] {
  return [
    'Added "holdfast": 1, the version of the language.',
    ...(Object.hasOwn(document, 'id') ? [] : [`Added "id": "${id}".`]),
  ];
}

function moveParams(id: string, node: unknown): Moved {
  if (!isMembers(node)) return { node, report: [`Node ${id} is not an object and was left as it is.`], origins: [] };
  const inline = Object.keys(node).filter((key) => !nodeKeys.includes(key));
  if (inline.length === 0) return { node, report: [], origins: [] };
  const params = Object.hasOwn(node, 'params') ? node.params : {};
  const move = isMembers(params) ? inline.filter((key) => !Object.hasOwn(params, key)) : [];
  const stay = inline.filter((key) => !move.includes(key));
  return {
    node: isMembers(params) ? withParams(node, params, move) : node,
    report: [
      ...(move.length === 0 ? [] : [`Moved to the params of node ${id}: ${move.join(', ')}.`]),
      ...(stay.length === 0 ? [] : [`Could not move to the params of node ${id}: ${stay.join(', ')}.`]),
    ],
    origins: move.map((key) => [toPointer('nodes', id, 'params', key), toPointer('nodes', id, key)] as const),
  };
}

function withParams(node: Members, params: object, move: readonly string[]): Members {
  const kept = Object.entries(node).filter(([key]) => !move.includes(key) && key !== 'params');
  const moved = Object.entries(node).filter(([key]) => move.includes(key));
  return Object.fromEntries([...kept, ['params', Object.fromEntries([...Object.entries(params), ...moved])]]);
}

/** A valid id from a name such as a file's: `7 days.json` gives `graph_7_days`. */
export function idFrom(name: string): string {
  const base = name.replace(/^.*[/\\]/, '').replace(/\.[^.]*$/, '');
  const id = base.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 100);
  if (id === '') return 'graph';
  return NODE_ID.test(id) && !RESERVED_IDS.has(id) ? id : `graph_${id}`;
}

/** Only `/nodes/<id>/params/<key>` was moved, so only such a prefix is looked up. */
function originOf(origins: ReadonlyMap<string, string>, pointer: string): string {
  const prefix = pointer.split('/').slice(0, 5).join('/');
  const origin = origins.get(prefix);
  return origin === undefined ? pointer : origin + pointer.slice(prefix.length);
}
