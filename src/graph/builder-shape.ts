/** The builder's document as it stands there: blocks, ports and the ends of connections, before anything is decided. */
import { type Members, isObject } from '../json';
import type { ImportNotes } from './import-report';
import { toPointer } from './pointer';

export interface Port {
  readonly name: string;
  readonly type: string | undefined;
  /** JSON pointer into the original. */
  readonly pointer: string;
}

/** A list of ports, by their numbers; undefined where an entry names none. */
export type Ports = readonly (Port | undefined)[];

export interface Block {
  /** JSON pointer into the original. */
  readonly pointer: string;
  readonly index: number;
  /** As connections name it; a number counts as its text. */
  readonly id: string | undefined;
  readonly category: string;
  readonly type: string;
  /** `properties` and `config` together. */
  readonly properties: readonly (readonly [name: string, value: unknown, pointer: string])[];
  readonly inputs: Ports;
  readonly outputs: Ports;
  readonly raw: Members;
}

export interface BuilderDocument {
  /** JSON pointer of the object with the blocks: empty, or of the key around it. */
  readonly base: string;
  readonly graph: Members;
  readonly blocks: readonly unknown[];
  /** What stands around a nested graph. */
  readonly around: Members;
}

const AROUND: readonly string[] = ['workflow', 'graph'];

/** An object without the key `holdfast` that has a list `blocks`, itself or in its member `workflow` or `graph`. */
export function asBuilderDocument(document: unknown): BuilderDocument | undefined {
  if (!isObject(document) || Object.hasOwn(document, 'holdfast')) return undefined;
  if (Array.isArray(document.blocks)) return { base: '', graph: document, blocks: document.blocks, around: {} };
  for (const key of AROUND) {
    const graph = Object.hasOwn(document, key) ? document[key] : undefined;
    if (!isObject(graph) || Object.hasOwn(graph, 'holdfast') || !Array.isArray(graph.blocks)) continue;
    const around = Object.fromEntries(Object.entries(document).filter(([name]) => name !== key));
    return { base: toPointer(key), graph, blocks: graph.blocks, around };
  }
  return undefined;
}

/** The keys that hold a block's settings. */
export const PROPERTY_KEYS: readonly string[] = ['properties', 'config'];

export function readBlock(raw: Members, pointer: string, index: number, notes: ImportNotes): Block {
  return {
    pointer,
    index,
    id: idOf(raw.id),
    category: textOf(raw.category),
    type: textOf(raw.type),
    properties: PROPERTY_KEYS.flatMap((key) => readProperties(raw, key, pointer + toPointer(key), notes)),
    // An object there holds references, as hand-written blocks have them, and no numbered ports.
    inputs: isObject(raw.inputs) ? [] : readPorts(raw.inputs, `${pointer}/inputs`, notes),
    outputs: readPorts(raw.outputs, `${pointer}/outputs`, notes),
    raw,
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function idOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

function readProperties(raw: Members, key: string, pointer: string, notes: ImportNotes): Block['properties'] {
  const members = Object.hasOwn(raw, key) ? raw[key] : undefined;
  if (isObject(members)) {
    return Object.entries(members).map(([name, value]) => [name, value, pointer + toPointer(name)] as const);
  }
  if (members !== undefined) notes.lost(pointer, `\`${key}\` of a block must be an object and was left out.`);
  return [];
}

/** An entry is a name, or `{name, type?}`. */
function readPorts(value: unknown, pointer: string, notes: ImportNotes): Ports {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value.map((entry: unknown, at) => readPort(entry, pointer + toPointer(at), notes));
  notes.lost(pointer, 'The ports of a block must be a list and were left out.');
  return [];
}

function readPort(entry: unknown, pointer: string, notes: ImportNotes): Port | undefined {
  const { name, type } = isObject(entry) ? entry : { name: entry, type: undefined };
  if (typeof name === 'string' && name !== '') {
    return { name, type: typeof type === 'string' ? type : undefined, pointer };
  }
  notes.lost(pointer, 'A port must be a name, or an object with a name; connections to this one cannot be carried.');
  return undefined;
}

export interface End {
  readonly block_id: string;
  readonly index: number;
}

/** One end of a connection: `{blockId, index}`. Undefined where it is not that. */
export function readEnd(value: unknown): End | undefined {
  if (!isObject(value)) return undefined;
  const id = idOf(value.blockId);
  const { index } = value;
  return id !== undefined && typeof index === 'number' && Number.isInteger(index) && index >= 0
    ? { block_id: id, index }
    : undefined;
}
