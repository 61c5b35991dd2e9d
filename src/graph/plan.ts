/**
 * A graph as the scheduler needs it: nodes by index, every reference an edge, `when` turned into a condition node of its own, and
 * the body of a node a plan of its own. A pure function of the graph and the traits an execution carries, so it is never stored.
 */
import { itemAt } from './item-at';
import { present } from '../json';
import { assertGraph } from './assert-graph';
import { durationMs } from './duration';
import type { KindTraits, RetryTraits } from './kinds';
import { guardIdOf, LOOP_GUARD, SCOPE_IDS } from './names';
import { parseControlReference, parseDataReference, referencesInFormula, referencesInTemplate } from './references';
import type { Body, Defaults, Graph, NodeSpec } from './schema';
import type { RateLimit } from './task';

export interface PlannedNode {
  readonly id: string;
  readonly type: string;
  readonly traits: KindTraits;
  /** Per attempt. */
  readonly timeout_ms: number;
  /** From its first start to its end, waits for a breaker and halts included. */
  readonly total_timeout_ms?: number;
  /** How old what it gave may be when, after a halt, another node starts with it. */
  readonly max_age_ms?: number;
  readonly retry: RetryTraits;
  readonly circuit_breaker?: string;
  readonly rate_limit?: RateLimit;
  readonly task_queue?: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, string>>;
  /** How many of its edges must be taken, whatever `join` says. */
  readonly required: number;
  /** How many of the edges `join` counts must be taken, and how many there are. */
  readonly need: number;
  readonly counted: number;
  /** True when a failure does not fail the graph: `on_error: continue`, or someone refers to `error` or `finished`. */
  readonly failure_is_handled: boolean;
  /** True when the graph or body gives something of it when it ends. */
  readonly is_output: boolean;
  /** Indexes into `edges`. */
  readonly incoming: readonly number[];
  readonly outgoing: readonly number[];
  /** Of `map` and `repeat`. */
  readonly body?: Plan;
  /** Of `subgraph`: planned by the execution it becomes. */
  readonly child?: Body;
}

/** `on`: `success`, `error`, `finished`, a branch, or for data the name of the output. */
export interface PlannedEdge {
  readonly from: number;
  readonly to: number;
  readonly carries: 'data' | 'control';
  readonly on: string;
  /** True when `join` counts it; every other edge is required. */
  readonly counted: boolean;
}

export interface Plan {
  readonly nodes: readonly PlannedNode[];
  readonly edges: readonly PlannedEdge[];
  readonly index: ReadonlyMap<string, number>;
  /** Name to reference. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** A reference before it is an edge. */
export interface Reference {
  readonly node: string;
  readonly carries: 'data' | 'control';
  readonly on: string;
}

type Kinds = Readonly<Record<string, KindTraits>>;

interface Draft {
  readonly id: string;
  readonly spec: NodeSpec;
  /** What its `when` lets it wait for. */
  readonly guarded?: Reference;
}

interface World {
  readonly kinds: Kinds;
  readonly defaults: Defaults;
}

/**
 * Plans a valid graph: what `validateGraph` accepts. References that lead nowhere are dropped. Throws `RangeError` for a kind without
 * traits, and for what has not the shape of a graph; `assertRunnable` says whether a plan of a graph nobody validated can be run.
 */
export function planGraph(graph: Graph, kinds: Kinds): Plan {
  assertGraph(graph);
  return planBody(graph, { kinds, defaults: graph.defaults ?? {} });
}

/** The plan of what runs once per halt; without edges to the graph's own nodes. */
export function planOnHalt({ on_halt, defaults = {} }: Graph, kinds: Kinds): Plan | undefined {
  return on_halt === undefined ? undefined : planBody(on_halt, { kinds, defaults });
}

function planBody(body: Body, world: World): Plan {
  const drafts: Draft[] = [];
  for (const [id, spec] of Object.entries(body.nodes)) addDrafts(drafts, id, spec);
  const index = new Map<string, number>();
  drafts.forEach(({ id }, position) => index.set(id, position));
  const edges: PlannedEdge[] = [];
  drafts.forEach((draft, to) => {
    addEdges(edges, draft, to, { index, kinds: world.kinds });
  });
  const incoming = new EdgesByNode(edges, drafts.length, 'to');
  const outgoing = new EdgesByNode(edges, drafts.length, 'from');
  const given = new Set(
    Object.values(body.outputs ?? {}).flatMap((text) => dataReference(text).map(({ node }) => node)),
  );
  const nodes = drafts.map((draft, at) =>
    planNode(draft, world, { incoming: incoming.of(at), outgoing: outgoing.of(at), edges, given }),
  );
  return { nodes, edges, index, outputs: body.outputs ?? {} };
}

interface Known {
  readonly index: ReadonlyMap<string, number>;
  readonly kinds: Kinds;
}

/** References are read where they become edges: kept until then, they are most of what planning holds. */
function addEdges(edges: PlannedEdge[], { id, spec, guarded }: Draft, to: number, { index, kinds }: Known): void {
  const counts = countedBy(spec, id);
  const references = referencesOf(spec, kinds);
  for (const reference of guarded === undefined ? references : [guarded, ...references]) {
    const from = index.get(reference.node);
    if (from === undefined) continue;
    const { carries, on } = reference;
    edges.push({ from, to, carries, on, counted: counts(reference) });
  }
}

/** The edges at one end of each node, in lists without room to grow: of 10,000 that was more than all they hold. */
class EdgesByNode {
  /** Where the list of a node begins; the next one's begins where it ends. */
  readonly #starts: Int32Array;
  readonly #edges: number[];

