/** The emergency desk as the outside reaches it. */
import { HoldfastError } from '../errors';
import {
  EMERGENCY_DESK,
  deskHaltSignal,
  deskResumeSignal,
  deskStatusQuery,
  type DeskStatus,
} from '../workflows/messages';
import { DEFAULT_DESK } from '../workflows/search-attributes';
import { call, type TemporalAccess } from './connection';

export interface DeskCommand {
  readonly reason: string;
  /** Who commands, for the record. */
  readonly actor: string;
}

const DESK_TASK_TIMEOUT = '1s';

export function deskWorkflowId(deskId: string): string {
  return `desk/${deskId}`;
}

function deskOptions(access: TemporalAccess, deskId: string) {
  return {
    workflowId: deskWorkflowId(deskId),
    taskQueue: access.desk_task_queue,
    workflowTaskTimeout: DESK_TASK_TIMEOUT,
    args: [{ desk_id: deskId }],
  };
}

/** Starts the desk unless it runs. */
export async function ensureDesk(access: TemporalAccess, deskId = DEFAULT_DESK): Promise<void> {
  await call(access, { kind: 'desk', id: deskId }, () =>
    access.client.workflow.start(EMERGENCY_DESK, {
      ...deskOptions(access, deskId),
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
  );
}

/** Throws `EmergencyUnreachable` when the desk does not answer: no answer means no. */
export async function deskStatus(access: TemporalAccess, deskId = DEFAULT_DESK): Promise<DeskStatus> {
  return call(access, { kind: 'desk', id: deskId }, () =>
    access.client.workflow.getHandle(deskWorkflowId(deskId)).query(deskStatusQuery),
  );
}

/** Throws `EmergencyHalted` while a halt is in force, `EmergencyUnreachable` when nobody says there is none. */
export async function assertCanOperate(access: TemporalAccess, deskId = DEFAULT_DESK): Promise<void> {
  const status = await deskStatus(access, deskId);
  if (status.can_trade) return;
  const { scope, reason, actor, epoch } = status;
  throw new HoldfastError('EmergencyHalted', `${scope} is halted by ${actor}: ${reason}`, {
    scope,
    reason,
    actor,
    epoch,
  });
}

/** A halt also starts a desk that was never started: the order must not get lost. */
export async function commandDesk(
  access: TemporalAccess,
  action: 'halt' | 'resume',
  command: DeskCommand,
  deskId = DEFAULT_DESK,
): Promise<void> {
  await call(access, { kind: 'desk', id: deskId }, () =>
    access.client.workflow.signalWithStart(EMERGENCY_DESK, {
      ...deskOptions(access, deskId),
      signal: action === 'halt' ? deskHaltSignal : deskResumeSignal,
      signalArgs: [command],
    }),
  );
}
