/** Reports of what workflows do for a desk: how far one is, and the latest of a kind. */
import type { WorkflowHandle } from '@temporalio/client';
import type { QueryDefinition } from '@temporalio/common';
import { HoldfastError } from '../errors';
import { call, type TemporalAccess } from './connection';
import { isNotFound } from './executions';

export interface Named<R> {
  /** What tells it apart from others of its kind at its desk. */
  readonly name: string;
  readonly started_at: number;
  /** Absent when no worker answers for it. */
  readonly report?: R;
}

/** A kind of workflow that reports. */
export interface Reporting<R> {
  readonly type: string;
  readonly query: QueryDefinition<R>;
  readonly workflowId: (deskId: string, name: string | number) => string;
}

const MOST_LISTED = 5;
/** Of several desks, before those of one are picked. */
const MOST_LOOKED_AT = 100;

/** Undefined where there is none of this name. Throws `WorkerUnavailable`. */
export async function reportOf<R>(
  access: TemporalAccess,
  { workflowId, query }: Pick<Reporting<R>, 'workflowId' | 'query'>,
  [deskId, name]: readonly [deskId: string, name: string | number],
): Promise<R | undefined> {
  const id = workflowId(deskId, name);
  try {
    return await call(access, { kind: 'execution', id }, () => saidBy(access.client.workflow.getHandle(id), query));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The newest first. */
export async function latestReports<R>(
  access: TemporalAccess,
  kind: Reporting<R>,
  deskId: string,
): Promise<readonly Named<R>[]> {
  const query = `WorkflowType = '${kind.type}' AND TaskQueue = '${access.desk_task_queue}'`;
  const prefix = kind.workflowId(deskId, '');
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
  return Promise.all(
    found.map(async ([name, started_at]) => {
      const report = await unlessSilent(() => reportOf(access, kind, [deskId, name]));
      return report === undefined ? { name, started_at } : { name, started_at, report };
    }),
  );
}

async function unlessSilent<R>(ask: () => Promise<R | undefined>): Promise<R | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof HoldfastError) return undefined;
    throw error;
  }
}

/** One that has ended needs no worker to say how. */
async function saidBy<R>(handle: WorkflowHandle, query: QueryDefinition<R>): Promise<R> {
  const { status } = await handle.describe();
  if (status.name === 'COMPLETED') return (await handle.result()) as R;
  return handle.query(query);
}
