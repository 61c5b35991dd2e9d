/** Tells the executions a change of the desk concerns, so that their durable state says it too. */
import { proxyActivities, sleep } from '@temporalio/workflow';
import type { BroadcastInput, EmergencyNotice } from './desk-messages';

/** Retried without end, because a halt that reached the desk must reach them all. Executions go by the higher epoch. */
const { broadcastEmergency } = proxyActivities<{
  /** Of those alone that began since then, where it is given: milliseconds since 1970. */
  broadcastEmergency(deskId: string, notice: EmergencyNotice, since?: number): Promise<void>;
}>({
  // Thousands take minutes; a worker that was lost is noticed by its silence.
  startToCloseTimeout: '10m',
  heartbeatTimeout: '6s',
  retry: { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '5s' },
  summary: 'tell the executions',
});

/**
 * Visibility lists an execution a moment after its start, so those that started around a change are told by a second round. A word is kept by
 * the server once it is taken, so others are not told twice: each would have a workflow task for it while the first round's are still under way.
 */
const SECOND_ROUND_AFTER = '5s';
const AROUND_MS = 20_000;

export async function emergencyBroadcast({ desk_id, notice }: BroadcastInput): Promise<void> {
  const since = Date.now() - AROUND_MS;
  await broadcastEmergency(desk_id, notice);
  await sleep(SECOND_ROUND_AFTER);
  await broadcastEmergency(desk_id, notice, since);
}
