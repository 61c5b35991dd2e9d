/** What a node of an execution under test is handed out with. */
import type { NodeTask } from '../graph/task';
import type { RunGraphInput } from '../workflows/messages';
import type { NodeBooks } from '../workflows/status';

export interface Under {
  readonly input: RunGraphInput;
  readonly execution_id: string;
}

export function taskOf({ input, execution_id }: Under, { graph, turns }: NodeBooks, id: number): NodeTask {
  const { id: node_id, type: node_type, timeout_ms, retry } = graph.node(id);
  const { dispatch, used } = turns.of(id);
  return {
    ...{ execution_id, workflow_id: input.graph.id, mode: 'paper' },
    ...{ node_id, node_type, frame: graph.frame(id).path, generation: graph.generation(id) },
    ...{ dispatch, used_attempts: used, fields: graph.fields(id), timeout_ms, retry },
  };
}
