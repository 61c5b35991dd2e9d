/** A Temporal namespace of a test file's own, with a worker in this process: its desk halts nobody else's executions. */
import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { createKinds } from '../../src/activities/kinds';
import { FileBlobStore } from '../../src/blobs/file-blob-store';
import { loadConfig } from '../../src/config/config';
import type { Publication } from '../../src/events/build';
import { createLogger } from '../../src/logging';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { createWorker, type HoldfastWorker } from '../../src/worker/create-worker';
import type { DeskPorts } from '../../src/worker/desk-activities';
import { readyDesk } from './ready-desk';
import { until } from './until';
import { collectWorkflowCoverage, isCounting, testBundle, workflowCoverage } from './workflow-bundle';

export interface OwnNamespace {
  /** What a process needs to find it. */
  readonly environment: Record<string, string>;
  readonly client: HoldfastClient;
  readonly stopWorker: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** Once per test file: what workflows log about themselves is not what a test shows. */
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });

/**
 * `publish` takes what the worker tells; `settings` are of its environment; `desk` is what its desk tells beyond. A worker of a deployment gets no work until its build is made
 * current, so its desk is started and no more.
 */
export async function ownNamespace(
  name: string,
  publish: (publication: Publication) => void = () => undefined,
  settings: Readonly<Record<string, string>> = {},
  desk: Partial<DeskPorts> = {},
): Promise<OwnNamespace> {
  const address = process.env['TEMPORAL_ADDRESS'] ?? '';
  const environment = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: `${name}-${randomBytes(4).toString('hex')}` };
  const config = loadConfig({ ...settings, ...environment });
  await register(address, config.temporal.namespace);
  const client = await HoldfastClient.connect(config.temporal);
  await until('search attributes', async () => (await client.ensureSearchAttributes()).length === 0, 30_000);
  const connection = await NativeConnection.connect({ address });
  const worker = await createWorker({
    config,
    connection,
    client,
    kinds: createKinds({ venues: new Map() }),
    blobs: new FileBlobStore(config.blobs.directory),
    log: createLogger('test', { level: 'silent', pretty: false }),
    ...{ publish, desk },
    workflows: { workflowBundle: await testBundle() },
    ...(isCounting ? { extraSinks: workflowCoverage.sinks } : {}),
  });
  await until(
    'the desk',
    () =>
      (config.worker.deployment === undefined ? readyDesk(client) : client.ensureDesk()).then(
        () => true,
        () => false,
      ),
    30_000,
  );
  return {
    environment,
    client,
    stopWorker: () => worker.shutdown(),
    dispose: () => dispose(worker, connection, client),
  };
}

async function register(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  const day = { seconds: 86_400 };
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: day as never });
  await connection.close();
}

async function dispose(worker: HoldfastWorker, connection: NativeConnection, client: HoldfastClient): Promise<void> {
  await worker.shutdown();
  collectWorkflowCoverage();
  await connection.close();
  await client.close();
}
