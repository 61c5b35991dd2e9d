/** A Temporal namespace of a test file's own, with a worker in this process: its desk halts nobody else's executions. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { createKinds } from '../../src/activities/kinds';
import { loadConfig } from '../../src/config/config';
import type { EventEnvelope, UnnumberedEvent } from '../../src/events/envelope';
import { createLogger } from '../../src/logging';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { recordedVenues } from '../../src/venues/recorded-venue';
import { createWorker, type HoldfastWorker } from '../../src/worker/create-worker';
import { until } from './until';

export interface OwnNamespace {
  /** What a process needs to find it. */
  readonly environment: Record<string, string>;
  readonly client: HoldfastClient;
  /** Everything the worker has told so far. */
  readonly events: readonly (UnnumberedEvent | EventEnvelope)[];
  readonly dispose: () => Promise<void>;
}

const WORKFLOWS = join(__dirname, '../../src/workflows/index.ts');
const DATA = join(__dirname, '../../examples/data');

export async function ownNamespace(name: string): Promise<OwnNamespace> {
  const address = process.env['TEMPORAL_ADDRESS'] ?? '';
  const environment = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: `${name}-${randomBytes(4).toString('hex')}` };
  const config = loadConfig(environment);
  await register(address, config.temporal.namespace);
  const client = await HoldfastClient.connect(config.temporal);
  await until('search attributes', async () => (await client.ensureSearchAttributes()).length === 0, 30_000);
  const connection = await NativeConnection.connect({ address });
  const events: UnnumberedEvent[] = [];
  const worker = await createWorker({
    config,
    connection,
    client,
    kinds: createKinds({ venues: await recordedVenues({ directory: DATA, clock: Date.now, speed: 1 }) }),
    log: createLogger('test', { level: 'silent', pretty: false }),
    publish: ({ event }) => events.push(event),
    workflows: { workflowsPath: WORKFLOWS },
  });
  await until(
    'the desk',
    () =>
      client.ensureDesk().then(
        () => true,
        () => false,
      ),
    30_000,
  );
  return { environment, client, events, dispose: () => dispose(worker, connection, client) };
}

async function register(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  const day = { seconds: 86_400 };
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: day as never });
  await connection.close();
}

async function dispose(worker: HoldfastWorker, connection: NativeConnection, client: HoldfastClient): Promise<void> {
  await worker.shutdown();
  await connection.close();
  await client.close();
}
