/** What an execution knows, and how that travels from run to run. */
import { workflowInfo } from '@temporalio/workflow';
import type { ExecutionContext } from '../events/build';
import { escapeReserved } from '../graph/blob';
import type { Plans } from '../graph/carry';
import { GraphRun } from '../graph/graph-run';
import { MAX_CARRIED_BYTES } from '../graph/limits';
import { weightOf } from '../graph/output-ledger';
import { planGraph, planOnHalt } from '../graph/plan';
import { assertRunnable } from '../graph/runnable';
import { present } from '../json';
import { runsAside } from '../graph/frame';
import { Clock } from './clock';
import { Halts } from './halts';
import { Mailbox } from './mailbox';
import type { CarriedExecution, RunGraphInput } from './messages';
import { Turns } from './turns';
import { Waits } from './waits';

export interface Books {
  readonly context: ExecutionContext;
  readonly plans: Plans;
  readonly graph: GraphRun;
  readonly clock: Clock;
  readonly turns: Turns;
  /** When nodes were first handed out in their generation: those inside the workflow, and those with a total timeout. */
  readonly first_at: Map<number, number>;
  readonly waits: Waits;
  readonly mail: Mailbox;
  readonly halts: Halts;
  readonly started_at: string;
  /** State changes so far: the start is 0, each halt and resume takes the next. */
  ordinal: number;
}

/** Outputs at most, and at least where the graph itself is large; states, turns and messages need the rest. */
const MOST_OUTPUTS = 1_000_000;
const LEAST_OUTPUTS = 128 * 1024;
const KEPT_FOR_STATES = 400 * 1024;

export interface Opened {
  readonly books: Books;
  readonly ready: number[];
  readonly aside: number[];
}

/** Throws `RangeError` for what was never a valid graph. */
export function openExecution(input: RunGraphInput, context: ExecutionContext): Opened {
  const { graph: spec, kinds, carried, inputs = {}, inputs_until } = input;
  assertPlain(input);
  const on_halt = planOnHalt(spec, kinds);
  const plans: Plans = { top: planGraph(spec, kinds), ...present({ on_halt }) };
  assertRunnable(plans.top);
  if (on_halt !== undefined) assertRunnable(on_halt);
  const own = weightOf({ ...input, carried: null });
  const output_limit = Math.max(LEAST_OUTPUTS, Math.min(MOST_OUTPUTS, MAX_CARRIED_BYTES - KEPT_FOR_STATES - own));
  if (carried === undefined) {
    const variables = escapeReserved(spec.variables ?? {}) as Readonly<Record<string, unknown>>;
    const { run, first } = GraphRun.create(plans.top, { inputs, variables, output_limit, inputs_until });
    return { books: newBooks(context, plans, run), ready: first.ready, aside: [] };
  }
  const graph = GraphRun.restore(plans, carried.graph, { inputs, output_limit, inputs_until });
  const books = restoreBooks(carried, newBooks(context, plans, graph));
  takeBackLost(books);
  const ids = graph.readyIds.filter((id) => books.waits.get(id) === undefined);
  const isAside = (id: number) => runsAside(graph.frame(id));
  return { books, ready: ids.filter((id) => !isAside(id)), aside: ids.filter(isAside) };
}

/** What no client sends: it would end in a task that fails for ever. */
function assertPlain({ settings = {}, parent }: RunGraphInput): void {
  const least: Readonly<Record<string, number>> = { max_in_flight: 1, events_per_run: 50, tasks_per_run: 2 };
  for (const [name, value] of Object.entries(settings) as [string, unknown][]) {
    if (!Number.isSafeInteger(value) || (value as number) < (least[name] ?? 0))
      throw new RangeError(`settings.${name} is wrong`);
  }
  if (parent === undefined) return;
  const texts: readonly unknown[] = [parent.execution_id, parent.node];
  const named = texts.every((text) => typeof text === 'string' && text !== '');
  if (!named || !Number.isSafeInteger(parent.depth)) throw new RangeError('parent is wrong');
}

function newBooks(context: ExecutionContext, plans: Plans, graph: GraphRun): Books {
  return {
    context,
    plans,
    graph,
    turns: new Turns(),
    first_at: new Map(),
    waits: new Waits(),
    mail: new Mailbox(),
    halts: new Halts(),
    clock: new Clock(),
    started_at: workflowInfo().startTime.toISOString(),
    ordinal: 0,
  };
}

/** What another execution went through is its own: only what its nodes gave is taken over. */
function restoreBooks(carried: CarriedExecution, fresh: Books): Books {
  if (carried.adopted_from !== undefined) return { ...fresh, turns: new Turns(carried.turns) };
  const { started_at, ordinal, turns, first_at, waits, mail, halts, epochs } = carried;
  const { now } = fresh.clock;
  return {
    ...fresh,
    started_at,
    ordinal,
    turns: new Turns(turns),
    first_at: new Map(first_at),
    // A new run does not hear how a child of an earlier one ends, but from the child.
    waits: new Waits(waits.map(([id, wait]) => [id, wait.kind === 'child' ? { ...wait, check_at: now } : wait])),
    mail: new Mailbox(mail),
    halts: new Halts(halts, epochs),
  };
}

/** A node that runs, though nothing of it was carried, can only be handed out again. */
function takeBackLost({ graph, waits }: Books): void {
  for (const id of graph.runningIds) {
    if (waits.get(id) === undefined && graph.loop(id) === undefined) graph.unstart(id);
  }
}

/** Milliseconds since a node was first handed out in its generation. */
export function ageOf({ first_at, clock: { now } }: Books, id: number): number {
  return now - (first_at.get(id) ?? now);
}

/** By its `total_timeout`, in milliseconds since 1970; Infinity where none runs. */
export function deadlineOf({ graph, first_at }: Books, id: number): number {
  return (first_at.get(id) ?? Infinity) + (graph.node(id).total_timeout_ms ?? Infinity);
}

export function carryExecution(books: Books, small: boolean): CarriedExecution {
  const { started_at, ordinal, graph, turns, first_at, waits, mail, halts } = books;
  const isKept = (id: number) => graph.has(id) && !(small && graph.frame(id).closed);
  return {
    started_at,
    ordinal,
    graph: graph.carry(small),
    turns: turns.carry(isKept),
    first_at: [...first_at].filter(([id]) => isKept(id)),
    waits: waits.all,
    mail: mail.all,
    halts: halts.causes,
    epochs: halts.epochs,
  };
}
