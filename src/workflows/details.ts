/** What Temporal's Web UI shows as the current details of an execution: what it waits for. */
import type { Plan } from '../graph/plan';
import type { RunState } from '../graph/scheduler';
import type { ExecutionState, HaltCause } from './messages';

const NAMED = 5;

export interface Progress {
  readonly plan: Plan;
  readonly run: RunState;
  /** What is out now, by the plan's index. */
  readonly out: Iterable<number>;
  readonly state: ExecutionState;
  readonly halts: readonly HaltCause[];
}

export function describeProgress({ plan, run, out, state, halts }: Progress): string {
  const done = `${run.nodes.length - run.unsettled} of ${run.nodes.length} nodes done`;
  switch (state) {
    case 'halted':
      return `**Halted** ${halts.map(({ scope, reason }) => `by ${scope}: ${reason}`).join('; ')}. ${done}.`;
    case 'waiting':
      return `Waits: ${namesOf(plan, out)}. ${done}.`;
    case 'running':
      return `${done}; running: ${namesOf(plan, out)}.`;
    case 'failed':
      return `**Failed**: ${failureOf(run)}. ${done}.`;
    case 'completed':
    case 'cancelled':
      return `${state}; ${done}.`;
  }
}

function failureOf({ failure }: RunState): string {
  return failure === undefined ? 'refused before its first node' : `${failure.node_id}: ${failure.error}`;
}

function namesOf(plan: Plan, out: Iterable<number>): string {
  const names: string[] = [];
  for (const index of out) {
    if (names.push(plan.nodes[index]?.id ?? '') === NAMED) return `${names.join(', ')} and more`;
  }
  return names.join(', ') || 'nothing yet';
}
