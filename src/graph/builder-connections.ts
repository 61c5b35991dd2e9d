/** Reads a builder's connections, numbered and by name, and hands those that lead somewhere to the wiring. */
import { isObject } from '../json';
import type { NodeDraft } from './builder-draft';
import { LAYOUT_KEYS } from './builder-draft';
import { isControlInput } from './builder-kinds';
import { readEnd, type End, type Port, type Ports } from './builder-shape';
import { connect } from './builder-wiring';
import { type ImportNotes } from './import-report';
import { toPointer } from './pointer';

export interface Board {
  /** By the block's id; of blocks with the same id the first. */
  readonly drafts: ReadonlyMap<string, NodeDraft>;
  /** The one block that began every execution, which is no node. */
  readonly start: NodeDraft | undefined;
  readonly notes: ImportNotes;
}

const KEPT_KEYS: ReadonlySet<string> = new Set([...LAYOUT_KEYS, 'id', 'name', 'animated', 'waypoints']);

/** True when a connection holds what an editor wants back. */
export function connectAll(connections: unknown, pointer: string, board: Board): boolean {
  if (connections === undefined) return false;
  if (!Array.isArray(connections)) {
    board.notes.lost(pointer, '`connections` must be a list and was left out.');
    return false;
  }
  const kept = connections.map((each: unknown, at) => connectOne(each, pointer + toPointer(at), board));
  return kept.includes(true);
}

function connectOne(connection: unknown, pointer: string, board: Board): boolean {
  const { notes } = board;
  const [from, to] = isObject(connection) ? [readEnd(connection.from), readEnd(connection.to)] : [];
  if (!isObject(connection) || from === undefined || to === undefined) {
    notes.lost(pointer, 'A connection must be {from: {blockId, index}, to: {blockId, index}}; it was left out.');
    return false;
  }
  const output = portAt(from, 'outputs', pointer, board);
  const input = portAt(to, 'inputs', pointer, board);
  if (output !== undefined && input !== undefined) {
    link({ from: output.draft, output: output.port.name, to: input.draft, input: input.port, pointer }, board);
  }
  return [
    noteKeys(connection, ['from', 'to'], pointer, notes),
    noteKeys(connection.from, ['blockId', 'index'], `${pointer}/from`, notes),
    noteKeys(connection.to, ['blockId', 'index'], `${pointer}/to`, notes),
  ].includes(true);
}

/** Reports keys that may mean something; true when there are others, which only an editor reads. */
function noteKeys(value: unknown, own: readonly string[], pointer: string, notes: ImportNotes): boolean {
  const keys = Object.keys(isObject(value) ? value : {}).filter((key) => !own.includes(key));
  for (const key of keys.filter((each) => !KEPT_KEYS.has(each))) {
    notes.lost(pointer + toPointer(key), `A connection’s key \`${key}\` has no counterpart and was left out.`);
  }
  return keys.some((key) => KEPT_KEYS.has(key));
}

function portAt(end: End, side: 'inputs' | 'outputs', pointer: string, { drafts, notes }: Board) {
  const draft = drafts.get(end.block_id);
  const place = `${pointer}/${side === 'inputs' ? 'to' : 'from'}`;
  if (draft === undefined) {
    notes.lost(`${place}/blockId`, `There is no block \`${end.block_id}\`; the connection was left out.`);
    return undefined;
  }
  const ports: Ports = draft.block[side];
  const port = ports[end.index];
  if (port !== undefined) return { draft, port };
  const lists = `lists ${ports.length} ${ports.length === 1 ? side.slice(0, -1) : side}`;
  notes.lost(
    `${place}/index`,
    `Block \`${end.block_id}\` ${lists}, none under ${end.index}; the connection was left out.`,
  );
  return undefined;
}

interface Link {
  readonly from: NodeDraft;
  readonly output: string;
  readonly to: NodeDraft;
  readonly input: Pick<Port, 'name' | 'type'>;
  readonly pointer: string;
}

/** What followed the block that began the execution begins it now; a value that block gave comes from nowhere. */
function link(each: Link, { start, notes }: Board): void {
  const { from, output, to, input, pointer } = each;
  if (from !== start && to !== start) {
    connect(each, notes);
  } else if (to !== start && isControlInput(input.name, input.type)) {
    notes.changed(pointer, `Every execution begins here, so node \`${to.id}\` does not wait for \`${from.id}\`.`);
  } else {
    const ends = `from \`${output}\` of \`${from.id}\` to \`${input.name}\` of \`${to.id}\``;
    notes.lost(pointer, `The connection ${ends} has no counterpart: one of them is how executions begin, not a node.`);
  }
}

/** Inputs as hand-written blocks have them: `{value: "spread.bps"}`. */
export function connectNamed(draft: NodeDraft, board: Board): void {
  const { inputs } = draft.block.raw;
  if (!isObject(inputs)) return;
  for (const [name, value] of Object.entries(inputs)) {
    const pointer = `${draft.block.pointer}/inputs${toPointer(name)}`;
    const [id = '', output, ...rest] = typeof value === 'string' ? value.split('.') : [];
    const from = board.drafts.get(id);
    if (from !== undefined && output !== undefined && rest.length === 0) {
      link({ from, output, to: draft, input: { name, type: undefined }, pointer }, board);
    } else {
      board.notes.lost(pointer, `\`${name}\` of node \`${draft.id}\` is not block.output of a block there is.`);
    }
  }
}
