/** The worker process as tests kill it: the real one plus the counting kind. Prints `ready` when it polls. */
import { NativeConnection, Runtime } from '@temporalio/worker';
import { DefaultLogger } from '@temporalio/worker';
import { createKinds } from '../../src/activities/kinds';
import { loadConfig } from '../../src/config/config';
import { EventPublisher } from '../../src/event-log';
import { createLogger } from '../../src/logging';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { createWorker } from '../../src/worker/create-worker';
import { counted } from './test-kinds';

async function main(): Promise<void> {
  const config = loadConfig();
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const client = await HoldfastClient.connect(config.temporal);
  await client.ensureSearchAttributes();
  const publisher = new EventPublisher(config.redis.url);
  const worker = await createWorker({
    config,
    connection: await NativeConnection.connect({ address: config.temporal.address }),
    client,
    kinds: new Map([...createKinds({ venues: new Map() }), [counted.type, counted]]),
    log: createLogger('worker', { level: 'silent', pretty: false }),
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
