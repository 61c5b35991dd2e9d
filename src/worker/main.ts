/** The worker process. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { NativeConnection } from '@temporalio/worker';
import { orderLookupsOf, withOwnKinds } from '../activities/load-kinds';
import { FileBlobStore } from '../blobs/file-blob-store';
import { loadConfig, type Config } from '../config/config';
import { HoldfastError, messageOf } from '../errors';
import { present } from '../json';
import { createLogger, type Logger } from '../logging';
import { HoldfastClient } from '../temporal-client/holdfast-client';
import { openTracer } from '../tracing/tracer';
import { openVenues } from '../venues/open-venues';
import type { Venues } from '../venues/venue';
import { createWorker } from './create-worker';
import { openOutside } from './outside';
import { pruneDaily } from './prune-blobs';
import { installRuntime } from './runtime';

const BUNDLE = resolve(__dirname, '../workflow-bundle.js');
const RECORDED_DATA = resolve(__dirname, '../../examples/data');
/** A worker may start before Temporal, as containers do. */
const TEMPORAL_PATIENCE_MS = 60_000;

async function main(): Promise<void> {
  // How much young memory this process was given is meant for this thread; 0 is V8's own measure, for those of workflows.
  setFlagsFromString('--max-semi-space-size=0');
  const config = loadConfig();
  const log = createLogger('worker', config.log);
  const { serves } = config.worker;
  const opened = await venuesOf(config, log);
  installRuntime(log, config.worker.metrics_address);
  const client = await connectPatiently(config, log);
  const connection = await NativeConnection.connect({ address: config.temporal.address });
  const unregistered = await client.ensureSearchAttributes();
  if (unregistered.length > 0) log.warn({ unregistered }, 'search_attributes_not_registered');

  const { venues } = opened;
  const lookups = [...orderLookupsOf(config.nodes), ...opened.lookups];
  const outside = await openOutside(config, { client, log, lookups, venues });
  const blobs = new FileBlobStore(config.blobs.directory);
  const tracer = await tracerOf(config);
  const worker = await createWorker({
    config,
    connection,
    client,
    kinds: serves.has('graphs') ? await kindsOf(config, venues) : new Map(),
    blobs,
    venues,
    log,
    ...outside,
    ...present({ tracer }),
    workflows: { workflowBundle: { codePath: requireBundle() } },
  });
  await client.ensureDesk();
  const { retention_days } = config.blobs;
  if (serves.has('graphs') && retention_days > 0) pruneDaily(() => blobs.prune(retention_days), log);
  const stop = (signal: string): void => {
    log.info({ signal }, 'worker_stopping');
    void worker.shutdown().catch(() => undefined);
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  log.info({ serves: [...serves], task_queues: taskQueuesOf(config), pid: process.pid }, 'worker_ready');
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

/** A recorded market has no account, and accounts are all that is asked for the desk. */
function venuesOf({ venues: { profiles, allow_live }, worker: { serves }, replay_speed }: Config, log: Logger) {
  return openVenues({
    profiles: serves.has('graphs') ? profiles : profiles.filter(({ adapter }) => adapter !== 'recorded'),
    ...{ allow_live, directory: RECORDED_DATA, log },
    clock: { now: Date.now, speed: replay_speed },
  });
}

/** Only nodes are traced. */
async function tracerOf({ tracing: { endpoint }, worker: { serves } }: Config) {
  if (endpoint === undefined || !serves.has('graphs')) return undefined;
  return openTracer({ endpoint, service: 'holdfast-worker' });
}

function taskQueuesOf({ temporal: { task_queue, desk_task_queue }, worker: { serves } }: Config): readonly string[] {
  const queues = { graphs: task_queue, desk: desk_task_queue };
  return [...serves].map((role) => queues[role]);
}

async function kindsOf({ nodes }: Config, venues: Venues) {
  const { createKinds } = await import('../activities/kinds/index.js');
  return withOwnKinds(createKinds({ venues }), nodes);
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

main().then(
  // A question to Temporal that was to be asked again would be asked over a closed connection, and fail the process.
  () => process.exit(0),
  (error: unknown) => {
    const { exit_code } = error instanceof HoldfastError ? error.entry : { exit_code: 1 };
    process.stderr.write(`${error instanceof HoldfastError ? error.message : String(error)}\n`);
    process.exit(exit_code);
  },
);
