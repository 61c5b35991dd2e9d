/** A last look at a plan before it runs. Validation found every mistake of an author; this refuses what was never validated. */
import { itemAt } from './item-at';
import { MAX_BODY_DEPTH, MAX_NODES } from './limits';
import type { Effect } from './kinds';
import type { Plan, PlannedNode } from './plan';

/** The kinds an execution runs itself. */
const CONTROL_KINDS: ReadonlySet<string> = new Set([
  'approval',
  'get',
  'map',
  'repeat',
  'set',
  'subgraph',
  'wait',
  'wait_for_signal',
]);
const EFFECTS: ReadonlySet<Effect> = new Set(['pure', 'read', 'notify', 'trade', 'cancel', 'control']);
/** A node, its guard, or the guard of a loop. */
const ID = /^(?:[A-Za-z][A-Za-z0-9_-]*(?::when)?|:while)$/;

/**
 * Throws `RangeError` when a node cannot be handed out as it stands, waits for itself and so would never end, or has a body that
 * could not be opened: an execution given such a graph must end in words, not try for ever.
 */
export function assertRunnable(plan: Plan): void {
  const nodes = assertBody(plan, 0);
  if (nodes > 2 * MAX_NODES) throw new RangeError(`${nodes} nodes and guards are more than an execution takes`);
}

/** Returns how many nodes there are, those of all bodies counted. */
function assertBody(plan: Plan, depth: number): number {
  if (depth > MAX_BODY_DEPTH) throw new RangeError(`bodies are nested deeper than ${MAX_BODY_DEPTH}`);
  let nodes = plan.nodes.length;
  for (const node of plan.nodes) {
    assertNode(node);
    if (node.body !== undefined) nodes += assertBody(node.body, depth + 1);
  }
  const stuck = firstInCycle(plan);
  if (stuck !== undefined) throw new RangeError(`node ${stuck.id} waits for itself`);
  return nodes;
}

function assertNode(node: PlannedNode): void {
  const { id, type, traits } = node;
  if (!ID.test(id)) throw new RangeError(`${JSON.stringify(id)} is no id of a node`);
  if (!hasCounts(node) || !hasTraits(node)) throw new RangeError(`node ${id} of kind ${type} cannot be run`);
  if (traits.effect === 'control' && !CONTROL_KINDS.has(type)) {
    throw new RangeError(`node ${id} is of no control kind there is: ${type}`);
  }
  // Computed again from the same, it would pass for younger than it is.
  if (traits.effect === 'pure' && node.max_age_ms !== undefined)
    throw new RangeError(`node ${id} only computes, and has a max_age`);
  assertLoop(node);
}

function assertLoop({ id, type, traits, body }: PlannedNode): void {
  const loops = traits.effect === 'control' && (type === 'map' || type === 'repeat');
  if (loops && body === undefined) throw new RangeError(`node ${id} of kind ${type} needs a body`);
  if (!loops && body !== undefined) throw new RangeError(`node ${id} of kind ${type} takes no body`);
  if (body?.nodes.length === 0) throw new RangeError(`the body of node ${id} has no nodes`);
}

function hasCounts({
  timeout_ms,
  total_timeout_ms = 1,
  max_age_ms = 1,
  rate_limit,
  retry,
  need,
  counted,
  required,
}: PlannedNode): boolean {
  const { calls, per_ms } = rate_limit ?? { calls: 1, per_ms: 1 };
  const { initial_ms, max_ms, max_attempts } = retry;
  const positive = [timeout_ms, total_timeout_ms, max_age_ms, calls, per_ms, initial_ms, max_ms, max_attempts];
  const counts = [need, counted, required];
  return (
    positive.every((each) => Number.isSafeInteger(each) && each > 0) &&
    counts.every((each) => Number.isSafeInteger(each) && each >= 0) &&
    need <= counted &&
    Number.isFinite(retry.backoff) &&
    retry.backoff >= 1
  );
}

function hasTraits({ traits, circuit_breaker = '', task_queue = 'queue' }: PlannedNode): boolean {
  const { effect, branches, formulas } = traits;
  const names: readonly unknown[] = [circuit_breaker, task_queue];
  return (
    EFFECTS.has(effect) &&
    Array.isArray(branches) &&
    Array.isArray(formulas) &&
    names.every((each) => typeof each === 'string') &&
    task_queue !== ''
  );
}

/** Takes nodes away whose sources are all gone; what stays is in a cycle or behind one. */
function firstInCycle({ nodes, edges }: Plan): PlannedNode | undefined {
  const open = nodes.map(({ incoming }) => incoming.length);
  const free = open.flatMap((count, index) => (count === 0 ? [index] : []));
  for (const index of free) {
    for (const edge of itemAt(nodes, index).outgoing) {
      const { to } = itemAt(edges, edge);
      open[to] = itemAt(open, to) - 1;
      if (open[to] === 0) free.push(to);
    }
  }
  return nodes.find((_, index) => itemAt(open, index) > 0);
}
