/** A worker inside the test's process, on task queues of its own, against the run's real Temporal server. */
import { createHash, randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import type { NodeKind } from '../../src/activities/define-node';
import { createKinds } from '../../src/activities/kinds';
import { FileBlobStore } from '../../src/blobs/file-blob-store';
import { loadConfig, type Config } from '../../src/config/config';
import { HoldfastError } from '../../src/errors';
import type { Publication } from '../../src/events/build';
import type { UnnumberedEvent } from '../../src/events/envelope';
import { prepareGraph } from '../../src/graph/prepare';
import { createLogger } from '../../src/logging';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { createWorker, type HoldfastWorker } from '../../src/worker/create-worker';
import type { Tracer } from '../../src/tracing/tracer';
import type { Venues } from '../../src/venues/venue';
import type { DeskPorts } from '../../src/worker/desk-activities';
import { DeskGuards } from '../../src/worker/desk-guards';
import type { ExecutionStatus, RunGraphInput } from '../../src/workflows/messages';
import { answered, until } from './until';
import { collectWorkflowCoverage, isCounting, testBundle, workflowCoverage } from './workflow-bundle';
import { readyDesk } from './ready-desk';

export interface TestWorker {
  readonly config: Config;
  readonly client: HoldfastClient;
  /** The SDK's own client, for what only an outsider would do. */
  readonly temporal: Client;
  /** The desk its executions belong to; no other test's do. */
  readonly desk: string;
  readonly events: UnnumberedEvent[];
  prepare(nodes: Record<string, unknown>, extra?: Record<string, unknown>): RunGraphInput;
  /** Starts an execution of these nodes. */
  start(nodes: Record<string, unknown>, extra?: Record<string, unknown>): Promise<string>;
  /** Its status once Temporal says it is closed. */
  ended(executionId: string, deadlineMs?: number): Promise<ExecutionStatus>;
  /** Waits until the execution's status satisfies the condition. */
  reaches(executionId: string, condition: (status: ExecutionStatus) => boolean): Promise<ExecutionStatus>;
  eventsOf(executionId: string): UnnumberedEvent[];
  /** Stops the worker; the client stays. */
  stopWorker(): Promise<void>;
  startWorker(): Promise<void>;
  stop(): Promise<void>;
}

/** How long a test waits for what must come; no measure of speed. */
const DEADLINE_MS = 60_000;

/** Once per test file: what workflows log about themselves is not what a test shows. */
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });

export interface TestWorkerOptions {
  /** What the desk tells outside Temporal, beyond the events a test reads. */
  readonly desk?: Partial<DeskPorts>;
  /** With what it trades there. */
  readonly venues?: Venues;
  /** With gates, as real ones are: its nodes get permits. */
  readonly trades?: boolean;
  readonly tracer?: Tracer;
}

export async function startTestWorker(
  extraKinds: readonly NodeKind[] = [],
  { desk: ports, venues, trades = false, tracer }: TestWorkerOptions = {},
): Promise<TestWorker> {
  const queue = `test-${randomUUID()}`;
  const config = loadConfig({ ...process.env, HOLDFAST_TASK_QUEUE: queue, HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk` });
  const kinds = new Map([
    ...createKinds({ venues: new Map() }),
    ...extraKinds.map((kind) => [kind.type, kind] as const),
  ]);
  const desk = `desk-${randomUUID()}`;
  const client = await HoldfastClient.connect(config.temporal);
  await client.ensureSearchAttributes();
  const plain = await Connection.connect({ address: config.temporal.address });
  const native = await NativeConnection.connect({ address: config.temporal.address });
  const events: UnnumberedEvent[] = [];
  const publish = ({ event }: Publication): void => void events.push(event);
  let worker: HoldfastWorker | undefined;
  const log = createLogger('test', { level: 'silent', pretty: false });
  const redis_url = config.redis.url;
  const guards = trades ? new DeskGuards({ client, log, redis_url, closing_key: randomUUID() }) : undefined;

  const startWorker = async (): Promise<void> => {
    worker = await createWorker({
      config,
      connection: native,
      client,
      kinds,
      blobs: new FileBlobStore(config.blobs.directory),
      log,
      publish,
      ...(ports === undefined ? {} : { desk: ports }),
      ...(venues === undefined ? {} : { venues }),
      ...(tracer === undefined ? {} : { tracer }),
      ...(guards === undefined ? {} : { guardOf: guards.of }),
      workflows: { workflowBundle: await testBundle() },
      ...(isCounting ? { extraSinks: workflowCoverage.sinks } : {}),
    });
    worker.finished.catch(() => undefined);
  };
  const stopWorker = async (): Promise<void> => {
    await worker?.shutdown();
    worker = undefined;
  };
  await startWorker();
  // On a loaded machine the desk's first answer may be late.
  await answered(() => readyDesk(client, desk).then(() => true));

  const prepare = (nodes: Record<string, unknown>, extra: Record<string, unknown> = {}): RunGraphInput => {
    const document = { holdfast: 1, id: 'test', desk, nodes, ...extra };
    return prepareGraph({ document }, kinds, { mode: 'paper', sha256 }).prepared;
  };
  return {
    config,
    client,
    temporal: new Client({ connection: plain, namespace: config.temporal.namespace }),
    desk,
    events,
    prepare,
    start: async (nodes, extra) => (await client.startExecution(prepare(nodes, extra))).execution_id,
    ended: async (id, deadlineMs = DEADLINE_MS) => {
      await until(`${id} is closed`, async () => (await client.describeExecution(id)).closing, deadlineMs);
      return until(`${id} gives its status`, () => statusOf(client, id), deadlineMs);
    },
    reaches: (id, condition) =>
      until(
        `${id} reaches the state`,
        async () => {
          const status = await statusOf(client, id);
          return status !== undefined && condition(status) && status;
        },
        DEADLINE_MS,
      ),
    eventsOf: (id) => events.filter(({ execution_id }) => execution_id === id),
    stopWorker,
    startWorker,
    stop: async () => {
      await stopWorker();
      await guards?.close();
      collectWorkflowCoverage();
      await Promise.all([native.close(), plain.close(), client.close()]);
    },
  };
}

/** A loaded machine may not answer a query in time; whoever waits asks again. */
async function statusOf(client: HoldfastClient, id: string): Promise<ExecutionStatus | undefined> {
  try {
    return await client.executionStatus(id);
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'WorkerUnavailable') return undefined;
    throw error;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
