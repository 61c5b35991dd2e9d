/**
 * S5: what begins a new generation: what a person may do to a node, and what is read again after a halt. An edge is settled once per generation: those of nodes
 * that begin anew are settled again, and nodes that still wait count them anew.
 */
import { present } from '../json';
import {
  begin,
  edgeAt,
  follow,
  hasEnded,
  holdInputs,
  nodeAt,
  recount,
  skip,
  untouched,
  type Decision,
  type Failure,
  type Run,
  type Step,
} from './scheduler';

/** What follows when a node is begun anew or passed over: also every node of the new generation, ready or not. */
export interface Renewal extends Decision {
  readonly renewed: number[];
}

/**
 * Skips a node on someone's word. Where its failure had ended the run, what was given up then waits again, unless another failure
 * still holds the run. Undefined for a node that has ended otherwise, and when an input of these is gone: outputs nobody read were
 * dropped.
 */
export function dismiss(run: Run, index: number, reason: string): Renewal | undefined {
  const before = run.state.nodes[index]?.state;
  if (before === 'completed' || before === 'skipped') return undefined;
  const given = heldBackBy(run, index);
  if (!given.every((each) => inputsAreHeld(run, each))) return undefined;
  const step = begin(run);
  forgive(run, index);
  const after_failure = before === 'failed' ? (true as const) : undefined;
  skip(step, index, { state: 'skipped', reason, passed_over: true, ...present({ after_failure }) });
  if (before !== 'failed') follow(step, [index]);
  reopenFor(step, given, new Set(given));
  return { ...step.decision, renewed: given };
}

/**
 * Begins a new generation of a node that failed or was skipped: it is ready again, and what was skipped for it waits again, as does
 * what was given up when its failure ended the run. While another failure holds the run these stay given up until that one is dealt
 * with. What completed keeps what it gave. Undefined for any other node, and when an input is gone as for `dismiss`.
 */
export function renew(run: Run, index: number): Renewal | undefined {
  if (!canRenew(run, index)) return undefined;
  const step = begin(run);
  const others = skippedFor(run, index);
  forgive(run, index);
  holdInputs(run, index);
  run.state.unsettled += 1;
  run.state.nodes[index] = { state: 'ready' };
  step.decision.ready.push(index);
  if (run.state.failure !== undefined) {
    abandonLater(run, others);
    return { ...step.decision, renewed: [index] };
  }
  reopenFor(step, others, new Set([index, ...others]));
  return { ...step.decision, renewed: [index, ...others] };
}

/**
 * Begins a new generation of nodes that completed, and of what waits or was skipped because of how they ended: that waits for them again. What
 * else completed keeps what it gave. `hasBegun`: of those that were handed out, which are at work and never taken back.
 */
export function repeat(run: Run, again: ReadonlySet<number>, hasBegun: (index: number) => boolean): Renewal {
  const step = begin(run);
  const { nodes } = run.state;
  const renewed = [...again, ...skippedAfter(run, again)];
  const unended = unendedAfter(run, new Set(renewed));
  const isPending = (each: number) => nodes[each]?.state === 'pending';
  const taken = new Set(unended.filter((each) => !isPending(each) && !hasBegun(each)));
  const waiting = unended.filter((each) => isPending(each) || taken.has(each));
  for (const [each, node] of nodes.entries()) if (node.state === 'completed' && again.has(each)) run.ledger.drop(node);
  for (const each of again) nodes[each] = untouched();
  reopen(step, renewed, { again: new Set(renewed), waiting });
  return { ...step.decision, renewed: [...renewed, ...taken] };
}

/** Whether `renew` is possible. */
export function canRenew(run: Run, index: number): boolean {
  const state = run.state.nodes[index]?.state;
  if (state !== 'failed' && state !== 'skipped') return false;
  return [index, ...skippedFor(run, index)].every((each) => inputsAreHeld(run, each));
}

/** Another failure nobody handles takes its place: the run stays given up until all of them are dealt with. */
function forgive(run: Run, index: number): void {
  if (!endedTheRun(run, index)) return;
  const next = failureBeside(run, index);
  if (next === undefined) delete run.state.failure;
  else run.state.failure = next;
}

function endedTheRun({ plan, state }: Run, index: number): boolean {
  return state.failure?.node_id === nodeAt(plan, index).id;
}

function failureBeside({ plan, state }: Run, index: number): Failure | undefined {
  for (const [each, node] of state.nodes.entries()) {
    const { id, failure_is_handled } = nodeAt(plan, each);
    if (each === index || node.state !== 'failed' || failure_is_handled) continue;
    return { node_id: id, error: node.error, error_type: node.error_type };
  }
  return undefined;
}

/** What was given up and waits for this node's failure alone. */
function heldBackBy(run: Run, index: number): number[] {
  if (!endedTheRun(run, index) || failureBeside(run, index) !== undefined) return [];
  return run.state.nodes.flatMap((node, each) => (node.state === 'skipped' && node.abandoned === true ? [each] : []));
}

/** What begins anew with a node: what was given up for it, and what was skipped because of it. */
function skippedFor(run: Run, index: number): number[] {
  const given = heldBackBy(run, index);
  return [...given, ...skippedAfter(run, new Set([index, ...given]))];
}

/** What was skipped because of these, directly or through others. */
function skippedAfter({ plan, state }: Run, sources: ReadonlySet<number>): number[] {
  const found = new Set(sources);
  for (const each of found) {
    for (const edge of nodeAt(plan, each).outgoing) {
      const { to } = edgeAt(plan, edge);
      const target = state.nodes[to];
      if (target?.state === 'skipped' && target.passed_over !== true) found.add(to);
    }
  }
  return [...found].filter((each) => !sources.has(each));
}

/** Nodes that were skipped by their edges, as if they had been given up: they wait again with the rest. */
function abandonLater({ state }: Run, indexes: readonly number[]): void {
  const later = new Set(indexes);
  state.nodes = state.nodes.map((node, each) =>
    node.state === 'skipped' && later.has(each) ? { ...node, abandoned: true } : node,
  );
}

/**
 * Nodes that were skipped wait again, their settled edges counted anew, and so are those of nodes that still wait: the edges from
 * `again` are settled once more, in the new generation.
 */
function reopenFor(step: Step, indexes: readonly number[], again: ReadonlySet<number>): void {
  const waiting = unendedAfter(step, again).filter((each) => step.state.nodes[each]?.state === 'pending');
  reopen(step, indexes, { again, waiting });
}

function reopen(
  step: Step,
  indexes: readonly number[],
  { again, waiting }: { readonly again: ReadonlySet<number>; readonly waiting: readonly number[] },
): void {
  const { state } = step;
  const open = [...indexes, ...waiting];
  state.unsettled += indexes.length;
  for (const each of indexes) holdInputs(step, each);
  for (const each of open) state.nodes[each] = untouched();
  for (const each of open) recount(step, each, again);
}

/** What has not ended and waited for these. */
function unendedAfter({ plan, state }: Run, sources: ReadonlySet<number>): number[] {
  const edges = [...sources].flatMap((each) => nodeAt(plan, each).outgoing);
  const targets = new Set(edges.map((edge) => edgeAt(plan, edge).to));
  return [...targets].filter((to) => {
    const node = state.nodes[to];
    return node !== undefined && !hasEnded(node);
  });
}

function inputsAreHeld({ plan, state }: Run, index: number): boolean {
  return nodeAt(plan, index).incoming.every((edge) => {
    const { carries, from } = edgeAt(plan, edge);
    const source = state.nodes[from];
    return carries === 'control' || source?.state !== 'completed' || source.outputs !== undefined;
  });
}
