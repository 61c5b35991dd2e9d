/** What executions left on the server, run by run. */
import { performance } from 'node:perf_hooks';
import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';

type History = temporal.api.history.v1.IHistory;

export interface Run {
  readonly run_id: string;
  readonly history: History;
  readonly events: number;
  readonly tasks: number;
  /** Workflow tasks that failed or timed out. */
  readonly lost_tasks: number;
  /** Bytes it handed to the next run; 0 for the last. */
  readonly handed_over: number;
}

/** All runs of an execution, the last first. */
export async function runsOf(temporal: Client, executionId: string): Promise<Run[]> {
  const runs: Run[] = [];
  for (let runId: string | undefined; ;) {
    const handle = temporal.workflow.getHandle(executionId, runId);
    const history = await handle.fetchHistory();
    const started = history.events?.[0]?.workflowExecutionStartedEventAttributes;
    runs.push(describeRun(started?.originalExecutionRunId ?? '', history));
    runId = started?.continuedExecutionRunId ?? '';
    if (runId === '') return runs;
  }
}

function describeRun(run_id: string, history: History): Run {
  const events = history.events ?? [];
  const count = (has: (event: (typeof events)[number]) => unknown) =>
    events.filter((event) => has(event) != null).length;
  const continued = events.at(-1)?.workflowExecutionContinuedAsNewEventAttributes;
  const payloads = continued?.input?.payloads ?? [];
  return {
    run_id,
    history,
    events: events.length,
    tasks: count((event) => event.workflowTaskCompletedEventAttributes),
    lost_tasks: count((event) => event.workflowTaskFailedEventAttributes ?? event.workflowTaskTimedOutEventAttributes),
    handed_over: payloads.reduce((sum, { data }) => sum + (data?.length ?? 0), 0),
  };
}

/** Milliseconds each run's replay takes, the better of two; throws where a replay comes to other commands than history has. */
export async function replayTimes(executionId: string, runs: readonly Run[], codePath: string): Promise<number[]> {
  const first = await replayAll(executionId, runs, codePath);
  const second = await replayAll(executionId, runs, codePath);
  return first.map((ms, index) => Math.min(ms, second[index] ?? ms));
}

/** One worker replays them one after the other: what a history costs, without the start of a worker. */
async function replayAll(executionId: string, runs: readonly Run[], codePath: string): Promise<number[]> {
  const times: number[] = [];
  let begun = 0;
  let ended: () => void = () => undefined;
  const given = function* () {
    // The first only warms the worker up.
    for (const { history } of [...runs.slice(0, 1), ...runs]) yield { workflowId: executionId, history };
  };
  const paced = async function* () {
    for (const each of given()) {
      const done = new Promise<void>((resolve) => (ended = resolve));
      begun = performance.now();
      yield each;
      await done;
    }
  };
  const payloadConverterPath = require.resolve('../../src/workflows/payload-converter');
  const sinks = { events: { publish: { fn: () => undefined, callDuringReplay: false } } };
  const options = { workflowBundle: { codePath }, dataConverter: { payloadConverterPath }, sinks };
  for await (const { error } of Worker.runReplayHistories(options, paced())) {
    times.push(performance.now() - begun);
    if (error !== undefined) throw error;
    ended();
  }
  return times.slice(1);
}
