/**
 * The scheduler: which node of one frame may start, decided from the outcomes so far. Plain functions over a plan and a JSON state.
 *
 * S1. A node starts when its join is satisfied, not when a level is done.
 * S2. An edge is settled once per generation, as taken or not taken. A node whose join can no longer be satisfied is skipped, and
 *     the skip settles its own edges.
 * S3. Decisions depend only on the plan and the order of outcomes.
 * S4. Settling costs O(edges of that node), amortised over the nodes it skips.
 * S5. A node runs once per generation; a new one begins only by `renewal.ts`.
 * S6. The state is JSON and a run can be rebuilt from it at any point.
 *
 * The state is changed in place: a copy per outcome would cost O(nodes) and break S4.
 */
import { present } from '../json';
import { weightOf, type CompletedNode, type OutputLedger } from './output-ledger';
import type { Plan, PlannedEdge, PlannedNode } from './plan';

export type RunNode =
  /** `met` of the required edges, `taken` and `lost` of those the join counts. */
  | { state: 'pending'; met: number; taken: number; lost: number }
  | { state: 'ready' }
  | { state: 'running' }
  | CompletedNode
  | { state: 'failed'; error: string; error_type: string; decided_until?: number }
  /**
   * `abandoned`: not by its edges, but because the whole run was given up; `passed_over`: on someone's word, which stands; `after_failure`:
   * that word came when it had failed, and the edges its failure has settled stay as they are.
   */
  | { state: 'skipped'; reason: string; abandoned?: true; passed_over?: true; after_failure?: true };

export interface Failure {
  readonly node_id: string;
  readonly error: string;
  readonly error_type: string;
}

export interface RunState {
  /** By the plan's index. */
  nodes: RunNode[];
  unsettled: number;
  /** The first failure nobody handles. */
  failure?: Failure;
}

/** `good_until`, `decided_until`: see `CompletedNode`. */
export type Outcome =
  | {
      readonly kind: 'completed';
      readonly outputs: Readonly<Record<string, unknown>>;
      readonly branch?: string;
      readonly good_until?: number;
      readonly decided_until?: number;
    }
  | { readonly kind: 'failed'; readonly error: string; readonly error_type: string; readonly decided_until?: number };

/** What follows, as indexes of the plan, in the order it must be acted on. */
export interface Decision {
  readonly ready: number[];
  readonly skipped: number[];
}

/** One frame as the scheduler works on it. */
export interface Run {
  readonly plan: Plan;
  readonly state: RunState;
  readonly ledger: OutputLedger;
}

export function createRun(plan: Plan): { state: RunState; decision: Decision } {
  const nodes = plan.nodes.map<RunNode>((node) => (isFree(node) ? { state: 'ready' } : untouched()));
  const ready = plan.nodes.flatMap((node, index) => (isFree(node) ? [index] : []));
  return { state: { nodes, unsettled: nodes.length }, decision: { ready, skipped: [] } };
}

const isFree = ({ need, required }: PlannedNode): boolean => need === 0 && required === 0;
export const untouched = (): RunNode => ({ state: 'pending', met: 0, taken: 0, lost: 0 });

/** Marks a ready node as handed out. */
export function start(state: RunState, index: number): void {
  assertState(state, index, 'ready');
  state.nodes[index] = { state: 'running' };
}

/** Takes a running node back, as if it had not been handed out: after a halt stopped it. */
export function unstart(state: RunState, index: number): void {
  assertState(state, index, 'running');
  state.nodes[index] = { state: 'ready' };
}

/** Records how a running node ended and decides what follows. */
export function settle(run: Run, index: number, outcome: Outcome): Decision {
  assertState(run.state, index, 'running');
  const step = begin(run);
  const ended = outcome.kind === 'completed' ? complete(step, index, outcome) : failed(outcome);
  run.state.nodes[index] = ended;
  run.state.unsettled -= 1;
  const { id, failure_is_handled } = nodeAt(run.plan, index);
  if (ended.state === 'failed' && !failure_is_handled && run.state.failure === undefined) {
    run.state.failure = { node_id: id, error: ended.error, error_type: ended.error_type };
    abandon(step, `${id} failed`);
  }
  follow(step, [index]);
  releaseInputs(step, index);
  return step.decision;
}

