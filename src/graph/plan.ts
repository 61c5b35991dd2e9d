/**
 * A graph as the scheduler needs it: nodes by index, every reference an edge, `when` turned into a condition node of its own.
 * A pure function of the graph and the traits an execution carries, so it is never stored.
 */
import { durationMs } from './duration';
import type { KindTraits, RetryTraits } from './kinds';
import { guardIdOf } from './names';
import { parseControlReference, parseDataReference, referencesInFormula, referencesInTemplate } from './references';
import type { Graph, NodeSpec } from './schema';

export interface PlannedNode {
  readonly id: string;
  readonly type: string;
  readonly traits: KindTraits;
  readonly timeout_ms: number;
  readonly retry: RetryTraits;
  readonly params: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, string>>;
  /** How many incoming edges must be taken before it starts. */
  readonly need: number;
  /** True when a failure does not fail the execution: `on_error: continue`, or someone refers to `error` or `finished`. */
  readonly failure_is_handled: boolean;
  /** Indexes into `edges`. */
  readonly incoming: readonly number[];
  readonly outgoing: readonly number[];
}

/** `on`: `success`, `error`, `finished`, a branch, or for data the name of the output. */
export interface PlannedEdge {
  readonly from: number;
  readonly to: number;
  readonly carries: 'data' | 'control';
  readonly on: string;
}

export interface Plan {
  readonly nodes: readonly PlannedNode[];
  readonly edges: readonly PlannedEdge[];
  readonly index: ReadonlyMap<string, number>;
}

/** A reference before it is an edge. */
export interface Reference {
  readonly node: string;
  readonly carries: 'data' | 'control';
  readonly on: string;
}

interface Draft {
  readonly id: string;
  readonly spec: NodeSpec;
  readonly guarded: boolean;
}

/** Plans a valid graph: what `validateGraph` accepts. References that lead nowhere are dropped, kinds without traits are a defect. */
export function planGraph(graph: Graph, kinds: Readonly<Record<string, KindTraits>>): Plan {
  const drafts = Object.entries(graph.nodes).flatMap(([id, spec]) => draftsOf(id, spec));
  const index = new Map(drafts.map(({ id }, position) => [id, position]));
  const edges: PlannedEdge[] = [];
  const incoming: number[][] = drafts.map(() => []);
  const outgoing: number[][] = drafts.map(() => []);
  drafts.forEach((draft, to) => {
    for (const { node, carries, on } of referencesOf(draft, kinds)) {
      const from = index.get(node);
      if (from === undefined) continue;
      const edge = edges.push({ from, to, carries, on }) - 1;
      incoming[to]?.push(edge);
      outgoing[from]?.push(edge);
    }
  });
  const nodes = drafts.map((draft, at) =>
    planNode(draft, kinds, { incoming: incoming[at] ?? [], outgoing: outgoing[at] ?? [], edges }),
  );
  return { nodes, edges, index };
}

/** A node, and before it the guard its `when` stands for. */
function draftsOf(id: string, spec: NodeSpec): Draft[] {
  const node = { id, spec, guarded: spec.when !== undefined };
  if (spec.when === undefined) return [node];
  const guard: NodeSpec = { type: 'if', params: { condition: spec.when } };
  return [{ id: guardIdOf(id), spec: guard, guarded: false }, node];
}

function planNode(
  { id, spec }: Draft,
  kinds: Readonly<Record<string, KindTraits>>,
  { incoming, outgoing, edges }: { incoming: number[]; outgoing: number[]; edges: readonly PlannedEdge[] },
): PlannedNode {
  const traits = kinds[spec.type];
  if (traits === undefined) throw new RangeError(`no traits for node kind ${spec.type}`);
  return {
    id,
    type: spec.type,
    traits,
    timeout_ms: durationMs(spec.timeout) ?? traits.timeout_ms,
    retry: retryOf(spec, traits.retry),
    params: spec.params ?? {},
    inputs: spec.inputs ?? {},
    need: needOf(spec, incoming.length),
    failure_is_handled: spec.on_error === 'continue' || outgoing.some((edge) => handlesFailure(edges[edge])),
    incoming,
    outgoing,
  };
}

function needOf({ join = 'all' }: NodeSpec, edges: number): number {
  if (join === 'all') return edges;
  return Math.min(join === 'any' ? 1 : join, edges);
}

function handlesFailure(edge: PlannedEdge | undefined): boolean {
  return edge?.carries === 'control' && (edge.on === 'error' || edge.on === 'finished');
}

function retryOf({ retry }: NodeSpec, defaults: RetryTraits): RetryTraits {
  return {
    max_attempts: retry?.max_attempts ?? defaults.max_attempts,
    initial_ms: durationMs(retry?.initial) ?? defaults.initial_ms,
    backoff: retry?.backoff ?? defaults.backoff,
    max_ms: durationMs(retry?.max) ?? defaults.max_ms,
  };
}

/** What a node waits for, each once, in the order it is written. */
function referencesOf({ id, spec, guarded }: Draft, kinds: Readonly<Record<string, KindTraits>>): Reference[] {
  const references = [
    ...(guarded ? [{ node: guardIdOf(id), carries: 'control' as const, on: 'true' }] : []),
    ...(spec.after ?? []).flatMap(controlReference),
    ...dataTexts(spec, kinds[spec.type]?.formulas ?? []).flatMap(dataReference),
  ];
  const unique = new Map(references.map((each) => [`${each.node} ${each.carries} ${each.on}`, each]));
  return [...unique.values()];
}

/** The texts of all data references of a node: inputs, templates in text params, formulas. */
export function dataTexts({ params = {}, inputs = {} }: NodeSpec, formulas: readonly string[]): string[] {
  const inParams = Object.entries(params).flatMap(([name, value]) => {
    if (typeof value !== 'string') return [];
    return formulas.includes(name) ? referencesInFormula(value) : referencesInTemplate(value);
  });
  return [...Object.values(inputs), ...inParams];
}

function controlReference(text: string): Reference[] {
  const reference = parseControlReference(text);
  return reference === undefined ? [] : [{ node: reference.node, carries: 'control', on: reference.on }];
}

function dataReference(text: string): Reference[] {
  const reference = parseDataReference(text);
  return reference === undefined ? [] : [{ node: reference.node, carries: 'data', on: reference.path[0] ?? '' }];
}
