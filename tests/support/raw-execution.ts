/** Executions nobody works on, for what only Temporal must know: their graph, that they run, that they were terminated. */
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { temporal as protocol } from '@temporalio/proto';
import { startAttributes } from '../../src/workflows/search-attributes';
import { bareNamespace, temporalOf } from './bare-namespace';
import { prepare } from './prepared';

/** Longer than the server waits for a task. */
const POLL_MS = 70_000;

export type UnworkedExecution = WorkflowHandle & { readonly connection: Connection; close: () => Promise<void> };

export async function startUnworked(executionId: string, graph: object): Promise<UnworkedExecution> {
  const { address, namespace, task_queue } = temporalOf(await bareNamespace());
  const connection = await Connection.connect({ address });
  const input = prepare(graph);
  const handle = await new Client({ connection, namespace }).workflow.start('runGraph', {
    workflowId: executionId,
    taskQueue: task_queue,
    args: [input],
    typedSearchAttributes: startAttributes(input),
  });
  return Object.assign(handle, { connection, close: () => connection.close() });
}

/** The token of its workflow task, as a worker would take it. */
export async function taskOf({ connection, workflowId }: UnworkedExecution): Promise<Uint8Array> {
  const { namespace, task_queue } = temporalOf(await bareNamespace());
  const poll = { namespace, taskQueue: { name: task_queue }, identity: 'by hand' };
  for (;;) {
    const next = () => connection.workflowService.pollWorkflowTaskQueue(poll);
    const { taskToken, workflowExecution, query } = await connection.withDeadline(Date.now() + POLL_MS, next);
    // Others wait there too, and questions of who looks at executions.
    if (workflowExecution?.workflowId === workflowId && query == null) return taskToken;
  }
}

/** Answers a task with the end of the workflow. */
export async function complete({ connection }: UnworkedExecution, taskToken: Uint8Array): Promise<void> {
  const { namespace } = temporalOf(await bareNamespace());
  await connection.workflowService.respondWorkflowTaskCompleted({
    ...{ namespace, taskToken, identity: 'by hand' },
    commands: [
      {
        commandType: protocol.api.enums.v1.CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
        completeWorkflowExecutionCommandAttributes: {},
      },
    ],
  });
}
