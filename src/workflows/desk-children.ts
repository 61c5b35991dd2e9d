/** Workflows the desk starts, and leaves: each goes on whatever becomes of the run that began it. */
import { ParentClosePolicy, log, startChild, workflowInfo } from '@temporalio/workflow';
import {
  CANCEL_OPEN_ORDERS,
  EMERGENCY_BROADCAST,
  FLATTEN_POSITIONS,
  cancelsWorkflowId,
  flattenWorkflowId,
  type BroadcastInput,
  type CancelInput,
  type FlattenInput,
} from './desk-messages';

export async function startBroadcast(input: BroadcastInput): Promise<void> {
  const { desk_id, notice } = input;
  const workflowId = `desk/${desk_id}/told/${notice.epoch}`;
  await start(EMERGENCY_BROADCAST, input, { workflowId, staticSummary: `${notice.scope} is ${notice.state}` });
}

export async function startCancels(input: CancelInput): Promise<void> {
  const { desk_id, epoch = 0, scope } = input;
  const workflowId = cancelsWorkflowId(desk_id, epoch);
  await start(CANCEL_OPEN_ORDERS, input, { workflowId, staticSummary: `cancel what rests of ${scope}` });
}

export async function startFlatten(input: FlattenInput): Promise<void> {
  const { desk_id, epoch, scope } = input;
  const workflowId = flattenWorkflowId(desk_id, epoch);
  await start(FLATTEN_POSITIONS, input, { workflowId, staticSummary: `close what is held of ${scope}` });
}

interface ChildName {
  readonly workflowId: string;
  readonly staticSummary: string;
}

/** On the desk's own task queue, where nothing waits behind nodes. */
async function start(type: string, input: BroadcastInput | CancelInput | FlattenInput, name: ChildName): Promise<void> {
  try {
    await startChild(type, {
      ...name,
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowTaskTimeout: workflowInfo().taskTimeoutMs,
    });
  } catch {
    log.info('child_runs_already', { workflow_id: name.workflowId });
  }
}
