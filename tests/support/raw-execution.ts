/** Executions nobody works on, for what only Temporal must know: their graph, that they run, that they were terminated. */
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { startAttributes } from '../../src/workflows/search-attributes';
import { bareNamespace, temporalOf } from './bare-namespace';
import { prepare } from './prepared';

export async function startUnworked(
  executionId: string,
  graph: object,
): Promise<WorkflowHandle & { close: () => Promise<void> }> {
  const { address, namespace, task_queue } = temporalOf(await bareNamespace());
  const connection = await Connection.connect({ address });
  const input = prepare(graph);
  const handle = await new Client({ connection, namespace }).workflow.start('runGraph', {
    workflowId: executionId,
    taskQueue: task_queue,
    args: [input],
    typedSearchAttributes: startAttributes(input),
  });
  return Object.assign(handle, { close: () => connection.close() });
}
