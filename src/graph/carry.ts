/**
 * S6: a graph at work as JSON, and back. One letter per node and details only where there are some, because 10,000 nodes must
 * travel beside their graph in one payload.
 */
import { present } from '../json';
import { FrameTable, itemPath, pathOf, type Frame, type LoopPlace } from './frame';
import { itemAt } from './item-at';
import type { Loop } from './loop';
import type { CompletedNode, OutputLedger } from './output-ledger';
import type { Plan, PlannedNode } from './plan';
import { hasEnded, type Failure, type RunNode, type RunState } from './scheduler';

/** What a graph at work consists of. */
export interface Parts {
  readonly frames: FrameTable;
  readonly loops: Map<number, Loop>;
  readonly ledger: OutputLedger;
  readonly variables: Map<string, unknown>;
  readonly generations: Map<number, number>;
  readonly peaks: Map<string, number>;
  readonly ages: Ages;
}

/** Until when something may be acted on after a halt, beside what nodes gave: see `freshness.ts`. */
export interface Ages {
  /** What the execution was started with; Infinity where nothing limits it. */
  readonly inputs: number;
  /** By name, of those with a limit. */
  readonly variables: Map<string, number>;
  /** When it was last resumed: what was not good any more then is not acted on. 0 before the first time. */
  judged_at: number;
}

/** The graph's own plan, and that of what runs at a halt. */
export interface Plans {
  readonly top: Plan;
  readonly on_halt?: Plan;
}

/** Members that say nothing are left out: there are thousands of frames. */
export interface CarriedFrame {
  readonly base: number;
  /** Of frames in no loop. */
  readonly path?: string;
  readonly in?: readonly [owner: number, index: number];
  readonly generation?: number;
  readonly given_up?: string;
  readonly final?: true;
  readonly closed?: true;
  readonly failure?: Failure;
  /** A letter per node, see `encodeNode`. */
  readonly nodes: string;
  /** By index, for the letters that need more. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface CarriedGraph {
  readonly next_base: number;
  readonly frames: readonly CarriedFrame[];
  readonly loops: readonly (readonly [number, Loop])[];
  readonly variables: Readonly<Record<string, unknown>>;
  readonly generations: readonly (readonly [number, number])[];
  readonly peaks: readonly (readonly [string, number])[];
  /** Nodes whose outputs nobody reads, in the order they are dropped. */
  readonly unread: readonly number[];
  /** Why nodes were skipped or failed; details name them by number, since one reason often holds for thousands. */
  readonly reasons: readonly string[];
  /** Until when variables may be acted on, of those with a limit. */
  readonly variables_until?: readonly (readonly [string, number])[];
  readonly judged_at?: number;
}

/** A snapshot: what happens afterwards does not change it. */
/** `small`: without the frames that have ended, which are kept for show. */
export function encodeRun(
  { frames, loops, ledger, variables, generations, peaks, ages }: Parts,
  small = false,
): CarriedGraph {
  const reasons = new Map<string, number>();
  const kept = frames.all.filter(({ path, closed }) => !small || !closed || path === '');
  return {
    next_base: frames.nextBase,
    frames: kept.map((frame) => encodeFrame(frame, reasons)),
    loops: [...loops].map(([owner, loop]) => [owner, copyOf(loop)]),
    variables: Object.fromEntries(variables),
    generations: [...generations],
    peaks: [...peaks],
    unread: unreadIds(frames, ledger),
    reasons: [...reasons.keys()],
    ...(ages.variables.size === 0 ? {} : { variables_until: [...ages.variables] }),
    ...(ages.judged_at === 0 ? {} : { judged_at: ages.judged_at }),
  };
}

function copyOf(loop: Loop): Loop {
  return { ...loop, results: [...loop.results], errors: [...loop.errors] };
}

function unreadIds(frames: FrameTable, ledger: OutputLedger): number[] {
  const ids = new Map<RunNode, number>();
  for (const { base, run } of frames.all) run.nodes.forEach((node, index) => ids.set(node, base + index));
  return Array.from(ledger.unread, (node) => ids.get(node)).filter((id) => id !== undefined);
}

function encodeFrame(frame: Frame, reasons: Map<string, number>): CarriedFrame {
  const { path, base, generation, loop, givenUp, final, closed, run } = frame;
  const encoded = run.nodes.map((node) => encodeNode(node, reasons));
  const details = encoded.flatMap(([, detail], index) => (detail === undefined ? [] : [[String(index), detail]]));
  return {
    base,
    ...(loop === undefined ? { path } : { in: [loop.owner, loop.index] as const }),
    ...present({ generation: generation === 0 ? undefined : generation, given_up: givenUp, final }),
    ...present({ closed: closed ? (true as const) : undefined, failure: run.failure }),
    nodes: encoded.map(([letter]) => letter).join(''),
    ...(details.length === 0 ? {} : { details: Object.fromEntries(details) as Record<string, unknown> }),
  };
}

type FailedNode = Extract<RunNode, { state: 'failed' }>;
type Encoded = readonly [letter: string, detail?: unknown];

/** Capital letters have details. */
function encodeNode(node: RunNode, reasons: Map<string, number>): Encoded {
  switch (node.state) {
    case 'pending': {
      const { met, taken, lost } = node;
      return met + taken + lost === 0 ? ['p'] : ['P', [met, taken, lost]];
    }
    case 'ready':
      return ['r'];
    case 'running':
      return ['x'];
    case 'completed':
      return encodeCompleted(node);
    case 'failed':
      return encodeFailed(node, reasons);
    case 'skipped':
      return [letterOfSkip(node), numberOf(node.reason, reasons)];
  }
}

