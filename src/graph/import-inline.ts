/**
 * The importer for graphs as a hand-written sequential executor reads them: nodes with inline parameters,
 * `{"nodes": {"node1": {"type": "constant", "value": 42}}}`, and an order in `depends_on`, `next` or `edges`.
 *
 * Keys of a node that the language does not have become its params, where the kind has no such field too: then validation names them
 * where they stood. What the kind has as a field is never read as an order.
 */
import { type Members, isObject } from '../json';
import { inputsOf } from './inline-inputs';
import { followAll, linkEdges, waitsOf } from './inline-order';
import { draftInline, type InlineDraft } from './inline-draft';
import { UniqueNames, idFrom } from './import-names';
import { ImportNotes, untouched, type Imported } from './import-report';
import type { KindCatalogue } from './kinds';
import { toPointer } from './pointer';

/**
 * Applies exactly when the document is an object without the key `holdfast` whose `nodes` is an object, or a list of objects with ids;
 * anything else is returned as it is, with an empty report. `name` fills a missing `id`.
 */
export function importInline(document: unknown, catalogue: KindCatalogue, name = 'graph'): Imported {
  const entries = entriesOf(document);
  if (!isObject(document) || entries === undefined) return untouched(document);
  const notes = new ImportNotes();
  const head = headOf(document, name, notes);
  const drafts = readNodes(entries, catalogue, notes);
  const nodes = new Map([...drafts].filter(([, draft]) => isDraft(draft))) as Map<string, InlineDraft>;
  for (const draft of nodes.values()) {
    waitsOf(draft, notes);
    followAll(draft, nodes, notes);
    inputsOf(draft, nodes, notes);
  }
  const rest = linkEdges(document, nodes, notes);
  for (const draft of nodes.values()) moveParams(draft, notes);
  return {
    document: {
      ...head,
      ...rest,
      nodes: Object.fromEntries([...drafts].map(([id, draft]) => [id, isDraft(draft) ? nodeOf(draft) : draft.value])),
    },
    report: notes.report,
    originOf: (pointer) => notes.originOf(pointer),
  };
}

type Entry = readonly [id: string | undefined, value: unknown, pointer: string];

function entriesOf(document: unknown): Entry[] | undefined {
  if (!isObject(document) || Object.hasOwn(document, 'holdfast')) return undefined;
  const { nodes } = document;
  if (isObject(nodes)) return Object.entries(nodes).map(([id, value]) => [id, value, toPointer('nodes', id)]);
  if (!Array.isArray(nodes) || !nodes.every(isObject)) return undefined;
  return nodes.map((node, at) => [typeof node.id === 'string' ? node.id : undefined, node, toPointer('nodes', at)]);
}

function headOf(document: Members, name: string, notes: ImportNotes): Members {
  const id = idFrom(name);
  notes.changed('/holdfast', 'Added "holdfast": 1, the version of the language.');
  if (!Object.hasOwn(document, 'id')) notes.changed('/id', `Added "id": "${id}".`);
  return { holdfast: 1, id };
}

interface NoNode {
  readonly value: unknown;
}

function isDraft(value: InlineDraft | NoNode): value is InlineDraft {
  return 'raw' in value;
}

function readNodes(entries: readonly Entry[], catalogue: KindCatalogue, notes: ImportNotes) {
  const nodes = new Map<string, InlineDraft | NoNode>();
  const names = new UniqueNames();
  entries.forEach(([given, value, pointer], at) => {
    const id = names.take(given ?? `node_${at}`);
    if (given === undefined) notes.changed(pointer, `Node ${at} has no id and is called \`${id}\`.`);
    else if (id !== given)
      notes.lost(`${pointer}/id`, `The id \`${given}\` stands twice; this node is called \`${id}\`.`);
    if (toPointer('nodes', id) !== pointer) notes.moved(toPointer('nodes', id), pointer);
    if (isObject(value)) {
      nodes.set(id, draftInline({ id, given, raw: value, pointer }, catalogue, notes));
    } else {
      notes.changed(pointer, `Node ${id} is not an object and was left as it is, which validation refuses.`);
      nodes.set(id, { value });
    }
  });
  return nodes;
}

function moveParams({ id, pointer, rest, params, inline }: InlineDraft, notes: ImportNotes): void {
  for (const key of inline) {
    if (!rest.has(key)) continue;
    const place = pointer + toPointer(key);
    if (params === undefined || params.has(key)) {
      const why = params === undefined ? 'whose `params` is no object' : 'which has it in `params` already';
      notes.changed(place, `\`${key}\` of node ${id}, ${why}, stays where it is, and validation refuses it.`);
      continue;
    }
    params.set(key, rest.get(key));
    rest.delete(key);
    notes.moved(toPointer('nodes', id, 'params', key), place);
    notes.changed(place, `\`${key}\` of node ${id} became its param.`);
  }
}

function nodeOf({ rest, params, after, inputs }: InlineDraft): Members {
  return {
    ...Object.fromEntries(rest),
    ...(params === undefined || params.size === 0 ? {} : { params: Object.fromEntries(params) }),
    ...(inputs === undefined || inputs.size === 0 ? {} : { inputs: Object.fromEntries(inputs) }),
    ...(after === undefined || after.length === 0 ? {} : { after }),
  };
}