/** Skips everything that has not started: nothing new starts, what runs is awaited. */
export function abandonRest(run: Run, reason: string): Decision {
  const step = begin(run);
  abandon(step, reason);
  return step.decision;
}

/** Takes a node that has started with the rest that was given up. Its edges are settled with those of the rest. */
export function giveUp(run: Run, index: number, reason: string): Decision {
  const step = begin(run);
  const node = run.state.nodes[index];
  if (node !== undefined && !hasEnded(node)) skip(step, index, { state: 'skipped', reason, abandoned: true });
  return step.decision;
}

/** Counts the edges of nodes that wait, from nodes that ended before this run began. */
export function settleAdopted(run: Run, waiting: ReadonlySet<number>): void {
  const step = begin(run);
  for (const each of waiting) {
    holdInputs(run, each);
    recount(step, each, waiting);
  }
}

export function isDone(state: RunState): boolean {
  return state.unsettled === 0;
}

export function holdInputs({ plan, state, ledger }: Run, index: number): void {
  for (const edge of nodeAt(plan, index).incoming) {
    const { carries, from } = edgeAt(plan, edge);
    const source = state.nodes[from];
    if (carries === 'data' && source?.state === 'completed') ledger.hold(source);
  }
}

/** Counts the edges whose sources had ended before; those of `again` settle theirs when they end, which may be here. */
export function recount(step: Step, index: number, again: ReadonlySet<number>): void {
  const { need, required } = nodeAt(step.plan, index);
  if (need === 0 && required === 0) {
    step.state.nodes[index] = { state: 'ready' };
    step.decision.ready.push(index);
    return;
  }
  for (const edgeIndex of nodeAt(step.plan, index).incoming) {
    const edge = edgeAt(step.plan, edgeIndex);
    const source = step.state.nodes[edge.from];
    if (source === undefined || again.has(edge.from) || !hasEnded(source)) continue;
    if (settleEdge(step, edge) === 'skipped') follow(step, [index]);
  }
}

export function hasEnded({ state }: RunNode): boolean {
  return state === 'completed' || state === 'failed' || state === 'skipped';
}

/** One call's run, and the decision it builds. */
export interface Step extends Run {
  readonly decision: Decision;
}

export const begin = (run: Run): Step => ({ ...run, decision: { ready: [], skipped: [] } });

type Ended = Extract<RunNode, { state: 'completed' | 'failed' }>;
type Pending = Extract<RunNode, { state: 'pending' }>;

function failed({ error, error_type, decided_until }: Omit<Extract<Outcome, { kind: 'failed' }>, 'kind'>): Ended {
  return { state: 'failed', error, error_type, ...present({ decided_until }) };
}

/** An output that would take the state past its limit fails the node instead: a state that cannot be carried on is lost work. */
function complete(step: Step, index: number, outcome: Extract<Outcome, { kind: 'completed' }>): Ended {
  const { plan, ledger } = step;
  const { outputs, branch, good_until, decided_until } = outcome;
  const size = weightOf(outputs);
  if (!ledger.admits(size)) {
    const error = `${size} bytes of output do not fit beside the ${ledger.held} that other nodes still read (limit ${ledger.limit})`;
    return failed({ error, error_type: 'OutputTooLarge', ...present({ decided_until }) });
  }
  const { outgoing, is_output } = nodeAt(plan, index);
  const readers = outgoing.filter((edge) => willBeRead(step, edge)).length;
  const kept = is_output ? (true as const) : undefined;
  const lasting = present({ branch, kept, good_until, decided_until });
  const node: CompletedNode = { state: 'completed', ...lasting, outputs, readers, size };
  ledger.add(node);
  return node;
}

