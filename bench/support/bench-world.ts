/** A Holdfast worker and a hand-written Temporal worker side by side in this process, against one server. */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { heartbeat } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { loadConfig } from '../../src/config/config';
import type { Publication } from '../../src/events/build';
import { FileBlobStore } from '../../src/blobs/file-blob-store';
import { createLogger } from '../../src/logging';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { createWorker } from '../../src/worker/create-worker';
import type { ExecutionSettings } from '../../src/workflows/messages';
import { benchKinds } from './bench-kinds';
import type { Nodes } from './graphs';
import type * as plainWorkflows from './plain-workflows';
import { prepare } from './prepare';
import { readyDesk } from '../../tests/support/ready-desk';

type PlainWorkflows = typeof plainWorkflows;

export interface BenchWorld {
  /** Milliseconds from the start call to the result at the caller. */
  holdfast(nodes: Nodes, settings?: ExecutionSettings): Promise<number>;
  /** The same of a hand-written workflow. */
  plain<Name extends keyof PlainWorkflows>(name: Name, ...args: Parameters<PlainWorkflows[Name]>): Promise<number>;
  /** Opens a hand-written workflow that only answers; each call is one update of it, in milliseconds. */
  answering(): Promise<() => Promise<number>>;
  close(): Promise<void>;
}

export interface BenchOptions {
  readonly address: string;
  readonly publish?: (publication: Publication) => void;
}

/** As released. The SDK's bundler would make it from the sources for a JavaScript of 2017, where `...` is a function that costs a quarter more. */
const BUNDLE = resolve('dist/workflow-bundle.js');
let plainBundle: Promise<{ code: string }> | undefined;

const quiet = new DefaultLogger('ERROR');
Runtime.install({ logger: quiet, shutdownSignals: [] });

export async function openWorld({ address, publish = () => undefined }: BenchOptions): Promise<BenchWorld> {
  const queue = `bench-${randomUUID()}`;
  const config = loadConfig({
    ...process.env,
    TEMPORAL_ADDRESS: address,
    HOLDFAST_TASK_QUEUE: queue,
    HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk`,
  });
  const kinds = benchKinds();
  const client = await HoldfastClient.connect(config.temporal);
  await client.ensureSearchAttributes();
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const temporal = new Client({ connection });
  plainBundle ??= bundleWorkflowCode({ workflowsPath: require.resolve('./plain-workflows'), logger: quiet });

  const worker = await createWorker({
    config,
    connection: native,
    client,
    kinds,
    blobs: new FileBlobStore(config.blobs.directory),
    log: createLogger('bench', { level: 'silent', pretty: false }),
    publish,
    workflows: { workflowBundle: { codePath: BUNDLE } },
  });
  const plainWorker = await Worker.create({
    connection: native,
    taskQueue: `${queue}-plain`,
    workflowBundle: await plainBundle,
    activities: plainActivities,
    stickyQueueScheduleToStartTimeout: config.worker.sticky_timeout_ms,
    maxHeartbeatThrottleInterval: '200ms',
    defaultHeartbeatThrottleInterval: '200ms',
    maxConcurrentActivityTaskExecutions: config.worker.max_concurrent_activities,
  });
  const plainDone = plainWorker.run();
  const desk = `bench-${randomUUID()}`;
  await deskAnswers(client, desk);
  const open: (() => Promise<unknown>)[] = [];

  return {
    holdfast: async (nodes, settings) => {
      const prepared = prepare(nodes, { desk });
      const startedAt = performance.now();
      const { execution_id } = await client.startExecution({ ...prepared, ...(settings && { settings }) });
      await temporal.workflow.getHandle(execution_id).result();
      return performance.now() - startedAt;
    },
    plain: async (name, ...args) => {
      const startedAt = performance.now();
      await temporal.workflow.execute(name, {
        taskQueue: `${queue}-plain`,
        workflowId: randomUUID(),
        workflowTaskTimeout: '3s',
        args,
      });
      return performance.now() - startedAt;
    },
    answering: async () => {
      const handle = await temporal.workflow.start('plainAnswers', {
        ...{ taskQueue: `${queue}-plain`, workflowId: randomUUID(), workflowTaskTimeout: '3s' },
      });
      open.push(() => handle.terminate());
      return async () => {
        const startedAt = performance.now();
        await handle.executeUpdate('answer');
        return performance.now() - startedAt;
      };
    },
    close: async () => {
      await Promise.all(open.map((end) => end()));
      plainWorker.shutdown();
      await Promise.all([worker.shutdown(), plainDone]);
      await Promise.all([native.close(), connection.close(), client.close()]);
    },
  };
}

/** The first task of a fresh worker can take longer than the client waits. */
async function deskAnswers(client: HoldfastClient, desk: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      await readyDesk(client, desk);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

const BEAT_EVERY_MS = 1_000;

/** As Holdfast's nodes do it: a beat every second. */
async function beating<T>(work: Promise<T>): Promise<T> {
  const beat = setInterval(() => {
    heartbeat();
  }, BEAT_EVERY_MS);
  try {
    return await work;
  } finally {
    clearInterval(beat);
  }
}

const plainActivities = {
  step: (value: number) => beating(Promise.resolve(value + 1)),
  pause: (ms: number) => beating(sleep(ms, ms)),
};