function letterOfSkip({ abandoned, passed_over, after_failure }: Extract<RunNode, { state: 'skipped' }>): string {
  if (abandoned) return 'A';
  if (passed_over) return after_failure ? 'L' : 'O';
  return 'S';
}

function encodeFailed({ error, error_type, decided_until }: FailedNode, reasons: Map<string, number>): Encoded {
  const detail = [numberOf(error, reasons), error_type];
  return ['F', decided_until === undefined ? detail : [...detail, decided_until]];
}

/** Where the outputs are gone, nobody asks what they weighed. */
function encodeCompleted({ branch, outputs, kept, readers, size, good_until, decided_until }: CompletedNode): Encoded {
  const rest = present({ branch, good_until, decided_until });
  if (outputs !== undefined) return ['C', { ...rest, ...present({ outputs, kept }), readers, size }];
  return Object.keys(rest).length === 0 ? ['c'] : ['C', rest];
}

function numberOf(reason: string, reasons: Map<string, number>): number {
  const number = reasons.get(reason) ?? reasons.size;
  reasons.set(reason, number);
  return number;
}

/** `inputs_until`: see `Ages`. */
export function decodeRun(
  plans: Plans,
  carried: CarriedGraph,
  { ledger, inputs_until = Infinity }: { readonly ledger: OutputLedger; readonly inputs_until?: number },
): Parts {
  const { variables_until = [], judged_at = 0 } = carried;
  const frames = new FrameTable(carried.next_base);
  for (const each of carried.frames) frames.add(decodeFrame(each, frames, { plans, reasons: carried.reasons }));
  fillLedger(ledger, frames, carried);
  return {
    frames,
    loops: new Map(carried.loops.map(([owner, loop]) => [owner, copyOf(loop)])),
    ledger,
    variables: new Map(Object.entries(carried.variables)),
    generations: new Map(carried.generations),
    peaks: new Map(carried.peaks),
    ages: { inputs: inputs_until, variables: new Map(variables_until), judged_at },
  };
}

function fillLedger(ledger: OutputLedger, frames: FrameTable, { unread, loops }: CarriedGraph): void {
  const first = unread.filter((id) => frames.has(id)).map((id) => nodeOf(frames.of(id), id));
  for (const node of new Set([...first, ...frames.all.flatMap(({ run }) => run.nodes)])) {
    if (node.state === 'completed' && node.outputs !== undefined) ledger.add(node);
  }
  for (const [, { held }] of loops) ledger.take(held);
}

function nodeOf({ base, run }: Frame, id: number): RunNode {
  return itemAt(run.nodes, id - base);
}

interface Given {
  readonly plans: Plans;
  readonly reasons: readonly string[];
}

function planOf({ path = '', in: place }: CarriedFrame, frames: FrameTable, { top, on_halt }: Plans): Plan {
  const plan = place === undefined ? (path === '' ? top : on_halt) : ownerOf(frames, place[0]).body;
  if (plan === undefined) throw new RangeError(`no plan for the frame ${place?.join(' ') ?? path}`);
  return plan;
}

function ownerOf(frames: FrameTable, owner: number): PlannedNode {
  const { plan, base } = frames.of(owner);
  return itemAt(plan.nodes, owner - base);
}

function decodeFrame(carried: CarriedFrame, frames: FrameTable, { plans, reasons }: Given): Frame {
  const {
    base,
    path = '',
    in: place,
    generation = 0,
    given_up,
    final,
    closed = false,
    failure,
    nodes,
    details = {},
  } = carried;
  const plan = planOf(carried, frames, plans);
  if (nodes.length !== plan.nodes.length) throw new RangeError(`${nodes.length} states for ${plan.nodes.length} nodes`);
  const decoded = Array.from(nodes, (letter, index) => decodeNode(letter, details[index], reasons));
  const unsettled = decoded.filter((node) => !hasEnded(node)).length;
  const loop = place && { owner: place[0], index: place[1] };
  const run: RunState = { nodes: decoded, unsettled, ...present({ failure }) };
  return {
    path: loop === undefined ? path : pathIn(frames, loop),
    base,
    plan,
    run,
    generation,
    closed,
    ...present({ loop, givenUp: given_up, final }),
  };
}

function pathIn(frames: FrameTable, { owner, index }: LoopPlace): string {
  return itemPath(pathOf(frames.of(owner), ownerOf(frames, owner).id), index);
}

function decodeNode(letter: string, detail: unknown, reasons: readonly string[]): RunNode {
  switch (letter) {
    case 'p':
      return { state: 'pending', met: 0, taken: 0, lost: 0 };
    case 'P': {
      const [met, taken, lost] = detail as readonly [number, number, number];
      return { state: 'pending', met, taken, lost };
    }
    case 'r':
      return { state: 'ready' };
    case 'x':
      return { state: 'running' };
    case 'c':
      return { state: 'completed', readers: 0, size: 0 };
    case 'C':
      return { state: 'completed', readers: 0, size: 0, ...(detail as Partial<CompletedNode>) };
    case 'F': {
      const [reason, error_type, decided_until] = detail as readonly [number, string, number?];
      return { state: 'failed', error: itemAt(reasons, reason), error_type, ...present({ decided_until }) };
    }
    default:
      return decodeSkip(letter, itemAt(reasons, detail as number));
  }
}

function decodeSkip(letter: string, reason: string): RunNode {
  const flags = {
    abandoned: letter === 'A' || undefined,
    passed_over: letter === 'O' || letter === 'L' || undefined,
    after_failure: letter === 'L' || undefined,
  };
  return { state: 'skipped', reason, ...present(flags) };
}
