/** A block on its way to being a node. */
import { categoryOf, isKnownCategory, mappingOf, type BlockMapping } from './builder-kinds';
import { idOf, type Block } from './builder-shape';
import { fieldNamed, nodeIdFrom, type UniqueNames } from './import-names';
import type { ImportNotes } from './import-report';
import { asFieldTakes, fieldFor, typeOfField } from './import-values';
import type { KindCatalogue, KindDeclaration } from './kinds';
import { toPointer } from './pointer';
import { nodeKeys } from './schema';

export interface NodeDraft {
  readonly id: string;
  readonly block: Block;
  readonly row: BlockMapping | undefined;
  /** Undefined when nobody declares such a kind. */
  readonly kind: KindDeclaration | undefined;
  readonly type: string;
  readonly params: Map<string, unknown>;
  readonly inputs: Map<string, string>;
  readonly after: Set<string>;
  /** Outputs that must be true. */
  readonly conditions: string[];
  /** Control ports with the connection that came first. */
  readonly triggered: Map<string, string>;
  /** Keys of a node that a block may have under the same name. */
  readonly policy: ReadonlyMap<string, unknown>;
  /** What an editor wants back: kept, never read. */
  readonly layout: Map<string, unknown>;
}

const OWN_KEYS: ReadonlySet<string> = new Set(['id', 'category', 'type', 'name', 'properties', 'config']);
const WIRING_KEYS: ReadonlySet<string> = new Set([
  'type',
  'name',
  'params',
  'inputs',
  'after',
  'when',
  'body',
  'while',
]);
const POLICY_KEYS: ReadonlySet<string> = new Set(nodeKeys.filter((key) => !WIRING_KEYS.has(key)));
export const LAYOUT_KEYS: ReadonlySet<string> = new Set([
  ...['position', 'x', 'y', 'z', 'width', 'height', 'size', 'icon', 'color', 'colour', 'style', 'label', 'title'],
  ...['description', 'comment', 'collapsed', 'selected', 'expanded', 'points', 'zIndex', 'tags'],
]);
const LONGEST_NAME = 200;

export function draftOf(block: Block, catalogue: KindCatalogue, names: UniqueNames): NodeDraft {
  const { type, category, properties } = block;
  const given = new Set(properties.map(([name]) => name));
  const row = mappingOf({ type, category, given });
  const kind = row === undefined ? catalogue.get(type) : catalogue.get(row.kind ?? '');
  return {
    id: names.take(nodeIdFrom(block.id ?? '', type)),
    block,
    row,
    kind,
    // A block without a counterpart must not become a kind that happens to have its name.
    type: kind?.type ?? (catalogue.has(type) ? `${categoryOf(category)}_${type}` : type),
    params: new Map(),
    inputs: new Map(),
    after: new Set(),
    conditions: [],
    triggered: new Map(),
    policy: new Map(Object.entries(block.raw).filter(([key]) => POLICY_KEYS.has(key))),
    layout: new Map(),
  };
}

/** Fills a draft with everything that stands in the block itself. */
export function fillDraft(draft: NodeDraft, notes: ImportNotes): void {
  noteIdentity(draft, notes);
  noteKind(draft, notes);
  for (const property of draft.block.properties) carryProperty(draft, property, notes);
  for (const key of Object.keys(draft.block.raw)) keepKey(draft, key, notes);
}

function noteIdentity({ id, block }: NodeDraft, notes: ImportNotes): void {
  const node = toPointer('nodes', id);
  notes.moved(node, block.pointer);
  notes.moved(`${node}/params`, `${block.pointer}/properties`);
  if (block.id === undefined) {
    const why = block.raw.id === undefined ? 'has no id' : 'has an id that is no text';
    notes[block.raw.id === undefined ? 'changed' : 'lost'](
      `${block.pointer}/id`,
      `Block ${block.index} ${why} and became the node \`${id}\`; no connection can lead to it.`,
    );
  } else if (block.id !== id) {
    notes.changed(`${block.pointer}/id`, `Block \`${block.id}\` became the node \`${id}\`.`);
  }
}

