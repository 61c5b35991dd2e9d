/** The start and the end of an execution as events, from what Temporal says of it. Pure. */
import { executionEvent, type ExecutionContext, type Publication } from '../events/build';
import type { Graph } from '../graph/schema';
import { present } from '../json';
import type { ExecutionDescription } from '../temporal-client/holdfast-client';
import type { ExecutionStatus } from '../workflows/messages';

export type ClosedDescription = ExecutionDescription & Required<Pick<ExecutionDescription, 'closing'>>;

export function startEvent(description: ExecutionDescription, node_count: number): Publication {
  const fact = { type: 'execution_started', node_count } as const;
  return executionEvent(contextOf(description), 0, fact, Date.parse(description.started_at));
}

export function endEvent(description: ClosedDescription): Publication {
  const { closing } = description;
  const { status } = closing;
  const type = status === 'completed' || status === 'cancelled' ? (`execution_${status}` as const) : 'execution_failed';
  return executionEvent(contextOf(description), 'end', { type, ...closing }, closeTime(description));
}

/** As the workflow counts: a `when` is a node of its own. */
export function nodeCount({ nodes }: Graph): number {
  const specs = Object.values(nodes);
  return specs.length + specs.filter((spec) => spec.when !== undefined).length;
}

export function closeTime({ closed_at, started_at }: ExecutionDescription): number {
  return Date.parse(closed_at ?? started_at);
}

export function contextOf(about: ExecutionDescription | ExecutionStatus): ExecutionContext {
  const { execution_id, workflow_id, graph_version, bot_id, strategy_id, mode } = about;
  return { execution_id, workflow_id, graph_version, mode, ...present({ bot_id, strategy_id }) };
}
