/** What a reference means where it stands: in its own frame, in the frames around it, in the loop's item, in the start inputs. */
import { escapeReserved, holdsBlob, stepInto } from './blob';
import type { Frame, FrameTable, LoopPlace } from './frame';
import { itemAt } from './item-at';
import type { Loop } from './loop';
import type { PlannedNode } from './plan';
import { fillTemplate, parseDataReference, referencesInFormula, referencesInTemplate, valueAt } from './references';
import type { FormulaValue } from './task';

export interface Scope {
  readonly frames: FrameTable;
  /** Those at work, by their instance. */
  readonly loops: ReadonlyMap<number, Loop>;
  /** What the execution was started with. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

type ValueOf = (reference: string) => unknown;

/** Undefined where the reference leads nowhere, or the output was dropped. */
export function valueIn(scope: Scope, frame: Frame, text: string): unknown {
  const reference = parseDataReference(text);
  if (reference === undefined) return undefined;
  const { node, path } = reference;
  if (node === 'input') return stepInto(scope.inputs, path);
  if (node === 'item') return itemIn(scope, frame, path);
  return outputIn(scope, frame, node, path);
}

function outputIn(scope: Scope, frame: Frame, id: string, path: readonly string[]): unknown {
  const index = frame.plan.index.get(id);
  if (index !== undefined) {
    const node = frame.run.nodes[index];
    return node?.state === 'completed' ? stepInto(node.outputs, path) : undefined;
  }
  return frame.loop === undefined ? undefined : outputIn(scope, scope.frames.of(frame.loop.owner), id, path);
}

/** `item.value` and `item.index` of the innermost loop, `item.last` of a `repeat`, `item.parent` of the loop around it. */
function itemIn(scope: Scope, { loop }: Frame, [part = '', ...path]: readonly string[]): unknown {
  if (loop === undefined) return undefined;
  switch (part) {
    case 'parent':
      return itemIn(scope, scope.frames.of(loop.owner), path);
    case 'index':
      return path.length === 0 ? loop.index : undefined;
    case 'last':
      return stepInto(scope.loops.get(loop.owner)?.last, path);
    case 'value':
      return itemValue(scope, loop, path);
    default:
      return undefined;
  }
}

function itemValue(scope: Scope, { owner, index }: LoopPlace, path: readonly string[]): unknown {
  const around = scope.frames.of(owner);
  const { inputs, params } = itemAt(around.plan.nodes, owner - around.base);
  const place = [String(index), ...path];
  const reference = inputs['items'];
  if (reference !== undefined) return stepInto(valueIn(scope, around, reference), place);
  return escapeReserved(valueAt(params['items'], place));
}

/** One field of a node. */
function fieldIn(scope: Scope, frame: Frame, { params, inputs, traits }: PlannedNode, name: string): unknown {
  const valueOf: ValueOf = (reference) => valueIn(scope, frame, reference);
  const isFormula = traits.formulas.includes(name);
  const reference = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
  if (reference !== undefined) return isFormula ? formulaValue(reference, valueOf) : valueOf(reference);
  const literal = params[name];
  if (typeof literal !== 'string') return escapeReserved(literal);
  return isFormula ? formulaValue(literal, valueOf) : filled(literal, valueOf);
}

/**
 * The fields a node is run with: literals with their `{{references}}` filled in, inputs by their references. A reference whose
 * edge was not taken (possible where a join counts it) leaves its field out.
 */
export function fieldsIn(scope: Scope, frame: Frame, node: PlannedNode): Record<string, unknown> {
  const names = [...Object.keys(node.params), ...Object.keys(node.inputs)];
  const fields = names.map((name) => [name, fieldIn(scope, frame, node, name)] as const);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** What a graph or a body gives: its `outputs`, those left out that have no value. */
export function outputsIn(scope: Scope, frame: Frame): Record<string, unknown> {
  const outputs = Object.entries(frame.plan.outputs).map(
    ([name, text]) => [name, valueIn(scope, frame, text)] as const,
  );
  return Object.fromEntries(outputs.filter(([, value]) => value !== undefined));
}

/** A text that needs a stored value is filled in where that can be read. */
function filled(text: string, valueOf: ValueOf): unknown {
  const references = referencesInTemplate(text);
  if (references.length === 0) return text;
  const values = references.map((each) => [each, valueOf(each)] as const);
  if (!values.some(([, value]) => holdsBlob(value))) return fillTemplate(text, valueOf);
  return { $template: text, values: Object.fromEntries(values) };
}

function formulaValue(formula: string, valueOf: ValueOf): FormulaValue {
  return { formula, values: Object.fromEntries(referencesInFormula(formula).map((each) => [each, valueOf(each)])) };
}
