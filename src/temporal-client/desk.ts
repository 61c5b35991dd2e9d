/** The emergency desk as the outside reaches it. */
import type { DeskCommand } from '../emergency/desk';
import { HoldfastError } from '../errors';
import { EMERGENCY_DESK, haltSignal, deskCommandUpdate, deskStatusQuery, type DeskStatus } from '../workflows/messages';
import { DEFAULT_DESK } from '../workflows/search-attributes';
import { call, type TemporalAccess } from './connection';

/** Why, and who says so. */
export type DeskOrder = Pick<DeskCommand, 'reason' | 'actor'>;

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

/** Throws `EmergencyHalted` unless the desk's own words allow it. */
export function assertAllows({ can_trade, scope, reason, actor, epoch }: DeskStatus): void {
  if (can_trade) return;
  throw new HoldfastError('EmergencyHalted', `${scope} is halted by ${actor}: ${reason}`, {
    scope,
    reason,
    actor,
    epoch,
  });
}

/** A signal, so that it is durable at once even while no worker runs; it also starts a desk that was never started. */
export async function haltDesk(
  access: TemporalAccess,
  { reason, actor }: DeskOrder,
  deskId = DEFAULT_DESK,
): Promise<void> {
  await call(access, { kind: 'desk', id: deskId }, () =>
    access.client.workflow.signalWithStart(EMERGENCY_DESK, {
      ...deskOptions(access, deskId),
      signal: haltSignal,
      signalArgs: [{ reason, actor }],
    }),
  );
}

/** An update: lowering waits for the desk's own answer. */
export async function resumeDesk(access: TemporalAccess, order: DeskOrder, deskId = DEFAULT_DESK): Promise<DeskStatus> {
  return call(access, { kind: 'desk', id: deskId }, () =>
    access.client.workflow
      .getHandle(deskWorkflowId(deskId))
      .executeUpdate(deskCommandUpdate, { args: [{ action: 'resume', ...order }] }),
  );
}