  constructor(edges: readonly PlannedEdge[], nodes: number, end: 'from' | 'to') {
    const counts = new Int32Array(nodes + 1);
    for (const edge of edges) counts[edge[end]] = itemAt(counts, edge[end]) + 1;
    let sum = 0;
    this.#starts = counts.map((count) => (sum += count) - count);
    const next = this.#starts.slice();
    this.#edges = edges.map(() => 0);
    for (let at = 0; at < edges.length; at += 1) {
      const node = itemAt(edges, at)[end];
      const place = itemAt(next, node);
      this.#edges[place] = at;
      next[node] = place + 1;
    }
  }

  of(node: number): number[] {
    return this.#edges.slice(this.#starts[node], this.#starts[node + 1]);
  }
}

/**
 * `join` counts what `after` names, or where nothing stands there the data; `all` counts nothing, for every edge is required, as is
 * that from the guard of `when`.
 */
function countedBy({ join = 'all', after = [] }: NodeSpec, id: string) {
  if (join === 'all') return countsNothing;
  const guard = guardIdOf(id);
  const counted = after.length > 0 ? 'control' : 'data';
  return ({ node, carries }: Reference) => carries === counted && node !== guard;
}

const countsNothing = () => false;

/** A node, and before it the guard its `when` stands for. One that cannot be computed fails as the node would, and the node is skipped. */
function addDrafts(drafts: Draft[], id: string, spec: NodeSpec): void {
  if (spec.when === undefined) {
    drafts.push({ id, spec });
    return;
  }
  const guard: NodeSpec = { type: 'if', params: { condition: spec.when }, ...present({ on_error: spec.on_error }) };
  const guarded: Reference = { node: guardIdOf(id), carries: 'control', on: 'true' };
  drafts.push({ id: guardIdOf(id), spec: guard }, { id, spec, guarded });
}

interface Wiring {
  readonly incoming: number[];
  readonly outgoing: number[];
  readonly edges: readonly PlannedEdge[];
  /** Nodes that the outputs of the graph or body name. */
  readonly given: ReadonlySet<string>;
}

function planNode({ id, spec }: Draft, world: World, { incoming, outgoing, edges, given }: Wiring): PlannedNode {
  const traits = Object.hasOwn(world.kinds, spec.type) ? world.kinds[spec.type] : undefined;
  if (traits === undefined) throw new RangeError(`no traits for node kind ${spec.type}`);
  const counted = incoming.filter((edge) => edges[edge]?.counted === true).length;
  const defaults = defaultsFor(traits, world.defaults);
  const node: Writable<PlannedNode> = {
    id,
    type: spec.type,
    traits,
    timeout_ms: durationMs(spec.timeout ?? defaults.timeout) ?? traits.timeout_ms,
    retry: retryOf(spec.retry ?? NO_RETRY, defaults.retry ?? NO_RETRY, traits.retry),
    params: spec.params ?? {},
    inputs: spec.inputs ?? {},
    required: incoming.length - counted,
    need: needOf(spec, counted),
    counted,
    failure_is_handled: spec.on_error === 'continue' || outgoing.some((edge) => handlesFailure(edges[edge])),
    is_output: given.has(id),
    incoming,
    outgoing,
  };
  addLimits(node, spec, defaults);
  addBody(node, spec, world);
  return node;
}

function addBody(node: Writable<PlannedNode>, spec: NodeSpec, world: World): void {
  const body = loopBody(spec, world);
  if (body !== undefined) node.body = body;
  if (spec.type === 'subgraph' && spec.body !== undefined) node.child = spec.body;
}

/** `while` becomes a condition node at the end of the body; the loop goes on as long as it ends with `true`. */
function loopBody({ type, body, while: condition }: NodeSpec, world: World): Plan | undefined {
  if (body === undefined || type === 'subgraph') return undefined;
  if (condition === undefined) return planBody(body, world);
  const guard: NodeSpec = { type: 'if', params: { condition } };
  return planBody({ ...body, nodes: { ...body.nodes, [LOOP_GUARD]: guard } }, world);
}

/**
 * The graph's `defaults` hold for nodes that call the world; a pure node with them would only run slower. How often an order is sent
 * is no matter of defaults.
 */
function defaultsFor({ effect, follows }: KindTraits, defaults: Defaults): Defaults {
  if (effect === 'trade') return { ...defaults, retry: undefined, ...(follows ? { total_timeout: undefined } : {}) };
  return effect === 'read' || effect === 'notify' || effect === 'cancel' ? defaults : NO_DEFAULTS;
}

/** Keys that are absent stay so: one of 10,000 nodes seldom has any. */
function addLimits(policy: Writable<PlannedNode>, spec: NodeSpec, given: Defaults): void {
  const total_timeout_ms = durationMs(spec.total_timeout ?? given.total_timeout);
  const max_age_ms = durationMs(spec.max_age);
  const circuit_breaker = spec.circuit_breaker ?? given.circuit_breaker;
  const rate_limit = spec.rate_limit ?? given.rate_limit;
  const task_queue = spec.task_queue ?? given.task_queue;
  if (total_timeout_ms !== undefined) policy.total_timeout_ms = total_timeout_ms;
  if (max_age_ms !== undefined) policy.max_age_ms = max_age_ms;
  if (circuit_breaker !== undefined) policy.circuit_breaker = circuit_breaker;
  if (rate_limit !== undefined) policy.rate_limit = rateOf(rate_limit);
  if (task_queue !== undefined) policy.task_queue = task_queue;
}

function rateOf({ calls, per }: NonNullable<NodeSpec['rate_limit']>): RateLimit {
  return { calls, per_ms: durationMs(per) ?? 1_000 };
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Retry = NonNullable<NodeSpec['retry']>;

const NO_DEFAULTS: Defaults = {};
const NO_RETRY: Retry = {};

function needOf({ join = 'all' }: NodeSpec, counted: number): number {
  return join === 'all' ? 0 : Math.min(join === 'any' ? 1 : join, counted);
}

function handlesFailure(edge: PlannedEdge | undefined): boolean {
  return edge?.carries === 'control' && (edge.on === 'error' || edge.on === 'finished');
}

function retryOf(retry: Retry, defaults: Retry, kind: RetryTraits): RetryTraits {
  if (retry === NO_RETRY && defaults === NO_RETRY) return kind;
  const given = { ...defaults, ...present(retry) };
  return {
    max_attempts: given.max_attempts ?? kind.max_attempts,
    initial_ms: durationMs(given.initial) ?? kind.initial_ms,
    backoff: given.backoff ?? kind.backoff,
    max_ms: durationMs(given.max) ?? kind.max_ms,
  };
}

/** What a node waits for, each once, in the order it is written; for a loop also what its body takes from around it. */
function referencesOf(spec: NodeSpec, kinds: Kinds): Reference[] {
  const references: Reference[] = [];
  for (const text of spec.after ?? NO_TEXTS) addControl(references, text);
  for (const text of dataTexts(spec, kinds[spec.type]?.formulas ?? NO_TEXTS)) addData(references, text);
  if (spec.body !== undefined) for (const each of capturedBy(spec, kinds)) references.push(each);
  return withoutRepeats(references);
}

/** Of references to different nodes none repeats another: the keys of the rest cost as much as to read them. */
function withoutRepeats(references: Reference[]): Reference[] {
  if (references.length < 2) return references;
  if (new Set(references.map(({ node }) => node)).size === references.length) return references;
  return [...new Map(references.map((each) => [`${each.node} ${each.carries} ${each.on}`, each])).values()];
}

function addControl(references: Reference[], text: string): void {
  const reference = parseControlReference(text);
  if (reference !== undefined) references.push({ node: reference.node, carries: 'control', on: reference.on });
}

function addData(references: Reference[], text: string): void {
  const reference = parseDataReference(text);
  if (reference !== undefined)
    references.push({ node: reference.node, carries: 'data', on: itemAt(reference.path, 0) });
}

const NO_TEXTS: readonly string[] = [];

/** The data references of a body that name no node of it: they are read where the loop stands. */
function capturedBy({ type, body, while: condition }: NodeSpec, kinds: Kinds): Reference[] {
  if (body === undefined || type === 'subgraph') return [];
  const own = new Set(Object.keys(body.nodes));
  const inside = [
    ...Object.values(body.nodes).flatMap((spec) => dataReferencesOf(spec, kinds)),
    ...Object.values(body.outputs ?? {}).flatMap(dataReference),
    ...(condition === undefined ? [] : referencesInFormula(condition).flatMap(dataReference)),
  ];
  return inside.filter(({ node }) => !own.has(node) && !SCOPE_IDS.has(node));
}

function dataReferencesOf(spec: NodeSpec, kinds: Kinds): Reference[] {
  const guard = spec.when === undefined ? [] : referencesInFormula(spec.when).flatMap(dataReference);
  return [...guard, ...referencesOf(spec, kinds).filter(({ carries }) => carries === 'data')];
}

type FieldsOf = Pick<PlannedNode, 'params' | 'inputs'> | Pick<NodeSpec, 'params' | 'inputs'>;

/** The texts of all data references of a node: inputs, templates in text params, formulas. */
export function dataTexts({ params = {}, inputs = {} }: FieldsOf, formulas: readonly string[]): string[] {
  const texts = Object.values(inputs);
  for (const name of Object.keys(params)) {
    const value = params[name];
    if (typeof value !== 'string') continue;
    if (formulas.includes(name)) texts.push(...referencesInFormula(value));
    else if (value.includes('{{')) texts.push(...referencesInTemplate(value));
  }
  return texts;
}

function dataReference(text: string): Reference[] {
  const references: Reference[] = [];
  addData(references, text);
  return references;
}
