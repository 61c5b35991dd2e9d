/**
 * What a new execution takes over from one that ended, when it is run again from a node: all that neither failed nor depends on the
 * node. What is needed of it and is no longer held runs again as well.
 */
import { decodeRun, encodeRun, type CarriedGraph, type Parts } from './carry';
import { FrameTable } from './frame';
import { itemAt } from './item-at';
import { OutputLedger } from './output-ledger';
import type { KindTraits } from './kinds';
import type { Plan, PlannedNode } from './plan';
import * as scheduler from './scheduler';

export interface Rerun {
  readonly graph: CarriedGraph;
  /** Nodes taken over as they ended, and nodes that run. */
  readonly adopted: readonly string[];
  readonly again: readonly string[];
  /** Of those that run: because their outputs were dropped, though nothing asked for them to run. */
  readonly dropped: readonly string[];
  /** Of those that run: in which an order may be out, for they had begun, and how that ended the execution never heard. */
  readonly unheard: readonly string[];
}

export interface RerunOptions {
  /** A node's id at the top; without it, what failed or never ran. */
  readonly from?: string | undefined;
  /** Nodes at the top, by index, that still followed orders. */
  readonly followed?: ReadonlySet<number>;
  /** Of the graphs of subgraphs. */
  readonly kinds?: Readonly<Record<string, KindTraits>>;
}

/**
 * `ended`: what the execution was when it ended. Throws `RangeError` when there is no node `from`.
 */
export function rerunFrom(plan: Plan, ended: CarriedGraph, options: RerunOptions = {}): Rerun {
  const { from } = options;
  const before = decodeRun({ top: plan }, topOf(ended, plan), { ledger: new OutputLedger(Infinity) });
  const old = before.frames.all[0]?.run;
  if (old === undefined) throw new RangeError('no frames');
  const start = from === undefined ? undefined : plan.index.get(from);
  if (from !== undefined && start === undefined) throw new RangeError(`no node ${from}`);
  const again = new Set<number>(start === undefined ? [] : [start]);
  old.nodes.forEach((node, index) => {
    if (!isKept(node, plan.nodes[index]?.failure_is_handled === true)) again.add(index);
  });
  const dropped = closeOver(plan, old, again);
  const ids = (indexes: Iterable<number>) => [...indexes].map((index) => itemAt(plan.nodes, index).id);
  const run = takeOver(plan, old, again);
  const frames = new FrameTable();
  frames.open({ path: '', plan, run, generation: 0 });
  const top = frames.all[0];
  if (top !== undefined && scheduler.isDone(run)) top.closed = true;
  const { variables, ages } = before;
  const parts: Parts = {
    frames,
    variables,
    ledger: new OutputLedger(0),
    loops: new Map(),
    generations: new Map(),
    peaks: new Map(),
    ages: { ...ages, judged_at: 0 },
  };
  return {
    graph: encodeRun(parts),
    adopted: ids(plan.nodes.keys()).filter((_, index) => !again.has(index)),
    again: ids([...again].sort((a, b) => a - b)),
    dropped: ids(dropped),
    unheard: ids([...again].filter((index) => isUnheard(plan, old, index, options))),
  };
}

function isUnheard(
  plan: Plan,
  old: scheduler.RunState,
  index: number,
  { followed = new Set(), kinds = {} }: RerunOptions,
): boolean {
  const isOut = old.nodes[index]?.state === 'running' && mayTrade(itemAt(plan.nodes, index), kinds);
  return isOut || followed.has(index);
}

/** Itself, or what it holds. */
function mayTrade({ traits, body, child }: PlannedNode, kinds: NonNullable<RerunOptions['kinds']>): boolean {
  if (traits.effect === 'trade') return true;
  if (body?.nodes.some((node) => mayTrade(node, kinds)) === true) return true;
  return Object.values(child?.nodes ?? {}).some(({ type }) => kinds[type]?.effect === 'trade');
}

/** A loop is taken over or run again as a whole, so what happened inside is of no use. */
function topOf(ended: CarriedGraph, { nodes }: Plan): CarriedGraph {
  const unread = ended.unread.filter((id) => id < nodes.length);
  return { ...ended, frames: ended.frames.slice(0, 1), loops: [], unread };
}

function isKept(node: scheduler.RunNode, failureIsHandled: boolean): boolean {
  if (node.state === 'completed') return true;
  if (node.state === 'failed') return failureIsHandled;
  return node.state === 'skipped' && node.abandoned !== true;
}

/** Adds what depends on what runs again, and what those read and is not held. Returns the latter. */
function closeOver(plan: Plan, old: scheduler.RunState, again: Set<number>): number[] {
  const dropped: number[] = [];
  for (const index of again) {
    const { outgoing, incoming } = itemAt(plan.nodes, index);
    for (const edge of outgoing) again.add(itemAt(plan.edges, edge).to);
    for (const edge of incoming) {
      const { carries, from } = itemAt(plan.edges, edge);
      if (carries === 'control' || again.has(from) || isHeld(itemAt(old.nodes, from))) continue;
      again.add(from);
      dropped.push(from);
    }
  }
  return dropped;
}

/** Only what completed gave outputs, which can be gone. */
function isHeld(node: scheduler.RunNode): boolean {
  return node.state !== 'completed' || node.outputs !== undefined;
}

/** A run in which what is kept has ended, and the rest is as the settled edges leave it. */
function takeOver(plan: Plan, old: scheduler.RunState, again: ReadonlySet<number>): scheduler.RunState {
  const { state } = scheduler.createRun(plan);
  old.nodes.forEach((node, index) => {
    if (again.has(index)) return;
    state.nodes[index] = node.state === 'completed' ? { ...node, readers: 0 } : node;
    state.unsettled -= 1;
  });
  scheduler.settleAdopted({ plan, state, ledger: new OutputLedger(Infinity) }, again);
  return state;
}
