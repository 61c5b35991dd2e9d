/** The worker process. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { createKinds } from '../activities/kinds';
import { orderLookupsOf, withOwnKinds } from '../activities/load-kinds';
import { FileBlobStore } from '../blobs/file-blob-store';
import { loadConfig, type Config } from '../config/config';
import { HoldfastError, messageOf } from '../errors';
import { present } from '../json';
import { createLogger, type Logger } from '../logging';
import { HoldfastClient } from '../temporal-client/holdfast-client';
import { openTracer } from '../tracing/tracer';
import { openVenues } from '../venues/open-venues';
import { createWorker } from './create-worker';
import { openOutside } from './outside';
import { pruneDaily } from './prune-blobs';
import { installRuntime } from './runtime';

const BUNDLE = resolve(__dirname, '../workflow-bundle.js');
const RECORDED_DATA = resolve(__dirname, '../../examples/data');
/** A worker may start before Temporal, as containers do. */
const TEMPORAL_PATIENCE_MS = 60_000;

async function main(): Promise<void> {
  const config = loadConfig();
  const log = createLogger('worker', config.log);
  const opened = await openVenues({
    ...config.venues,
    ...{ directory: RECORDED_DATA, log },
    clock: { now: Date.now, speed: config.replay_speed },
  });
  installRuntime(log, config.worker.metrics_address);
  const client = await connectPatiently(config, log);
  const connection = await NativeConnection.connect({ address: config.temporal.address });
  const unregistered = await client.ensureSearchAttributes();
  if (unregistered.length > 0) log.warn({ unregistered }, 'search_attributes_not_registered');

  const { venues } = opened;
  const lookups = [...orderLookupsOf(config.nodes), ...opened.lookups];
  const outside = openOutside(config, { client, log, lookups, venues });
  const blobs = new FileBlobStore(config.blobs.directory);
  const { endpoint } = config.tracing;
  const tracer = endpoint === undefined ? undefined : await openTracer({ endpoint, service: 'holdfast-worker' });
  const worker = await createWorker({
    config,
    connection,
    client,
    kinds: withOwnKinds(createKinds({ venues: opened.venues }), config.nodes),
    blobs,
    venues,
    log,
    ...outside,
    ...present({ tracer }),
    workflows: { workflowBundle: { codePath: requireBundle() } },
  });
  await client.ensureDesk();
  const { retention_days } = config.blobs;
  if (retention_days > 0) pruneDaily(() => blobs.prune(retention_days), log);
  const stop = (signal: string): void => {
    log.info({ signal }, 'worker_stopping');
    void worker.shutdown().catch(() => undefined);
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  log.info({ task_queue: config.temporal.task_queue, pid: process.pid }, 'worker_ready');
  try {
    await worker.finished;
  } finally {
    await tracer?.close();
    await outside.close();
    await opened.close();
    await connection.close();
    await client.close();
  }
}

function requireBundle(): string {
  if (existsSync(BUNDLE)) return BUNDLE;
  throw new HoldfastError('ConfigurationInvalid', 'The workflows are not built; run `npm run build` first.');
}

async function connectPatiently({ temporal }: Config, log: Logger): Promise<HoldfastClient> {
  const deadline = Date.now() + TEMPORAL_PATIENCE_MS;
  for (;;) {
    try {
      return await HoldfastClient.connect(temporal);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      log.warn({ error: messageOf(error) }, 'temporal_unreachable');
    }
  }
}

main().catch((error: unknown) => {
  const { exit_code } = error instanceof HoldfastError ? error.entry : { exit_code: 1 };
  process.stderr.write(`${error instanceof HoldfastError ? error.message : String(error)}\n`);
  process.exit(exit_code);
});
