/** A node of a hand-written executor on its way into the language. */
import { type Members, isObject } from '../json';
import { fieldNamed } from './import-names';
import { type ImportNotes } from './import-report';
import type { KindCatalogue, KindDeclaration } from './kinds';
import { toPointer } from './pointer';
import { nodeKeys } from './schema';

export interface InlineDraft {
  readonly id: string;
  readonly raw: Members;
  /** JSON pointer into the original. */
  readonly pointer: string;
  readonly kind: KindDeclaration | undefined;
  /** Every key that stays a key of the node, but for the three below. */
  readonly rest: Map<string, unknown>;
  /** Keys that the language does not have. */
  readonly inline: readonly string[];
  /** Undefined where what stands there has the wrong form; it is in `rest` then. */
  readonly params: Map<string, unknown> | undefined;
  readonly inputs: Map<string, unknown> | undefined;
  readonly after: unknown[] | undefined;
  /** What stands in `after`. */
  readonly waits: Set<unknown>;
}

const SETTINGS: readonly string[] = ['config', 'properties', 'parameters', 'settings', 'args'];

export function draftInline(
  { id, given, raw, pointer }: Pick<InlineDraft, 'id' | 'raw' | 'pointer'> & { readonly given: string | undefined },
  catalogue: KindCatalogue,
  notes: ImportNotes,
): InlineDraft {
  const kind = typeof raw.type === 'string' ? catalogue.get(raw.type) : undefined;
  const params = membersAt(raw, 'params');
  const inputs = membersAt(raw, 'inputs');
  const after = afterOf(raw, pointer, notes);
  const rest = new Map(Object.entries(raw));
  if (params !== undefined) rest.delete('params');
  if (inputs !== undefined) rest.delete('inputs');
  if (after !== undefined) rest.delete('after');
  if (raw.id !== undefined && raw.id === given) {
    rest.delete('id');
    notes.changed(`${pointer}/id`, `The \`id\` of node ${id} became its key.`);
  }
  const inline = Object.keys(raw).filter((key) => !nodeKeys.includes(key));
  const draft = { id, raw, pointer, kind, rest, inline, params, inputs, after, waits: new Set(after) };
  for (const key of SETTINGS) unpack(draft, key, notes);
  return draft;
}

function membersAt(raw: Members, key: string): Map<string, unknown> | undefined {
  const value = raw[key];
  if (value === undefined) return new Map();
  return isObject(value) ? new Map(Object.entries(value)) : undefined;
}

function afterOf({ after }: Members, pointer: string, notes: ImportNotes): unknown[] | undefined {
  if (after === undefined) return [];
  if (Array.isArray(after)) return [...(after as unknown[])];
  if (typeof after !== 'string') return undefined;
  notes.changed(`${pointer}/after`, 'The text in `after` became a list of one.');
  return [after];
}

/** True for a key that is free to mean something else: the kind has no field of that name. */
export function isFree({ kind }: InlineDraft, key: string): boolean {
  return kind === undefined || fieldNamed(kind, key) !== key;
}

/** Parameters one level down, as in `config: {…}`, where that clashes with nothing. */
function unpack(draft: InlineDraft, key: string, notes: ImportNotes): void {
  const { id, pointer, rest, params } = draft;
  const members = rest.get(key);
  if (params === undefined || !isObject(members) || !isFree(draft, key)) return;
  const names = Object.keys(members);
  if (names.some((name) => params.has(name))) return;
  for (const name of names) {
    params.set(name, members[name]);
    notes.moved(toPointer('nodes', id, 'params', name), pointer + toPointer(key, name));
  }
  rest.delete(key);
  notes.changed(pointer + toPointer(key), `The members of \`${key}\` of node ${id} became its params.`);
}