function noteKind({ id, block, row, kind, type }: NodeDraft, notes: ImportNotes): void {
  const place = `${block.pointer}/type`;
  const { category } = block;
  if (category !== '' && !isKnownCategory(category)) {
    notes.changed(`${block.pointer}/category`, `The category \`${category}\` is unknown; the type alone counted.`);
  }
  if (kind === undefined) {
    const why = `the type \`${block.type}\`${category === '' ? '' : ` of category \`${category}\``}`;
    const advice = row?.note ?? 'Validation refuses the node until there is a kind of that name.';
    notes.changed(place, `There is no node kind for ${why}; the node \`${id}\` has the type \`${type}\`. ${advice}`);
    return;
  }
  if (type !== block.type) notes.changed(place, `The type \`${block.type}\` became the kind \`${type}\`.`);
  if (row?.note !== undefined) notes.changed(place, row.note);
}

function carryProperty(draft: NodeDraft, [name, given, place]: Block['properties'][number], notes: ImportNotes): void {
  const { id, params, row, kind } = draft;
  const named = (text: string) => (kind === undefined ? undefined : fieldNamed(kind, text));
  const { field, value: translated } = fieldFor([name, given], row, named);
  const value = asFieldTakes(translated, typeOfField(kind, field));
  if (params.has(field)) {
    notes.lost(place, `\`${name}\` would be the field \`${field}\` of node \`${id}\`, which is given already.`);
    return;
  }
  params.set(field, value);
  notes.moved(toPointer('nodes', id, 'params', field), place);
  noteProperty(draft, { name, given, field, value, place }, notes);
}

interface Carried {
  readonly name: string;
  readonly given: unknown;
  readonly field: string;
  readonly value: unknown;
  readonly place: string;
}

function noteProperty(
  { id, kind }: NodeDraft,
  { name, given, field, value, place }: Carried,
  notes: ImportNotes,
): void {
  const became = [
    ...(field === name ? [] : [`became \`${field}\``]),
    ...(value === given ? [] : [`is now ${typeof value === 'string' ? JSON.stringify(value) : 'a list of texts'}`]),
  ];
  if (became.length > 0) {
    const seconds = typeof value === 'number' && typeOfField(kind, field) === 'duration';
    const unit = seconds ? '; a number there is seconds' : '';
    notes.changed(place, `\`${name}\` of node \`${id}\` ${became.join(' and ')}${unit}.`);
  } else if (kind !== undefined && fieldNamed(kind, field) === undefined) {
    notes.changed(place, `The kind ${kind.type} has no field \`${name}\`; it is kept, and validation refuses it.`);
  }
}

/** The keys of the block itself, but for its properties. */
function keepKey({ id, block, layout, policy }: NodeDraft, key: string, notes: ImportNotes): void {
  const { raw, pointer } = block;
  const place = pointer + toPointer(key);
  if (policy.has(key)) notes.moved(toPointer('nodes', id, key), place);
  else if (keptForEditors(raw, key, id)) layout.set(key, raw[key]);
  else if (!OWN_KEYS.has(key)) {
    notes.lost(place, `A block’s key \`${key}\` has no counterpart and was left out of node \`${id}\`.`);
  } else if ((key === 'category' || key === 'type') && typeof raw[key] !== 'string') {
    notes.lost(place, `The ${key} of a block must be a text.`);
  }
}

function keptForEditors(raw: Block['raw'], key: string, id: string): boolean {
  switch (key) {
    case 'id':
      return idOf(raw.id) !== id;
    case 'name':
      return nameOf(raw) === undefined;
    case 'enabled':
      return raw.enabled === true;
    case 'disabled':
      return raw.disabled === false;
    case 'category':
    case 'inputs':
    case 'outputs':
      return true;
    default:
      return LAYOUT_KEYS.has(key);
  }
}

/** The name as a node may have it. */
export function nameOf({ name }: Block['raw']): string | undefined {
  return typeof name === 'string' && name.length > 0 && name.length <= LONGEST_NAME ? name : undefined;
}
