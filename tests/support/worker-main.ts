/** The worker process as tests kill it: the real one plus the counting kind. Prints `ready` when it polls. */
import { NativeConnection } from '@temporalio/worker';
import { createKinds } from '../../src/activities/kinds';
import { FileBlobStore } from '../../src/blobs/file-blob-store';
import { loadConfig } from '../../src/config/config';
import { EventPublisher } from '../../src/event-log';
import { createLogger } from '../../src/logging';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { createWorker } from '../../src/worker/create-worker';
import { installRuntime } from '../../src/worker/runtime';
import { counted } from './test-kinds';

async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLogger('worker', { level: 'silent', pretty: false });
  installRuntime(log, config.worker.metrics_address);
  const client = await HoldfastClient.connect(config.temporal);
  await client.ensureSearchAttributes();
  const publisher = new EventPublisher(config.redis.url);
  const worker = await createWorker({
    config,
    connection: await NativeConnection.connect({ address: config.temporal.address }),
    client,
    kinds: new Map([...createKinds({ venues: new Map() }), [counted.type, counted]]),
    blobs: new FileBlobStore(config.blobs.directory),
    log,
    publish: (publication) => {
      publisher.publish(publication);
    },
    workflows: { workflowBundle: { codePath: process.argv[2] ?? '' } },
  });
  await client.ensureDesk();
  process.stdout.write('ready\n');
  await worker.finished;
}

void main();
