/** In lines, for the one who asks why an execution does not end: its open nodes, what the server has pending, its last events. */
import { Client, Connection } from '@temporalio/client';
import { temporal as proto } from '@temporalio/proto';
import type { TemporalOptions } from '../../src/temporal-client/connection';
import type { HoldfastClient } from '../../src/temporal-client/holdfast-client';

const LAST_EVENTS = 40;
const { EventType, PendingActivityState } = proto.api.enums.v1;

export async function whyOpen(id: string, temporal: TemporalOptions, holdfast: HoldfastClient): Promise<string> {
  const { address, namespace } = temporal;
  const connection = await Connection.connect({ address });
  try {
    const handle = new Client({ connection, namespace }).workflow.getHandle(id);
    const { raw, historyLength } = await handle.describe();
    const { events } = await handle.fetchHistory();
    return [
      `${String(raw.workflowExecutionInfo?.status)}, ${historyLength} events`,
      ...(await openNodes(id, holdfast)),
      ...(raw.pendingActivities ?? []).map(
        ({ activityId, state, attempt, lastFailure }) =>
          `pending ${String(activityId)}: ${PendingActivityState[state ?? 0]}, attempt ${String(attempt)} ${lastFailure?.message ?? ''}`,
      ),
      ...(raw.pendingWorkflowTask ? [`workflow task: ${JSON.stringify(raw.pendingWorkflowTask)}`] : []),
      ...(events ?? []).slice(-LAST_EVENTS).map(({ eventId, eventType, eventTime, ...rest }) => {
        const attributes = Object.values(rest).find((value) => typeof value === 'object' && value !== null);
        const at = new Date(Number(eventTime?.seconds ?? 0) * 1_000).toISOString();
        return `${String(eventId)} ${at} ${EventType[eventType ?? 0]} ${JSON.stringify(attributes).slice(0, 200)}`;
      }),
    ].join('\n');
  } finally {
    await connection.close();
  }
}

async function openNodes(id: string, holdfast: HoldfastClient): Promise<string[]> {
  try {
    const { nodes } = await holdfast.executionStatus(id);
    return Object.entries(nodes).map(([node, status]) => `${node}: ${JSON.stringify(status).slice(0, 160)}`);
  } catch (error) {
    return [`status: ${String(error)}`];
  }
}
