/**
 * Until when what a node gave may be acted on after a halt. Instants are milliseconds since 1970; Infinity where nothing limits them.
 *
 * A1. What a node gave is good until its own `max_age` has passed, and no longer than what it was made from, however far back that was read.
 * A2. A decision is good as long as what it was made from, and so long is everything called for that ran because of it.
 * A3. What happened outside does not age with what it was made from: an order that was placed or cancelled, and that a loop placed some. A
 *     message, a wait and a person's word pass on what they were made from, for an order may follow them; with a `max_age` of their own they
 *     are judged by that alone, and so are orders.
 * A4. After a halt no node starts with what was not good any more when it was resumed: it fails with `StaleInput`, and that is news, on
 *     which others may act.
 *
 * This is computed once for every node that ends, from the nodes before it, and kept with what it gave: the readings themselves may be gone.
 */
import type { Parts } from './carry';
import type { Frame, LoopPlace } from './frame';
import { itemAt } from './item-at';
import { present } from '../json';
import { dataTexts, type Plan, type PlannedEdge, type PlannedNode } from './plan';
import { parseDataReference } from './references';
import { edgeAt, isTaken, nodeAt, type Outcome, type RunNode } from './scheduler';

interface Until {
  /** Of the values a node was given. */
  readonly good: number;
  /** Of the decisions that let it run. */
  readonly decided: number;
}

type Aged = Pick<Parts, 'frames' | 'loops' | 'ages'>;

const ALWAYS: Until = { good: Infinity, decided: Infinity };

/** Whether anything in it can be too old: all others pay nothing for it. What a subgraph gives may be. */
export function hasAges({ nodes }: Plan): boolean {
  return nodes.some(
    ({ max_age_ms, type, body }) =>
      max_age_ms !== undefined || type === 'subgraph' || (body !== undefined && hasAges(body)),
  );
}

/** Whether doing it again does no more than give a newer value. */
export function isReading({ traits: { effect } }: PlannedNode): boolean {
  return effect === 'pure' || effect === 'read';
}

/** A node's outcome with how long it is good. `at`: when it ended, undefined where nobody knows. */
export function withAge(parts: Aged, frame: Frame, index: number, { outcome, at = Infinity }: Ended): Outcome {
  const node = nodeAt(frame.plan, index);
  const until = untilAfter(node, madeFrom(parts, frame, index, outcome), at);
  const decided_until = finite(until.decided);
  if (outcome.kind === 'failed')
    return outcome.error_type === 'StaleInput' ? outcome : { ...outcome, ...present({ decided_until }) };
  const { good_until: _, ...rest } = outcome;
  const good_until = finite(until.good);
  if (node.type === 'set') keepAge(parts.ages.variables, variableOf(node), good_until);
  return { ...rest, ...present({ good_until, decided_until }) };
}

export interface Ended {
  readonly outcome: Outcome;
  readonly at?: number | undefined;
}

/** What a loop gives was made by the nodes in it; what a subgraph gives by those in it and by its fields. */
function madeFrom(parts: Aged, frame: Frame, index: number, outcome: Outcome): Until {
  const inherited = inheritedBy(parts, frame, index);
  const made = outcome.kind === 'completed' ? (outcome.good_until ?? Infinity) : Infinity;
  const isLoop = nodeAt(frame.plan, index).body !== undefined;
  return { good: isLoop ? made : Math.min(made, inherited.good), decided: inherited.decided };
}

function untilAfter(node: PlannedNode, inherited: Until, at: number): Until {
  const own = at + (node.max_age_ms ?? Infinity);
  if (isReading(node)) return { good: Math.min(own, inherited.good), decided: inherited.decided };
  if (node.max_age_ms !== undefined) return { good: own, decided: own };
  return acts(node) ? { good: node.body === undefined ? Infinity : inherited.good, decided: Infinity } : inherited;
}

/** Places or cancels orders, itself or in its body. */
function acts({ traits: { effect }, body }: PlannedNode): boolean {
  return effect === 'trade' || effect === 'cancel' || (body?.nodes.some(acts) ?? false);
}

/** Until when what a node is given is good; undefined where nothing limits it. */
export function fieldsUntil(parts: Aged, frame: Frame, index: number): number | undefined {
  return finite(inheritedBy(parts, frame, index).good);
}

/** The same of what a graph or a body gives. */
export function outputsUntil(parts: Aged, frame: Frame): number | undefined {
  return finite(Math.min(...Object.values(frame.plan.outputs).map((text) => goodIn(parts, frame, text))));
}

function finite(instant: number): number | undefined {
  return instant === Infinity ? undefined : instant;
}

/** Of `set` and `get`. In a graph nobody validated it may be anything. */
function variableOf({ params }: PlannedNode): string {
  return typeof params['name'] === 'string' ? params['name'] : '';
}

function keepAge(variables: Map<string, number>, name: string, until: number | undefined): void {
  if (until === undefined) variables.delete(name);
  else variables.set(name, until);
}

