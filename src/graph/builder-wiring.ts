/** Connections between ports as references between nodes. */
import type { NodeDraft } from './builder-draft';
import { endingNamed, isControlInput, type OutputAlias } from './builder-kinds';
import type { Port } from './builder-shape';
import { branchNamed, fieldNamed, outputNamed } from './import-names';
import type { ImportNotes } from './import-report';
import { aliasOf, ownOf, typeOfField } from './import-values';
import type { KindDeclaration } from './kinds';
import { toPointer } from './pointer';
import type { ValueType } from './value-types';

export interface Connection {
  readonly from: NodeDraft;
  readonly output: string;
  readonly to: NodeDraft;
  readonly input: Pick<Port, 'name' | 'type'>;
  /** JSON pointer into the original. */
  readonly pointer: string;
}

/** Adds one connection to the node it leads to. */
export function connect(connection: Connection, notes: ImportNotes): void {
  const { from, to, output, pointer } = connection;
  const field = fieldOf(to, connection.input);
  const source = sourceOf(from, output);
  if (source.unknown) {
    const kept = `it is kept as \`${from.id}.${output}\`, and validation refuses it`;
    notes.changed(pointer, `The kind ${from.type} has no output or branch \`${output}\`; ${kept}.`);
  }
  if (field === undefined) order(connection, source, notes);
  else feed(connection, { field, source }, notes);
}

/** The field an input port is; undefined when the port only says when. */
function fieldOf({ row, kind }: NodeDraft, { name, type }: Connection['input']): string | undefined {
  const alias = aliasOf(row, name);
  if (alias !== undefined) return typeof alias === 'string' ? alias : alias.field;
  if (kind !== undefined && Object.hasOwn(kind.fields, name)) return name;
  if (isControlInput(name, type)) return undefined;
  return (kind && fieldNamed(kind, name)) ?? name;
}

interface Source {
  /** The output that holds the value. */
  readonly output: string | undefined;
  /** Undefined where the kind is unknown. */
  readonly type: ValueType | undefined;
  /** The branch or ending. */
  readonly on: string | undefined;
  /** True when a known kind has neither. */
  readonly unknown: boolean;
}

/** A name that the kind does not have stands for itself, as output and as branch: validation refuses it with a suggestion. */
function sourceOf({ row, kind }: NodeDraft, name: string): Source {
  if (kind === undefined) return { output: name, on: name, type: undefined, unknown: false };
  const alias: OutputAlias = ownOf(row?.outputs, name) ?? { output: name, on: name };
  const output = alias.output === undefined ? undefined : outputNamed(kind, alias.output);
  const branch = alias.on === undefined ? undefined : branchNamed(kind, alias.on);
  if (output !== undefined) return { output, on: branch, type: typeOfOutput(kind, output), unknown: false };
  const on = branch ?? endingOf(kind, name);
  if (on !== undefined) return { output, on, type: undefined, unknown: false };
  return { output: name, on: name, type: undefined, unknown: true };
}

function typeOfOutput({ outputs }: KindDeclaration, output: string): ValueType {
  return ownOf(outputs, output)?.type ?? 'any';
}

function endingOf({ branches_from }: KindDeclaration, name: string): string | undefined {
  return endingNamed(name) ?? (branches_from === undefined ? undefined : name);
}

/** A control port: the node waits for a branch or an ending, or for a value to be true. */
function order({ from, to, input, pointer }: Connection, { output, type, on }: Source, notes: ImportNotes): void {
  noteSecond(to, input.name, pointer, notes);
  if (on !== undefined) {
    waitFor(to, on === 'success' ? from.id : `${from.id}.${on}`, pointer, notes);
  } else if (type === 'boolean' || type === 'any') {
    const condition = `${from.id}.${output ?? ''}`;
    to.conditions.push(condition);
    notes.moved(toPointer('nodes', to.id, 'when'), pointer);
    notes.changed(pointer, `Node \`${to.id}\` runs only when \`${condition}\` is true.`);
  } else {
    waitFor(to, from.id, pointer, notes);
    const why = `\`${output ?? ''}\` of \`${from.id}\` is no truth value`;
    notes.changed(pointer, `${why}, so node \`${to.id}\` only waits for \`${from.id}\` to complete.`);
  }
}

function waitFor({ id, after }: NodeDraft, reference: string, pointer: string, notes: ImportNotes): void {
  if (after.has(reference)) {
    notes.changed(pointer, `Node \`${id}\` waits for \`${reference}\` already.`);
    return;
  }
  notes.moved(toPointer('nodes', id, 'after', after.size), pointer);
  after.add(reference);
}

/** Two connections at one port mean *either* in one builder and *both* in another. */
function noteSecond({ id, triggered }: NodeDraft, port: string, pointer: string, notes: ImportNotes): void {
  const first = triggered.get(port);
  if (first === undefined) {
    triggered.set(port, pointer);
    return;
  }
  const choice = 'write `join` if one of them is enough';
  notes.lost(pointer, `The port \`${port}\` is connected at ${first} too; node \`${id}\` waits for both: ${choice}.`);
}

interface Feed {
  readonly field: string;
  readonly source: Source;
}

/** A data port: the field is given by reference; a formula is such a reference itself. */
function feed({ from, to, output, pointer }: Connection, { field, source }: Feed, notes: ImportNotes): void {
  if (source.output === undefined) {
    const why = `\`${output}\` of \`${from.id}\` is a branch or an ending and carries no value`;
    notes.lost(pointer, `${why} for the field \`${field}\` of node \`${to.id}\`.`);
    return;
  }
  const reference = `${from.id}.${source.output}`;
  const formula = typeOfField(to.kind, field) === 'formula';
  const given = formula ? to.params.get(field) : to.inputs.get(field);
  if (given === reference) {
    notes.changed(pointer, `Node \`${to.id}\` takes \`${field}\` from \`${reference}\` already.`);
  } else if (given !== undefined) {
    notes.lost(pointer, `The field \`${field}\` of node \`${to.id}\` is given already; \`${reference}\` was left out.`);
  } else if (formula) {
    to.params.set(field, reference);
    notes.moved(toPointer('nodes', to.id, 'params', field), pointer);
  } else {
    to.inputs.set(field, reference);
    notes.moved(toPointer('nodes', to.id, 'inputs', field), pointer);
  }
}
