/**
 * The importer for the builder shape: `blocks` with `category`, `type` and `properties`, numbered ports by the names in each block's
 * `inputs` and `outputs`, and `connections` between `{blockId, index}`.
 *
 * What a kind has no name for keeps its own, so that validation refuses it where it stands; what cannot be written in the language at all
 * is reported as lost. Nothing is left out without an entry.
 */
import { type Members, isObject } from '../json';
import { draftOf, fillDraft, LAYOUT_KEYS, nameOf, type NodeDraft } from './builder-draft';
import { connectAll, connectNamed, type Board } from './builder-connections';
import type { BlockMapping } from './builder-kinds';
import { asBuilderDocument, readBlock, type Block, type BuilderDocument } from './builder-shape';
import { UniqueNames, idFrom } from './import-names';
import { ImportNotes, untouched, type Imported } from './import-report';
import { fieldFor } from './import-values';
import type { KindCatalogue } from './kinds';
import { toPointer } from './pointer';
import { triggerKeys } from './schema';

/** Turns a document of the builder shape into the language; returns any other as it is. `name` fills a missing `id`. */
export function importBuilder(document: unknown, catalogue: KindCatalogue, name = 'graph'): Imported {
  const builder = asBuilderDocument(document);
  if (builder === undefined) return untouched(document);
  const notes = new ImportNotes();
  const drafts = draftsOf(builder, catalogue, notes);
  const board = boardOf(drafts, notes);
  const kept = connectAll(builder.graph.connections, `${builder.base}/connections`, board);
  for (const draft of drafts) connectNamed(draft, board);
  const nodes = drafts.filter((draft) => draft !== board.start);
  const head = headOf(builder, name, notes);
  notes.moved('/nodes', `${builder.base}/blocks`);
  return {
    document: {
      holdfast: 1,
      ...head.keys,
      ...triggersOf(board),
      nodes: Object.fromEntries(nodes.map((draft) => [draft.id, nodeOf(draft)])),
      ui: {
        ...Object.fromEntries(head.layout),
        blocks: Object.fromEntries(drafts.map((draft) => [draft.id, layoutOf(draft)])),
        ...(kept ? { connections: builder.graph.connections } : {}),
      },
    },
    report: notes.report,
    originOf: (pointer) => notes.originOf(pointer),
  };
}

function draftsOf({ base, blocks }: BuilderDocument, catalogue: KindCatalogue, notes: ImportNotes): NodeDraft[] {
  const names = new UniqueNames();
  return blocks.flatMap((raw, index) => {
    const pointer = `${base}${toPointer('blocks', index)}`;
    if (!isObject(raw)) {
      notes.lost(pointer, `Block ${index} must be an object and was left out.`);
      return [];
    }
    return [draftOf(readBlock(raw, pointer, index, notes), catalogue, names)];
  });
}

function boardOf(drafts: readonly NodeDraft[], notes: ImportNotes): Board {
  const starts = drafts.filter(({ row }) => row?.starts !== undefined);
  const start = starts.length === 1 ? starts[0] : undefined;
  for (const draft of drafts) {
    if (draft !== start) fillDraft(draft, notes);
  }
  for (const { block } of starts.length > 1 ? starts : []) {
    notes.lost(
      block.pointer,
      'Several blocks begin the execution; a graph begins with every node that waits for nothing.',
    );
  }
  return { drafts: byBlockId(drafts, notes), start, notes };
}

function byBlockId(drafts: readonly NodeDraft[], notes: ImportNotes): Map<string, NodeDraft> {
  const byId = new Map<string, NodeDraft>();
  for (const draft of drafts) {
    const { id, pointer } = draft.block;
    if (id === undefined) continue;
    const first = byId.get(id);
    if (first === undefined) byId.set(id, draft);
    else {
      const place = `${first.block.pointer}/id`;
      notes.lost(`${pointer}/id`, `The id \`${id}\` stands at ${place} too; connections to it lead there alone.`);
    }
  }
  return byId;
}

/** The trigger that the block which began the execution stands for; a manual start is none. */
function triggersOf({ start, notes }: Board): Members {
  if (start === undefined) return {};
  const { id, block, row } = start;
  const scheduled = row?.starts === 'schedule';
  const becomes = scheduled ? `became the trigger \`${id}\`` : 'is how any execution begins, and no node';
  notes.changed(block.pointer, `Block \`${block.id ?? block.index}\` ${becomes}.`);
  notes.moved(toPointer('triggers', id), block.pointer);
  const fields = new Map<string, unknown>();
  for (const property of block.properties) {
    const field = scheduled ? triggerField(property, row) : undefined;
    carrySetting(start, property, { field, fields, notes });
  }
  noteStartKeys(start, notes);
  return scheduled ? { triggers: { [id]: { type: 'schedule', ...Object.fromEntries(fields) } } } : {};
}

