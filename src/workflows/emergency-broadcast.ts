/** Tells the executions a change of the desk concerns, so that their durable state says it too. */
import { proxyActivities, sleep } from '@temporalio/workflow';
import type { BroadcastInput, EmergencyNotice } from './desk-messages';

/** Retried without end, because a halt that reached the desk must reach them all. Executions go by the higher epoch. */
const { broadcastEmergency } = proxyActivities<{
  broadcastEmergency(deskId: string, notice: EmergencyNotice): Promise<void>;
}>({
  startToCloseTimeout: '60s',
  heartbeatTimeout: '6s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '5s' },
  summary: 'tell the executions',
});

/** Visibility lists an execution a moment after its start, so those that started around a change are told by a second round. */
const SECOND_ROUND_AFTER = '5s';

export async function emergencyBroadcast({ desk_id, notice }: BroadcastInput): Promise<void> {
  await broadcastEmergency(desk_id, notice);
  await sleep(SECOND_ROUND_AFTER);
  await broadcastEmergency(desk_id, notice);
}