/** A running target counts as well: it may be handed out again after a halt. */
function willBeRead({ plan, state }: Step, edgeIndex: number): boolean {
  const { carries, to } = edgeAt(plan, edgeIndex);
  const target = state.nodes[to];
  return carries === 'data' && target !== undefined && !hasEnded(target);
}

/** A node that ended or was skipped reads its inputs no more. */
function releaseInputs({ plan, state, ledger }: Step, index: number): void {
  for (const edgeIndex of nodeAt(plan, index).incoming) {
    const { carries, from } = edgeAt(plan, edgeIndex);
    const source = state.nodes[from];
    if (carries === 'data' && source?.state === 'completed') ledger.release(source);
  }
}

function abandon(step: Step, reason: string): void {
  step.state.nodes.forEach((node, index) => {
    if (node.state === 'pending' || node.state === 'ready') {
      skip(step, index, { state: 'skipped', reason, abandoned: true });
    }
  });
}

export function skip(step: Step, index: number, skipped: Extract<RunNode, { state: 'skipped' }>): void {
  const before = step.state.nodes[index];
  step.state.nodes[index] = skipped;
  step.decision.skipped.push(index);
  if (before === undefined || hasEnded(before)) return;
  step.state.unsettled -= 1;
  releaseInputs(step, index);
}

/** Settles the edges of nodes that ended; a skip ends a node too, so the list grows while it is walked. */
export function follow(step: Step, ended: number[]): void {
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
  const node = nodeAt(plan, edge.to);
  const taken = isTaken(edge, source);
  count(target, edge, taken);
  if (target.met >= node.required && target.taken >= node.need) {
    state.nodes[edge.to] = { state: 'ready' };
    decision.ready.push(edge.to);
  } else if (edge.counted ? node.counted - target.lost < node.need : !taken) {
    skip(step, edge.to, { state: 'skipped', reason: lossReason(nodeAt(plan, edge.from).id, edge, source) });
    return 'skipped';
  }
  return 'open';
}

function count(target: Pending, { counted }: PlannedEdge, taken: boolean): void {
  if (!taken) target.lost += 1;
  else if (counted) target.taken += 1;
  else target.met += 1;
}

export function isTaken({ carries, on }: PlannedEdge, source: RunNode): boolean {
  if (hasFailed(source)) return carries === 'control' && (on === 'error' || on === 'finished');
  if (source.state !== 'completed') return false;
  return carries === 'data' ? gave(source, on) : on === 'success' || on === 'finished' || on === source.branch;
}

function hasFailed(source: RunNode): boolean {
  return source.state === 'failed' || (source.state === 'skipped' && source.after_failure === true);
}

function gave(source: CompletedNode, output: string): boolean {
  return source.outputs !== undefined && Object.hasOwn(source.outputs, output);
}

function lossReason(id: string, { on, carries }: PlannedEdge, source: RunNode): string {
  if (source.state !== 'completed') return source.state === 'failed' ? `${id} failed` : `${id} was skipped`;
  if (carries === 'data') return `${id} gave no ${on}`;
  const { branch } = source;
  return branch === undefined ? `${id} did not end with ${on}` : `${id} took ${branch}, not ${on}`;
}

function assertState(state: RunState, index: number, expected: RunNode['state']): void {
  const node = state.nodes[index];
  if (node?.state !== expected) throw new RangeError(`node ${index} is ${node?.state ?? 'unknown'}, not ${expected}`);
}

export function nodeAt(plan: Plan, index: number): PlannedNode {
  const node = plan.nodes[index];
  if (node === undefined) throw new RangeError(`no node ${index}`);
  return node;
}

export function edgeAt(plan: Plan, index: number): PlannedEdge {
  const edge = plan.edges[index];
  if (edge === undefined) throw new RangeError(`no edge ${index}`);
  return edge;
}
