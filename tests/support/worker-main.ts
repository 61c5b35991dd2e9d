/**
 * The worker process as tests kill it: the real one plus the counting kind, and with a counting venue's origin as second argument the kind
 * that trades there. With `without-journal` as third its desk has none. Prints `ready` when it polls.
 */
import { join } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { createKinds } from '../../src/activities/kinds';
import { FileBlobStore } from '../../src/blobs/file-blob-store';
import { loadConfig } from '../../src/config/config';
import { createLogger } from '../../src/logging';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { createWorker } from '../../src/worker/create-worker';
import { openVenues } from '../../src/venues/open-venues';
import { OrderSender } from '../../src/venues/order-sender';
import { openOutside } from '../../src/worker/outside';
import { installRuntime } from '../../src/worker/runtime';
import { countingLookup } from './counting-venue';
import { orderKinds } from './order-kind';
import { readyDesk } from './ready-desk';
import { counted } from './test-kinds';

async function main(): Promise<void> {
  const [, , bundle = '', origin, journal] = process.argv;
  const venue = origin === '' ? undefined : origin;
  const config = loadConfig();
  const log = createLogger('worker', { level: 'silent', pretty: false });
  installRuntime(log, config.worker.metrics_address);
  const client = await HoldfastClient.connect(config.temporal);
  await client.ensureSearchAttributes();
  const opened = await openVenues({
    ...config.venues,
    directory: join(__dirname, '../../examples/data'),
    clock: { now: Date.now, speed: config.replay_speed },
  });
  const { venues } = opened;
  const lookups = [...(venue === undefined ? [] : [countingLookup(venue)]), ...opened.lookups];
  const own = venue === undefined ? [counted] : [counted, ...orderKinds(new OrderSender(venue))];
  const outside = await openOutside(config, { client, log, lookups, venues });
  const worker = await createWorker({
    config,
    connection: await NativeConnection.connect({ address: config.temporal.address }),
    client,
    kinds: new Map([...createKinds({ venues: opened.venues }), ...own.map((kind) => [kind.type, kind] as const)]),
    blobs: new FileBlobStore(config.blobs.directory),
    log,
    venues,
    ...outside,
    ...(journal === 'without-journal' ? { desk: {} } : {}),
    workflows: { workflowBundle: { codePath: bundle } },
  });
  await client.ensureDesk();
  // The default desk may be on the task queue of another test, whose worker is gone: whoever needs it awaits it.
  void readyDesk(client).catch(() => undefined);
  process.stdout.write('ready\n');
  await worker.finished;
}

void main();
