/**
 * The scheduler: which node may start, decided from the outcomes so far. Plain functions over a plan and a JSON state.
 *
 * S1. A node starts when its join is satisfied, not when a level is done.
 * S2. An edge is settled once, as taken or not taken. A node whose join can no longer be satisfied is skipped, and the skip
 *     settles its own edges.
 * S3. Decisions depend only on the plan and the order of outcomes.
 * S4. Settling costs O(edges of that node), amortised over the nodes it skips.
 * S6. The state is JSON and a run can be rebuilt from it at any point. Its outputs stay under `OUTPUT_BUDGET`: beyond half of
 *     it, outputs that nothing unfinished reads are dropped, oldest first; what is still read is never dropped.
 *
 * The state is changed in place: a copy per outcome would cost O(nodes) and break S4.
 */
import { present } from '../json';
import type { Plan, PlannedEdge, PlannedNode } from './plan';
import { fillTemplate, parseDataReference, referencesInFormula, valueAt } from './references';
import type { FormulaValue } from './task';

/** Characters of JSON. */
export const OUTPUT_BUDGET = 1_000_000;
const KEEP_UNREAD = OUTPUT_BUDGET / 2;

export type RunNode =
  | { state: 'pending'; taken: number; lost: number }
  | { state: 'ready' }
  | { state: 'running' }
  | { state: 'completed'; branch?: string; outputs?: Readonly<Record<string, unknown>>; readers: number; size: number }
  | { state: 'failed'; error: string; error_type: string }
  | { state: 'skipped'; reason: string };

export interface RunState {
  /** By the plan's index. */
  nodes: RunNode[];
  unsettled: number;
  /** The first failure nobody handles; set once. */
  failure?: { node_id: string; error: string; error_type: string };
  /** Size of all outputs held, in characters of JSON. */
  held: number;
  /** Completed nodes whose outputs nobody unfinished reads, oldest first. */
  unread: number[];
}

export type Outcome =
  | { readonly kind: 'completed'; readonly outputs: Readonly<Record<string, unknown>>; readonly branch?: string }
  | { readonly kind: 'failed'; readonly error: string; readonly error_type: string };

/** What follows from an outcome, as indexes of the plan, in the order it must be acted on. */
export interface Decision {
  readonly ready: number[];
  readonly skipped: number[];
}

export function createRun(plan: Plan): { state: RunState; decision: Decision } {
  const nodes = plan.nodes.map<RunNode>(({ need }) =>
    need === 0 ? { state: 'ready' } : { state: 'pending', taken: 0, lost: 0 },
  );
  const ready = plan.nodes.flatMap(({ need }, index) => (need === 0 ? [index] : []));
  return { state: { nodes, unsettled: nodes.length, held: 0, unread: [] }, decision: { ready, skipped: [] } };
}

/** Marks a ready node as handed out. */
export function start(state: RunState, index: number): void {
  const node = state.nodes[index];
  if (node?.state !== 'ready') throw new RangeError(`node ${index} is ${node?.state ?? 'unknown'}, not ready`);
  state.nodes[index] = { state: 'running' };
}

/** Takes a running node back, as if it had not been handed out: after a halt stopped it. */
export function unstart(state: RunState, index: number): void {
  const node = state.nodes[index];
  if (node?.state !== 'running') throw new RangeError(`node ${index} is ${node?.state ?? 'unknown'}, not running`);
  state.nodes[index] = { state: 'ready' };
}

/** Records how a running node ended and decides what follows. */
export function settle(plan: Plan, state: RunState, index: number, outcome: Outcome): Decision {
  const node = state.nodes[index];
  if (node?.state !== 'running') throw new RangeError(`node ${index} is ${node?.state ?? 'unknown'}, not running`);
  const step: Step = { plan, state, decision: { ready: [], skipped: [] } };
  const ended = outcome.kind === 'completed' ? complete(step, index, outcome) : failed(outcome);
  state.nodes[index] = ended;
  state.unsettled -= 1;
  const { id, failure_is_handled } = nodeAt(plan, index);
  if (ended.state === 'failed' && !failure_is_handled && state.failure === undefined) {
    state.failure = { node_id: id, error: ended.error, error_type: ended.error_type };
    abandon(step, `${id} failed`);
  }
  follow(step, index);
  releaseInputs(step, index);
  return step.decision;
}

/** Skips everything that has not started: nothing new starts, what runs is awaited. */
export function abandonRest(plan: Plan, state: RunState, reason: string): Decision {
  const step: Step = { plan, state, decision: { ready: [], skipped: [] } };
  abandon(step, reason);
  return step.decision;
}

export function isDone(state: RunState): boolean {
  return state.unsettled === 0;
}

/** One call's plan and state, and the decision it builds. */
interface Step {
  readonly plan: Plan;
  readonly state: RunState;
  readonly decision: Decision;
}

type Ended = Extract<RunNode, { state: 'completed' | 'failed' }>;

function failed({ error, error_type }: { readonly error: string; readonly error_type: string }): Ended {
  return { state: 'failed', error, error_type };
}

/** An output that would take the state past its budget fails the node instead: a state that cannot be carried on is lost work. */
function complete(step: Step, index: number, { outputs, branch }: Extract<Outcome, { kind: 'completed' }>): Ended {
  const { plan, state } = step;
  const size = JSON.stringify(outputs).length;
  if (state.held + size > KEEP_UNREAD) dropUnread(state, size);
  if (state.held + size > OUTPUT_BUDGET) {
    const error = `${size} characters of output do not fit beside the ${state.held} that other nodes still read (limit ${OUTPUT_BUDGET})`;
    return failed({ error, error_type: 'OutputTooLarge' });
  }
  const readers = nodeAt(plan, index).outgoing.filter((edge) => willBeRead(step, edge)).length;
  state.held += size;
  if (readers === 0) state.unread.push(index);
  return { state: 'completed', ...present({ branch }), outputs, readers, size };
}

