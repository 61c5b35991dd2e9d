/**
 * Deployed graphs. Each is one Temporal Schedule, `holdfast/<graph id>`, whose action carries the graph: so Temporal is
 * the one place that knows what is deployed. A graph without triggers is a schedule that never fires by itself.
 */
import { ScheduleAlreadyRunning, ScheduleNotFoundError, type ScheduleDescription } from '@temporalio/client';
import { HoldfastError } from '../errors';
import { durationMs } from '../graph/duration';
import type { Graph } from '../graph/schema';
import { RUN_GRAPH, type RunGraphInput } from '../workflows/messages';
import { call, type TemporalAccess } from './connection';
import { executionWorkflowOptions } from './executions';

export interface Deployment {
  readonly workflow_id: string;
  readonly name: string;
  readonly graph_version: string;
  readonly graph: Graph;
  readonly paused: boolean;
  /** Why it is paused, in the words of who paused it. */
  readonly note?: string;
  /** ISO 8601; absent when nothing is due. */
  readonly next_run_at?: string;
  /** The last ten executions the schedule started, newest last. */
  readonly recent_executions: readonly string[];
}

const PREFIX = 'holdfast/';
/** A server that was down starts what it missed for this long, no more: older market data is nobody's signal. */
const CATCH_UP_MS = 60_000;
const OVERLAP = { skip: 'SKIP', buffer_one: 'BUFFER_ONE', allow_all: 'ALLOW_ALL' } as const;

/** Creates the deployment or replaces its graph; a paused one stays paused, running executions keep their version. */
export async function deploy(
  access: TemporalAccess,
  input: RunGraphInput,
  options: { readonly trigger_now?: boolean } = {},
): Promise<Deployment> {
  const { graph } = input;
  const trigger = options.trigger_now === true;
  await call(access, { kind: 'workflow', id: graph.id }, async () => {
    const schedule = scheduleOf(access, input);
    try {
      await access.client.schedule.create({
        ...schedule,
        scheduleId: PREFIX + graph.id,
        state: { triggerImmediately: trigger },
      });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      const handle = access.client.schedule.getHandle(PREFIX + graph.id);
      await handle.update(({ state }) => ({ ...schedule, state }));
      if (trigger) await handle.trigger();
    }
  });
  return getDeployment(access, graph.id);
}

function scheduleOf(access: TemporalAccess, input: RunGraphInput) {
  const triggers = Object.values(input.graph.triggers ?? {});
  return {
    spec: { intervals: triggers.map((trigger) => ({ every: durationMs(trigger.every) ?? 0 })) },
    policies: { overlap: OVERLAP[triggers[0]?.overlap ?? 'skip'], catchupWindow: CATCH_UP_MS },
    action: {
      ...executionWorkflowOptions(access, input),
      type: 'startWorkflow' as const,
      workflowType: RUN_GRAPH,
      workflowId: `exec_${input.graph.id}`,
    },
  };
}

export async function listDeployments(access: TemporalAccess): Promise<Deployment[]> {
  const ids = await call(access, { kind: 'service' }, async () => {
    const found: string[] = [];
    for await (const { scheduleId } of access.client.schedule.list()) {
      if (scheduleId.startsWith(PREFIX)) found.push(scheduleId.slice(PREFIX.length));
    }
    return found;
  });
  const all = await Promise.all(ids.map((id) => getDeployment(access, id).catch(ignoreMissing)));
  return all.filter((each) => each !== undefined).sort((a, b) => a.workflow_id.localeCompare(b.workflow_id));
}

/** The list lags behind deletions. */
function ignoreMissing(error: unknown): undefined {
  if (error instanceof HoldfastError && error.code === 'WorkflowNotFound') return undefined;
  throw error;
}

export async function getDeployment(access: TemporalAccess, workflowId: string): Promise<Deployment> {
  const description = await onSchedule(access, workflowId, (handle) => handle.describe());
  return deploymentOf(workflowId, description);
}

/** What the deployment starts, to start it under another id or by hand. */
export async function deployedInput(access: TemporalAccess, workflowId: string): Promise<RunGraphInput> {
  const description = await onSchedule(access, workflowId, (handle) => handle.describe());
  return inputOf(description);
}

export async function undeploy(access: TemporalAccess, workflowId: string): Promise<void> {
  await onSchedule(access, workflowId, (handle) => handle.delete());
}

export async function pauseDeployment(access: TemporalAccess, workflowId: string, note: string): Promise<void> {
  await onSchedule(access, workflowId, (handle) => handle.pause(note));
}

export async function resumeDeployment(access: TemporalAccess, workflowId: string, note: string): Promise<void> {
  await onSchedule(access, workflowId, (handle) => handle.unpause(note));
}

type Handle = ReturnType<TemporalAccess['client']['schedule']['getHandle']>;

function onSchedule<T>(access: TemporalAccess, id: string, action: (handle: Handle) => Promise<T>): Promise<T> {
  return call(access, { kind: 'workflow', id }, async () => {
    try {
      return await action(access.client.schedule.getHandle(PREFIX + id));
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
      throw new HoldfastError('WorkflowNotFound', `No graph called ${id} is deployed.`, { workflow_id: id });
    }
  });
}

function inputOf({ action }: ScheduleDescription): RunGraphInput {
  return action.args?.[0] as RunGraphInput;
}

function deploymentOf(workflowId: string, description: ScheduleDescription): Deployment {
  const { graph, version } = inputOf(description);
  const { state, info } = description;
  const next = info.nextActionTimes[0];
  return {
    workflow_id: workflowId,
    name: graph.name ?? graph.id,
    graph_version: version,
    graph,
    paused: state.paused,
    ...(state.note === undefined || state.note === '' ? {} : { note: state.note }),
    ...(next === undefined || state.paused ? {} : { next_run_at: next.toISOString() }),
    recent_executions: info.recentActions.map(({ action }) => action.workflow.workflowId),
  };
}
