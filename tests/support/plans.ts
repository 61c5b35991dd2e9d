/** Plans for tests of the scheduler, made without the language. */
import type { Effect, KindTraits } from '../../src/graph/kinds';
import { planGraph, type Plan } from '../../src/graph/plan';
import type { Graph, NodeSpec } from '../../src/graph/schema';

export const traits = (effect: Effect = 'pure', rest: Partial<KindTraits> = {}): KindTraits => ({
  effect,
  branches: [],
  formulas: [],
  timeout_ms: 1_000,
  retry: { max_attempts: 1, initial_ms: 1_000, backoff: 2, max_ms: 60_000 },
  ...rest,
});

/** `step` gives what it likes, `choice` branches, `if` is the guard of `when`. */
export const testTraits: Readonly<Record<string, KindTraits>> = {
  step: traits(),
  choice: traits('pure', { branches: ['left', 'right'] }),
  if: traits('pure', { branches: ['true', 'false'], formulas: ['condition'] }),
};

export function graphOf(nodes: Readonly<Record<string, Partial<NodeSpec>>>): Graph {
  const specs = Object.entries(nodes).map(([id, spec]) => [id, { type: 'step', ...spec }] as const);
  return { holdfast: 1, id: 'test', nodes: Object.fromEntries(specs) };
}

export function planOf(nodes: Readonly<Record<string, Partial<NodeSpec>>>): Plan {
  return planGraph(graphOf(nodes), testTraits);
}