function triggerField([key, value]: Block['properties'][number], row: BlockMapping | undefined): string | undefined {
  const { field } = fieldFor([key, value], row, () => undefined);
  return field !== 'type' && triggerKeys.includes(field) ? field : undefined;
}

interface Setting {
  readonly field: string | undefined;
  readonly fields: Map<string, unknown>;
  readonly notes: ImportNotes;
}

function carrySetting(
  { id }: NodeDraft,
  [key, value, place]: Block['properties'][number],
  { field, fields, notes }: Setting,
): void {
  if (field === undefined || fields.has(field)) {
    notes.lost(place, `\`${key}\` of block \`${id}\` has no counterpart in how an execution begins and was left out.`);
    return;
  }
  fields.set(field, value);
  notes.moved(toPointer('triggers', id, field), place);
  if (field !== key) notes.changed(place, `\`${key}\` of the trigger became \`${field}\`; a number there is seconds.`);
}

const START_KEYS: ReadonlySet<string> = new Set(['properties', 'config', 'type']);
const START_LAYOUT: ReadonlySet<string> = new Set([...LAYOUT_KEYS, 'id', 'name', 'category', 'inputs', 'outputs']);

function noteStartKeys({ block, layout }: NodeDraft, notes: ImportNotes): void {
  for (const [key, value] of Object.entries(block.raw)) {
    if (START_LAYOUT.has(key)) layout.set(key, value);
    else if (!START_KEYS.has(key)) {
      notes.lost(block.pointer + toPointer(key), `A block’s key \`${key}\` has no counterpart in a trigger.`);
    }
  }
}

function nodeOf({ type, block, params, inputs, after, conditions, policy }: NodeDraft): Members {
  const name = nameOf(block.raw);
  return {
    ...(type === '' ? {} : { type }),
    ...(name === undefined ? {} : { name }),
    ...(params.size === 0 ? {} : { params: Object.fromEntries(params) }),
    ...(inputs.size === 0 ? {} : { inputs: Object.fromEntries(inputs) }),
    ...(after.size === 0 ? {} : { after: [...after] }),
    ...(conditions.length === 0 ? {} : { when: [...new Set(conditions)].join(' && ') }),
    ...Object.fromEntries(policy),
  };
}

function layoutOf({ layout }: NodeDraft): Members {
  return Object.fromEntries(layout);
}

const HEAD_KEYS: readonly string[] = ['$schema', 'name', 'description', 'labels', 'bot_id', 'strategy_id', 'desk'];
const HEAD_LAYOUT: ReadonlySet<string> = new Set([
  ...[...LAYOUT_KEYS, 'ui', 'version', 'timestamp', 'created_at', 'updated_at', 'createdAt', 'updatedAt', 'author'],
  ...['viewport', 'zoom', 'pan', 'panOffset', 'metadata', 'difficulty', 'category', 'icon'],
]);

interface Head {
  readonly keys: Members;
  readonly layout: ReadonlyMap<string, unknown>;
}

/** The keys of the document beside blocks and connections; a nested graph's own come before those around it. */
function headOf({ base, graph, around }: BuilderDocument, name: string, notes: ImportNotes): Head {
  const keys = new Map<string, unknown>();
  const layout = new Map<string, unknown>();
  const members = [
    ...Object.entries(graph).map((entry) => [...entry, base] as const),
    ...Object.entries(around).map((entry) => [...entry, ''] as const),
  ].filter(([key, , at]) => at !== base || (key !== 'blocks' && key !== 'connections'));
  for (const [key, value, at] of members) {
    const place = at + toPointer(key);
    if ((key === 'id' || HEAD_KEYS.includes(key)) && !keys.has(key)) {
      keys.set(key, value);
      notes.moved(toPointer(key), place);
    } else if (HEAD_LAYOUT.has(key) && !layout.has(key)) layout.set(key, value);
    else notes.lost(place, `The graph’s key \`${key}\` has no counterpart and was left out.`);
  }
  return { keys: { ...Object.fromEntries(keys), id: graphId(keys, { base, name }, notes) }, layout };
}

function graphId(
  keys: ReadonlyMap<string, unknown>,
  { base, name }: { base: string; name: string },
  notes: ImportNotes,
): unknown {
  const given = keys.get('id');
  const title = keys.get('name');
  if (given !== undefined && typeof given !== 'string' && typeof given !== 'number') return given;
  const id = idFrom(String(given ?? (typeof title === 'string' ? title : name)));
  if (given === undefined) notes.changed(`${base}/id`, `Added "id": "${id}".`);
  else if (given !== id) notes.changed(`${base}/id`, `The id ${JSON.stringify(given)} became "${id}".`);
  return id;
}
