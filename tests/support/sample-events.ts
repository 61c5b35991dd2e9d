/** Publications as worker and workflow make them. */
import { executionEvent, nodeEvent, type ExecutionContext, type Publication } from '../../src/events/build';
import type { NodeFact } from '../../src/events/envelope';

export const AT = Date.parse('2026-01-05T12:00:00.000Z');

export function context(executionId: string, rest: Partial<ExecutionContext> = {}): ExecutionContext {
  return {
    execution_id: executionId,
    workflow_id: 'arb',
    graph_version: 'abcdef012345',
    bot_id: 'bot_001',
    strategy_id: 'arb_btc',
    mode: 'paper',
    ...rest,
  };
}

export function started(of: ExecutionContext, at = AT): Publication {
  return executionEvent(of, 0, { type: 'execution_started', node_count: 2 }, at);
}

export function completed(of: ExecutionContext, at = AT): Publication {
  return executionEvent(of, 'end', { type: 'execution_completed', status: 'completed', duration_ms: 12 }, at);
}

export function node(
  of: ExecutionContext,
  nodeId: string,
  fact: NodeFact,
  turn: { readonly dispatch?: number; readonly attempt?: number; readonly generation?: number } = {},
): Publication {
  const { dispatch = 1, attempt = 1, generation = 1 } = turn;
  return nodeEvent(of, { node_id: nodeId, node_type: 'constant', frame: '', generation, dispatch, attempt }, fact, AT);
}

export const nodeStarted: NodeFact = { type: 'node_started' };
export const nodeCompleted: NodeFact = {
  type: 'node_completed',
  status: 'success',
  duration_ms: 3,
  outputs: { value: [] },
};
