import { present } from '../json';
import { fromPointer } from './pointer';

/** One mistake in a graph, placed so that an editor can jump to it. */
export interface Mistake {
  /** Stable, for programs: one of `mistakeCatalogue`. */
  readonly code: MistakeCode;
  /** JSON pointer into the graph, e.g. `/nodes/sma/params/period`. */
  readonly path: string;
  /** The node it is in; of one in a body with those around it: `each/price`. */
  readonly node_id?: string;
  /** One sentence. */
  readonly message: string;
  /** The nearest valid name, where there is one. */
  readonly suggestion?: string;
  /** 1-based, where the text is at hand. */
  readonly line?: number;
  readonly column?: number;
}

/** Every code validation can give, with what it means. */
export const mistakeCatalogue = {
  syntax: 'The text is neither a JSON nor a YAML object.',
  duplicate_key: 'A key that stands twice in one object.',
  shape: 'A value has the wrong type or is out of range.',
  unknown_key: 'A key the language does not have.',
  bad_id: 'An id that does not match [A-Za-z][A-Za-z0-9_-]*, or is reserved.',
  unknown_kind: 'A node type nobody declares.',
  unknown_field: 'A field the kind does not have.',
  missing_field: 'A field the kind requires is given neither in params nor in inputs.',
  field_given_twice: 'A field stands in params and in inputs.',
  bad_field: 'A literal the field does not accept.',
  bad_fields: 'Fields that are fine one by one, but not together.',
  bad_reference: 'A reference that is not of the form node.output.',
  dangling_reference: 'A reference to a node that does not exist.',
  unknown_output: 'A reference to an output or branch the node’s kind does not have.',
  type_mismatch: 'The output’s type does not fit the field’s.',
  bad_scope:
    'A reference to what cannot be seen from there: a node of another body, the item of a loop outside of one.',
  unknown_input: 'A reference to a start input that is not declared.',
  unknown_variable: 'A variable that is not declared.',
  bad_output: 'An output of a graph or a body that is not a data reference, or has an unusable name.',
  bad_default: 'A default that is not of the input’s type.',
  missing_body: 'A node of a kind that needs a `body` has none, or one without nodes.',
  unexpected_body: 'A `body` on a node of a kind that takes none, or beside what names another graph.',
  bad_policy: 'A key that means nothing for the node’s kind, or contradicts another.',
  bad_on_halt: '`on_halt` is empty, or holds a node of a kind that cannot run there.',
  cycle: 'Nodes that wait for each other.',
  unreachable_node: 'A node whose conditions can never hold together.',
  join_too_large: 'A join that asks for more edges than the node has.',
  bad_trigger: 'A trigger that cannot be scheduled.',
  not_imported: 'Something of another shape that the language cannot say, so the graph would do less.',
  too_many_nodes: 'More than 10,000 nodes, those of all bodies counted.',
  too_deep: 'Bodies nested deeper than 5.',
  too_large: 'More than 1 MiB, or nested deeper than 64 levels.',
} as const;

export type MistakeCode = keyof typeof mistakeCatalogue;

/** Makes a mistake; the node's id is read from the path. */
export function mistake(code: MistakeCode, path: string, message: string, suggestion?: string): Mistake {
  return { code, path, ...present({ node_id: nodeIdAt(path) }), message, ...present({ suggestion }) };
}

/** `each/price` below `/nodes/each/body/nodes/price`; undefined outside of nodes. */
function nodeIdAt(path: string): string | undefined {
  const steps = fromPointer(path);
  const ids = steps[0] === 'on_halt' ? [steps.shift() ?? ''] : [];
  const before = ids.length;
  for (let at = 0; steps[at] === 'nodes' && steps[at + 1] !== undefined; at += 3) {
    ids.push(steps[at + 1] ?? '');
    if (steps[at + 2] !== 'body') break;
  }
  return ids.length === before ? undefined : ids.join('/');
}

/**
 * Lines for a terminal or an editor: `file:line:column  code  sentence (did you mean …?)`. Without a known place the JSON
 * pointer stands in for it.
 */
export function formatMistakes(mistakes: readonly Mistake[], file = 'graph'): string {
  return mistakes.map((each) => `${placeOf(each, file)}  ${each.code}  ${each.message}${hintOf(each)}`).join('\n');
}

function placeOf({ line, column, path }: Mistake, file: string): string {
  return line === undefined || column === undefined ? `${file}#${path}` : `${file}:${line}:${column}`;
}

function hintOf({ suggestion }: Mistake): string {
  return suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`;
}
