/** Histories against the code of today. */
import { Client, Connection } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import type { TemporalOptions } from '../../src/temporal-client/connection';
import { testBundle } from './workflow-bundle';

export interface RecordedRun {
  readonly workflowId: string;
  readonly history: temporal.api.history.v1.IHistory;
}

/** In words, what cannot be replayed; and how many were. */
export async function replayAll(runs: readonly RecordedRun[]): Promise<{ errors: string[]; replayed: number }> {
  const results = Worker.runReplayHistories(
    {
      workflowBundle: await testBundle(false),
      sinks: {
        events: { publish: { fn: () => undefined, callDuringReplay: false } },
        gates: { close: { fn: () => undefined, callDuringReplay: false } },
      },
      dataConverter: { payloadConverterPath: require.resolve('../../src/workflows/payload-converter') },
    },
    runs,
  );
  const errors: string[] = [];
  let replayed = 0;
  for await (const { workflowId, error } of results) {
    replayed += 1;
    if (error !== undefined) errors.push(`${workflowId}: ${error.message}`);
  }
  return { errors, replayed };
}

/** The histories of all runs of an execution, the last one first. */
export async function runsOf(id: string, { address, namespace }: TemporalOptions): Promise<RecordedRun[]> {
  const connection = await Connection.connect({ address });
  try {
    const { workflow } = new Client({ connection, namespace });
    const runs: RecordedRun[] = [];
    let runId: string | undefined;
    do {
      const history = await workflow.getHandle(id, runId).fetchHistory();
      runs.push({ workflowId: id, history });
      runId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId ?? undefined;
    } while (runId !== undefined && runId !== '');
    return runs;
  } finally {
    await connection.close();
  }
}