function dropUnread(state: RunState, wanted: number): void {
  while (state.held + wanted > KEEP_UNREAD) {
    const oldest = state.unread.shift();
    if (oldest === undefined) return;
    const node = state.nodes[oldest];
    if (node?.state !== 'completed') continue;
    state.held -= node.size;
    delete node.outputs;
  }
}

/** A running target counts as well: it may be handed out again after a halt. */
function willBeRead({ plan, state }: Step, edgeIndex: number): boolean {
  const { carries, to } = edgeAt(plan, edgeIndex);
  const target = state.nodes[to]?.state;
  return carries === 'data' && (target === 'pending' || target === 'ready' || target === 'running');
}

/** A node that ended or was skipped reads its inputs no more. */
function releaseInputs({ plan, state }: Step, index: number): void {
  for (const edgeIndex of nodeAt(plan, index).incoming) {
    const { carries, from } = edgeAt(plan, edgeIndex);
    const source = state.nodes[from];
    if (carries !== 'data' || source?.state !== 'completed') continue;
    source.readers -= 1;
    if (source.readers === 0) state.unread.push(from);
  }
}

function abandon(step: Step, reason: string): void {
  step.state.nodes.forEach((node, index) => {
    if (node.state === 'pending' || node.state === 'ready') skip(step, index, reason);
  });
}

function skip(step: Step, index: number, reason: string): void {
  step.state.nodes[index] = { state: 'skipped', reason };
  step.state.unsettled -= 1;
  step.decision.skipped.push(index);
  releaseInputs(step, index);
}

/** Settles the edges of a node that ended; a skip ends a node too, so the list grows while it is walked. */
function follow(step: Step, index: number): void {
  const ended = [index];
  for (const each of ended) {
    for (const edgeIndex of nodeAt(step.plan, each).outgoing) {
      const edge = edgeAt(step.plan, edgeIndex);
      if (settleEdge(step, edge) === 'skipped') ended.push(edge.to);
    }
  }
}

function settleEdge(step: Step, edge: PlannedEdge): 'skipped' | 'open' {
  const { plan, state, decision } = step;
  const source = state.nodes[edge.from];
  const target = state.nodes[edge.to];
  if (target?.state !== 'pending' || source === undefined) return 'open';
  const { need, incoming } = nodeAt(plan, edge.to);
  if (isTaken(edge, source)) target.taken += 1;
  else target.lost += 1;
  if (target.taken >= need) {
    state.nodes[edge.to] = { state: 'ready' };
    decision.ready.push(edge.to);
  } else if (incoming.length - target.lost < need) {
    skip(step, edge.to, lossReason(nodeAt(plan, edge.from).id, edge, source));
    return 'skipped';
  }
  return 'open';
}

function isTaken({ carries, on }: PlannedEdge, source: RunNode): boolean {
  if (source.state === 'failed') return carries === 'control' && (on === 'error' || on === 'finished');
  if (source.state !== 'completed') return false;
  return carries === 'data' ? gave(source, on) : on === 'success' || on === 'finished' || on === source.branch;
}

function gave(source: Extract<RunNode, { state: 'completed' }>, output: string): boolean {
  return source.outputs !== undefined && Object.hasOwn(source.outputs, output);
}

function lossReason(id: string, { on, carries }: PlannedEdge, source: RunNode): string {
  if (source.state !== 'completed') return source.state === 'failed' ? `${id} failed` : `${id} was skipped`;
  if (carries === 'data') return `${id} gave no ${on}`;
  const { branch } = source;
  return branch === undefined ? `${id} did not end with ${on}` : `${id} took ${branch}, not ${on}`;
}

/**
 * The fields a node is run with: literals with their `{{references}}` filled in, inputs by their references. A reference whose
 * edge was not taken (possible under `join: any`) leaves its field out.
 */
export function resolveFields(plan: Plan, state: RunState, index: number): Record<string, unknown> {
  const { params, inputs, traits } = nodeAt(plan, index);
  const valueOf = (reference: string) => valueOfReference(plan, state, reference);
  const literals = Object.entries(params).map(([name, value]) => {
    if (typeof value !== 'string') return [name, value] as const;
    return [
      name,
      traits.formulas.includes(name) ? formulaValue(value, valueOf) : fillTemplate(value, valueOf),
    ] as const;
  });
  const references = Object.entries(inputs).map(([name, reference]) => {
    const value = traits.formulas.includes(name) ? formulaValue(reference, valueOf) : valueOf(reference);
    return [name, value] as const;
  });
  return Object.fromEntries([...literals, ...references].filter(([, value]) => value !== undefined));
}

function formulaValue(formula: string, valueOf: (reference: string) => unknown): FormulaValue {
  return { formula, values: Object.fromEntries(referencesInFormula(formula).map((each) => [each, valueOf(each)])) };
}

function valueOfReference(plan: Plan, state: RunState, text: string): unknown {
  const reference = parseDataReference(text);
  const index = reference === undefined ? undefined : plan.index.get(reference.node);
  const node = index === undefined ? undefined : state.nodes[index];
  return node?.state === 'completed' ? valueAt(node.outputs, reference?.path ?? []) : undefined;
}

function nodeAt(plan: Plan, index: number): PlannedNode {
  const node = plan.nodes[index];
  if (node === undefined) throw new RangeError(`no node ${index}`);
  return node;
}

function edgeAt(plan: Plan, index: number): PlannedEdge {
  const edge = plan.edges[index];
  if (edge === undefined) throw new RangeError(`no edge ${index}`);
  return edge;
}
