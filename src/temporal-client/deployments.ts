/**
 * Deployed graphs. Each is one Temporal Schedule, `holdfast/<graph id>`, whose action carries the graph: so Temporal is
 * the one place that knows what is deployed. A graph without triggers is a schedule that never fires by itself.
 */
import { ScheduleAlreadyRunning, ScheduleNotFoundError, type ScheduleDescription } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { HoldfastError } from '../errors';
import type { Overlap } from '../graph/overlap';
import type { Graph } from '../graph/schema';
import { RUN_GRAPH, type RunGraphInput } from '../workflows/messages';
import { executionAttributes } from '../workflows/search-attributes';
import { backfill, type BackfillAnswer, type BackfillRange } from './backfill';
import { call, type TemporalAccess } from './connection';
import { executionWorkflowOptions } from './executions';
import { scheduleSettings, temporalSchedule } from './schedule';
import { withInputs } from './start-inputs';

export interface Deployment {
  readonly workflow_id: string;
  readonly name: string;
  readonly graph_version: string;
  readonly graph: Graph;
  readonly paused: boolean;
  /** Why it is paused, in the words of who paused it. */
  readonly note?: string;
  /** What happens when a run is due while the one before still runs. */
  readonly overlap: Overlap;
  /** IANA name, of the cron triggers. */
  readonly time_zone: string;
  /** ISO 8601; absent when nothing is due. */
  readonly next_run_at?: string;
  /** The next five at most, ISO 8601; none while it is paused. */
  readonly next_runs: readonly string[];
  /** Since it was first deployed; `missed` while the server was down, `skipped` because the run before still ran. */
  readonly runs: { readonly started: number; readonly missed: number; readonly skipped: number };
  /** The last ten executions the schedule started, newest last. */
  readonly recent_executions: readonly string[];
}

const PREFIX = 'holdfast/';
const NEXT_RUNS = 5;

export interface DeployOptions {
  /** Starts one execution at once; `when_new` only where the graph was not deployed before, which the schedule itself decides. */
  readonly trigger_now?: boolean | 'when_new';
}

/**
 * Creates the deployment or replaces its graph; running executions keep their version, and it stays paused or not as it was. A new one
 * is paused when its triggers say so. Throws `InputsInvalid` when what is started by a trigger would lack an input.
 */
export async function deploy(
  access: TemporalAccess,
  prepared: RunGraphInput,
  { trigger_now = false }: DeployOptions = {},
): Promise<Deployment> {
  const { graph } = prepared;
  const trigger = trigger_now !== false;
  const { paused } = scheduleSettings(graph);
  const input = deployable(prepared, trigger);
  await call(access, { kind: 'workflow', id: graph.id }, async () => {
    const schedule = scheduleOf(access, input);
    try {
      await access.client.schedule.create({
        ...schedule,
        scheduleId: PREFIX + graph.id,
        state: { triggerImmediately: trigger, paused, ...(paused ? { note: 'paused by the graph' } : {}) },
      });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      const handle = access.client.schedule.getHandle(PREFIX + graph.id);
      await handle.update(({ state }) => ({ ...schedule, state }));
      if (trigger_now === true) await handle.trigger();
    }
  });
  return getDeployment(access, graph.id);
}

/** A graph nothing starts by itself may leave its inputs to whoever starts it. */
function deployable(prepared: RunGraphInput, trigger: boolean): RunGraphInput {
  const { inputs } = scheduleSettings(prepared.graph);
  const fires = trigger || Object.keys(prepared.graph.triggers ?? {}).length > 0;
  return fires ? withInputs(prepared, inputs) : prepared;
}

function scheduleOf(access: TemporalAccess, input: RunGraphInput) {
  return {
    ...temporalSchedule(input.graph),
    typedSearchAttributes: scheduleAttributes(input),
    action: {
      ...executionWorkflowOptions(access, input),
      type: 'startWorkflow' as const,
      workflowType: RUN_GRAPH,
      workflowId: `exec_${input.graph.id}`,
    },
  };
}

/** They tell the deployed version in a listing, where describing each schedule would move every graph. */
function scheduleAttributes({ graph, version }: RunGraphInput): TypedSearchAttributes {
  const { workflow, version: versionKey } = executionAttributes;
  return new TypedSearchAttributes([
    { key: workflow, value: graph.id },
    { key: versionKey, value: version },
  ]);
}

export async function listDeployments(access: TemporalAccess): Promise<Deployment[]> {
  return [...(await pageDeployments(access, { limit: Infinity })).deployments];
}

export interface DeploymentPage {
  readonly deployments: readonly Deployment[];
  /** `after` of the next page; absent on the last one. */
  readonly next_page?: string;
}

/** By id. One that is deleted meanwhile is missing in its page. */
export async function pageDeployments(
  access: TemporalAccess,
  { after, limit }: { readonly after?: string; readonly limit: number },
): Promise<DeploymentPage> {
  const all = [...(await deployedVersions(access)).keys()].sort((a, b) => a.localeCompare(b));
  const left = after === undefined ? all : all.filter((id) => id.localeCompare(after) > 0);
  const ids = left.slice(0, limit);
  const found = await Promise.all(ids.map((id) => getDeployment(access, id).catch(ignoreMissing)));
  const deployments = found.filter((each) => each !== undefined);
  const last = ids.at(-1);
  return left.length > ids.length && last !== undefined ? { deployments, next_page: last } : { deployments };
}

/** The version of each deployed graph, in one listing, which lags a deployment by up to a few hundred milliseconds. */
export async function deployedVersions(access: TemporalAccess): Promise<ReadonlyMap<string, string | undefined>> {
  return call(access, { kind: 'service' }, async () => {
    const found = new Map<string, string | undefined>();
    for await (const { scheduleId, typedSearchAttributes } of access.client.schedule.list()) {
      const version = typedSearchAttributes?.get(executionAttributes.version);
      if (scheduleId.startsWith(PREFIX)) found.set(scheduleId.slice(PREFIX.length), version);
    }
    return found;
  });
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

/** Throws `BadRequest` for a range that is none, and for a graph no schedule starts. */
export async function backfillDeployment(
  access: TemporalAccess,
  workflowId: string,
  range: BackfillRange,
): Promise<BackfillAnswer> {
  const { graph } = await deployedInput(access, workflowId);
  if (Object.keys(graph.triggers ?? {}).length === 0) {
    throw new HoldfastError('BadRequest', `${workflowId} has no triggers, so there is nothing to make up for.`);
  }
  const ids = { workflow_id: workflowId, scheduleId: PREFIX + workflowId };
  return call(access, { kind: 'workflow', id: workflowId }, () => backfill(access, ids, range));
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
  const { overlap, time_zone } = scheduleSettings(graph);
  const next_runs = state.paused ? [] : info.nextActionTimes.slice(0, NEXT_RUNS).map((time) => time.toISOString());
  return {
    workflow_id: workflowId,
    name: graph.name ?? graph.id,
    graph_version: version,
    graph,
    paused: state.paused,
    ...(state.note === undefined || state.note === '' ? {} : { note: state.note }),
    overlap,
    time_zone,
    ...(next_runs[0] === undefined ? {} : { next_run_at: next_runs[0] }),
    next_runs,
    runs: {
      started: info.numActionsTaken,
      missed: info.numActionsMissedCatchupWindow,
      skipped: info.numActionsSkippedOverlap,
    },
    recent_executions: info.recentActions.map(({ action }) => action.workflow.workflowId),
  };
}
