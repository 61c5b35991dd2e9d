/** Workflows that cancel what rests at the venues: those a halt began, and those somebody asked for. */
import type { CancelOrder, CancelReport } from '../emergency/cancels';
import { HoldfastError } from '../errors';
import { CANCEL_OPEN_ORDERS, cancelReportQuery, cancelsWorkflowId, type CancelInput } from '../workflows/desk-messages';
import { DEFAULT_DESK } from '../workflows/search-attributes';
import { call, type TemporalAccess } from './connection';
import { command, DESK_TASK_TIMEOUT, newCommandId } from './desk';
import type { Named, Reporting } from './desk-reports';

/** `name`: the epoch of their halt or command; where the desk did not answer, the id of the command. */
export type NamedCancels = Named<CancelReport>;

export const cancelling: Reporting<CancelReport> = {
  type: CANCEL_OPEN_ORDERS,
  query: cancelReportQuery,
  workflowId: cancelsWorkflowId,
};

/**
 * By the desk, which has it on its record. A cancel is never kept from anybody, so where the desk does not answer, or does not know such a
 * command yet, it is started without it, and is in no record but Temporal's.
 */
export async function startCancels(access: TemporalAccess, order: CancelOrder, deskId = DEFAULT_DESK): Promise<string> {
  const command_id = newCommandId();
  const given = { ...order, action: 'cancel_orders', command_id };
  const answer = await command(access, given, deskId).catch(unlessUnreachable);
  if (answer?.ok === true) return String(answer.epoch);
  return startWithoutDesk(access, { desk_id: deskId, ...order }, command_id);
}

function unlessUnreachable(error: unknown): undefined {
  if (error instanceof HoldfastError && error.code === 'EmergencyUnreachable') return undefined;
  throw error;
}

async function startWithoutDesk(access: TemporalAccess, input: CancelInput, name: string): Promise<string> {
  await call(access, { kind: 'service' }, () =>
    access.client.workflow.start(CANCEL_OPEN_ORDERS, {
      workflowId: cancelsWorkflowId(input.desk_id, name),
      taskQueue: access.desk_task_queue,
      workflowTaskTimeout: DESK_TASK_TIMEOUT,
      staticSummary: `cancel what rests of ${input.scope}`,
      args: [input],
    }),
  );
  return name;
}
