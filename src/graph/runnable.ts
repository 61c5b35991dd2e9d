/** A last look at a plan before it runs. Validation found every mistake of an author; this refuses what was never validated. */
import type { Plan, PlannedNode } from './plan';

/** Throws `RangeError` when a node cannot be handed out as it stands, or waits for itself and so would never end. */
export function assertRunnable(plan: Plan): void {
  for (const { id, type, traits, timeout_ms, retry } of plan.nodes) {
    const counts = [timeout_ms, retry.initial_ms, retry.max_ms, retry.max_attempts];
    const counted = counts.every((each) => Number.isSafeInteger(each) && each > 0) && retry.backoff >= 1;
    if (!counted || !Array.isArray(traits.formulas)) throw new RangeError(`node ${id} of kind ${type} cannot be run`);
  }
  const stuck = firstInCycle(plan);
  if (stuck !== undefined) throw new RangeError(`node ${stuck.id} waits for itself`);
}

/** Takes nodes away whose sources are all gone; what stays is in a cycle or behind one. */
function firstInCycle({ nodes, edges }: Plan): PlannedNode | undefined {
  const open = nodes.map(({ incoming }) => incoming.length);
  const free = open.flatMap((count, index) => (count === 0 ? [index] : []));
  for (const index of free) {
    for (const edge of nodes[index]?.outgoing ?? []) {
      const to = edges[edge]?.to ?? index;
      open[to] = (open[to] ?? 0) - 1;
      if (open[to] === 0) free.push(to);
    }
  }
  return nodes.find((_, index) => (open[index] ?? 0) > 0);
}
