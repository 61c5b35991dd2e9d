/** Workflows that cancel what rests at the venues: those a halt began, and those somebody asked for. */
import type { WorkflowHandle } from '@temporalio/client';
import type { CancelOrder, CancelReport } from '../emergency/cancels';
import { HoldfastError } from '../errors';
import { CANCEL_OPEN_ORDERS, cancelReportQuery, cancelsWorkflowId, type CancelInput } from '../workflows/desk-messages';
import { DEFAULT_DESK } from '../workflows/search-attributes';
import { call, type TemporalAccess } from './connection';
import { newCommandId } from './desk';

export interface NamedCancels {
  /** The epoch of their halt, or the id of their command. */
  readonly name: string;
  readonly started_at: number;
  /** Absent when no worker answers for it. */
  readonly report?: CancelReport;
}

const TASK_TIMEOUT = '1s';
const MOST_LISTED = 5;
/** Of several desks, before those of one are picked. */
const MOST_LOOKED_AT = 100;

export async function startCancels(access: TemporalAccess, order: CancelOrder, deskId = DEFAULT_DESK): Promise<string> {
  const name = newCommandId();
  const input: CancelInput = { desk_id: deskId, ...order };
  await call(access, { kind: 'service' }, () =>
    access.client.workflow.start(CANCEL_OPEN_ORDERS, {
      workflowId: cancelsWorkflowId(deskId, name),
      taskQueue: access.desk_task_queue,
      workflowTaskTimeout: TASK_TIMEOUT,
      staticSummary: `cancel what rests of ${order.scope}`,
      args: [input],
    }),
  );
  return name;
}

export async function cancelReport(
  access: TemporalAccess,
  name: string | number,
  deskId = DEFAULT_DESK,
): Promise<CancelReport | undefined> {
  const id = cancelsWorkflowId(deskId, name);
  try {
    return await call(access, { kind: 'execution', id }, () => reportOf(access.client.workflow.getHandle(id)));
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'ExecutionNotFound') return undefined;
    throw error;
  }
}

export async function listCancels(access: TemporalAccess, deskId = DEFAULT_DESK): Promise<readonly NamedCancels[]> {
  const query = `WorkflowType = '${CANCEL_OPEN_ORDERS}' AND TaskQueue = '${access.desk_task_queue}'`;
  const prefix = cancelsWorkflowId(deskId, '');
  const found = await call(access, { kind: 'service' }, async () => {
    const rows = new Map<string, number>();
    let looked = 0;
    for await (const { workflowId, startTime } of access.client.workflow.list({ query })) {
      if (workflowId.startsWith(prefix)) rows.set(workflowId.slice(prefix.length), startTime.getTime());
      looked += 1;
      if (rows.size >= MOST_LISTED || looked >= MOST_LOOKED_AT) break;
    }
    return [...rows];
  });
  return Promise.all(found.map(([name, started_at]) => named(access, { name, started_at }, deskId)));
}

async function named(access: TemporalAccess, row: Omit<NamedCancels, 'report'>, deskId: string): Promise<NamedCancels> {
  try {
    const report = await cancelReport(access, row.name, deskId);
    return report === undefined ? row : { ...row, report };
  } catch (error) {
    if (error instanceof HoldfastError) return row;
    throw error;
  }
}

/** One that has ended needs no worker to say how. */
async function reportOf(handle: WorkflowHandle): Promise<CancelReport> {
  const { status } = await handle.describe();
  if (status.name === 'COMPLETED') return (await handle.result()) as CancelReport;
  return handle.query(cancelReportQuery);
}
