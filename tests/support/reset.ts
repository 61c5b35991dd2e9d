/** What `temporal workflow reset` does: another run from the history's beginning, here without the signals that came since. */
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { temporal as protocol } from '@temporalio/proto';

/** To the end of its first workflow task. Returns the new run. */
export async function resetToBeginning(temporal: Client, workflowId: string, run?: string): Promise<string> {
  const handle = temporal.workflow.getHandle(workflowId, run);
  const { runId } = await handle.describe();
  const { events } = await handle.fetchHistory();
  const first = events?.find(({ workflowTaskCompletedEventAttributes: completed }) => completed != null);
  const answer = await temporal.workflowService.resetWorkflowExecution({
    namespace: temporal.options.namespace,
    workflowExecution: { workflowId, runId },
    reason: 'a test of resets',
    workflowTaskFinishEventId: first!.eventId!,
    requestId: randomUUID(),
    resetReapplyType: protocol.api.enums.v1.ResetReapplyType.RESET_REAPPLY_TYPE_NONE,
  });
  return answer.runId;
}
