/** The inputs of a hand-written executor as references. */
import type { InlineDraft } from './inline-draft';
import type { ImportNotes } from './import-report';
import { asFieldTakes, typeOfField } from './import-values';
import { toPointer } from './pointer';

type Nodes = ReadonlyMap<string, InlineDraft>;

/**
 * A list of inputs names no fields, so it is carried only where there is one input and one field that it can be. In an object of inputs
 * a node alone means its only output, and a number or a truth value is a literal.
 */
export function inputsOf(draft: InlineDraft, nodes: Nodes, notes: ImportNotes): void {
  if (Array.isArray(draft.rest.get('inputs'))) carryList(draft, nodes, notes);
  for (const [name, value] of draft.inputs ?? []) carryInput(draft, [name, value], { nodes, notes });
}

interface World {
  readonly nodes: Nodes;
  readonly notes: ImportNotes;
}

function carryInput({ id, pointer, kind, inputs, params }: InlineDraft, entry: [string, unknown], world: World): void {
  const [name, value] = entry;
  const { nodes, notes } = world;
  const place = `${pointer}/inputs${toPointer(name)}`;
  const reference = typeof value === 'string' ? singleOutput(value, nodes) : undefined;
  if (reference !== undefined) {
    inputs?.set(name, reference);
    notes.changed(place, `\`${value as string}\` in \`${name}\` of node ${id} became \`${reference}\`.`);
  } else if ((typeof value === 'number' || typeof value === 'boolean') && params !== undefined && !params.has(name)) {
    const literal = asFieldTakes(value, typeOfField(kind, name));
    inputs?.delete(name);
    params.set(name, literal);
    notes.moved(toPointer('nodes', id, 'params', name), place);
    notes.changed(place, `\`${name}\` of node ${id} is no reference and became the param ${JSON.stringify(literal)}.`);
  }
}

/** `node.output` for a node alone, where its kind gives one output. */
function singleOutput(text: string, nodes: Nodes): string | undefined {
  const outputs = Object.keys(nodes.get(text)?.kind?.outputs ?? {});
  return outputs.length === 1 ? `${text}.${outputs.join('')}` : undefined;
}

function carryList({ id, pointer, rest, kind, params }: InlineDraft, nodes: Nodes, notes: ImportNotes): void {
  const list = rest.get('inputs') as unknown[];
  const place = `${pointer}/inputs`;
  rest.delete('inputs');
  if (list.length === 0) {
    notes.changed(place, `The empty \`inputs\` of node ${id} was left out.`);
    return;
  }
  const open = Object.entries(kind?.fields ?? {}).filter(
    ([name, { required }]) => required && !rest.has(name) && params?.has(name) !== true,
  );
  const [[field] = []] = open;
  const reference = list.length === 1 ? referenceOf(list[0], nodes) : undefined;
  if (field === undefined || open.length !== 1 || reference === undefined) {
    notes.lost(
      place,
      `The inputs of node ${id} are a list and name no fields; write \`inputs: {field: "node.output"}\`.`,
    );
    return;
  }
  rest.set('inputs', { [field]: reference });
  notes.moved(toPointer('nodes', id, 'inputs', field), `${place}/0`);
  notes.changed(place, `The only input of node ${id} became \`${field}\`: \`${reference}\`.`);
}

function referenceOf(value: unknown, nodes: Nodes): string | undefined {
  if (typeof value !== 'string') return undefined;
  return (
    singleOutput(value, nodes) ?? (nodes.has(value.split('.')[0] ?? '') && value.includes('.') ? value : undefined)
  );
}
