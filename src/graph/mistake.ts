import { fromPointer } from './pointer';

/** One mistake in a graph, placed so that an editor can jump to it. */
export interface Mistake {
  /** Stable, for programs: one of `mistakeCatalogue`. */
  readonly code: MistakeCode;
  /** JSON pointer into the graph, e.g. `/nodes/sma/params/period`. */
  readonly path: string;
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
  bad_reference: 'A reference that is not of the form node.output.',
  dangling_reference: 'A reference to a node that does not exist.',
  unknown_output: 'A reference to an output or branch the node’s kind does not have.',
  type_mismatch: 'The output’s type does not fit the field’s.',
  cycle: 'Nodes that wait for each other.',
  unreachable_node: 'A node whose conditions can never hold together.',
  join_too_large: 'A join that asks for more edges than the node has.',
  when_needs_join_all: '`when` on a node whose join is not `all`.',
  bad_trigger: 'A trigger that cannot be scheduled.',
  too_many_nodes: 'More than 10,000 nodes.',
  too_large: 'More than 1 MiB, or nested deeper than 64 levels.',
} as const;

export type MistakeCode = keyof typeof mistakeCatalogue;

/** Makes a mistake; the node's id is read from a path below `/nodes`. */
export function mistake(code: MistakeCode, path: string, message: string, suggestion?: string): Mistake {
  const [first, nodeId] = fromPointer(path);
  return {
    code,
    path,
    ...(first === 'nodes' && nodeId !== undefined ? { node_id: nodeId } : {}),
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
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