/** The start inputs, variables, values around a loop and its items have no edges, and count like data. */
function inheritedBy(parts: Aged, frame: Frame, index: number): Until {
  const { plan, run } = frame;
  let good = goodAround(parts, frame, index);
  let decided = Infinity;
  for (const each of nodeAt(plan, index).incoming) {
    const edge = edgeAt(plan, each);
    const source = run.nodes[edge.from];
    if (source === undefined || !wasTaken(edge, source)) continue;
    const from = untilOf(source);
    if (edge.carries === 'data') good = Math.min(good, from.good);
    decided = Math.min(decided, from.decided, isDecision(edge) ? from.good : Infinity);
  }
  return { good, decided };
}

/** Of outputs that were dropped nobody knows any more which there were. */
function wasTaken(edge: PlannedEdge, source: RunNode): boolean {
  const isDropped = edge.carries === 'data' && source.state === 'completed' && source.outputs === undefined;
  return isDropped || isTaken(edge, source);
}

function untilOf(node: RunNode): Until {
  if (node.state === 'failed') return { good: Infinity, decided: node.decided_until ?? Infinity };
  if (node.state !== 'completed') return ALWAYS;
  return { good: node.good_until ?? Infinity, decided: node.decided_until ?? Infinity };
}

/** An order of two nodes is no decision of the first. */
function isDecision({ carries, on }: PlannedEdge): boolean {
  return carries === 'control' && on !== 'success' && on !== 'error' && on !== 'finished';
}

/** Until when what a node reads from outside its frame is good. */
export function goodAround(parts: Aged, frame: Frame, index: number): number {
  const node = nodeAt(frame.plan, index);
  const { ages } = parts;
  const own = node.type === 'get' ? (ages.variables.get(variableOf(node)) ?? Infinity) : Infinity;
  if (frame.loop === undefined && ages.inputs === Infinity) return own;
  const texts = dataTexts(node, node.traits.formulas).filter((text) => !isWithin(frame, text));
  return Math.min(own, ...texts.map((text) => goodIn(parts, frame, text)));
}

function isWithin({ plan }: Frame, text: string): boolean {
  return plan.index.has(parseDataReference(text)?.node ?? '');
}

function goodIn(parts: Aged, frame: Frame, text: string): number {
  const reference = parseDataReference(text);
  if (reference === undefined) return Infinity;
  const { node, path } = reference;
  if (node === 'input') return parts.ages.inputs;
  return node === 'item' ? itemGood(parts, frame.loop, path) : outputGood(parts, frame, node);
}

function outputGood(parts: Aged, { plan, run, loop }: Frame, id: string): number {
  const index = plan.index.get(id);
  if (index === undefined) return loop === undefined ? Infinity : outputGood(parts, parts.frames.of(loop.owner), id);
  const { good, decided } = untilOf(itemAt(run.nodes, index));
  return Math.min(good, decided);
}

function itemGood(parts: Aged, loop: LoopPlace | undefined, [part, ...path]: readonly string[]): number {
  if (loop === undefined) return Infinity;
  const around = parts.frames.of(loop.owner);
  if (part === 'parent') return itemGood(parts, around.loop, path);
  if (part === 'last') return parts.loops.get(loop.owner)?.good_until ?? Infinity;
  const items = part === 'value' ? nodeAt(around.plan, loop.owner - around.base).inputs['items'] : undefined;
  return items === undefined ? Infinity : goodIn(parts, around, items);
}

/** Whether what the edge brought its target, or let it run, was not good any more. */
export function passesOld(frame: Frame, edge: PlannedEdge, at: number): boolean {
  const source = itemAt(frame.run.nodes, edge.from);
  const isOld = edge.carries === 'data' && wasTaken(edge, source) && untilOf(source).good < at;
  return isOld || decidesByOld(frame, edge, at);
}

/** Whether it let its target run for what was not good any more. */
export function decidesByOld({ run }: Frame, edge: PlannedEdge, at: number): boolean {
  const source = itemAt(run.nodes, edge.from);
  if (!wasTaken(edge, source)) return false;
  const { good, decided } = untilOf(source);
  return decided < at || (isDecision(edge) && good < at);
}

/** A4: in words, what a node would start with that was not good any more. */
export function oldInput(parts: Aged, frame: Frame, index: number, at: number): string | undefined {
  const { good, decided } = inheritedBy(parts, frame, index);
  if (Math.min(good, decided) >= at) return undefined;
  const { plan } = frame;
  const old = nodeAt(plan, index).incoming.map((each) => edgeAt(plan, each));
  const names = old.filter((edge) => passesOld(frame, edge, at)).map(({ from }) => nodeAt(plan, from).id);
  const what = names.length === 0 ? 'what it reads from around it' : [...new Set(names)].join(', ');
  return `too old after a halt, by a \`max_age\`, and not to be read again: ${what}`;
}
