/** A Holdfast worker and a hand-written Temporal worker side by side in this process, against one server. */
import { createHash, randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { defineNode, field, output } from '../../src/activities/define-node';
import { createKinds } from '../../src/activities/kinds';
import { loadConfig } from '../../src/config/config';
import type { Publication } from '../../src/events/build';
import { prepareGraph } from '../../src/graph/prepare';
import { createLogger } from '../../src/logging';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { createWorker } from '../../src/worker/create-worker';

export interface BenchWorld {
  /** Milliseconds from the start call to the result at the caller. */
  holdfast(nodes: Record<string, unknown>): Promise<number>;
  plain(length: number): Promise<number>;
  close(): Promise<void>;
}

export interface BenchOptions {
  readonly address: string;
  readonly publish?: (publication: Publication) => void;
}

const step = defineNode({
  type: 'bench_step',
  family: 'bench',
  effect: 'read',
  description: 'Adds one.',
  fields: { value: field.integer('What to add to.', { min: 0, max: 1_000_000 }) },
  outputs: { value: output('integer', 'One more.') },
  run: ({ value }) => ({ outputs: { value: value + 1 } }),
});

/** `length` activities, each reading the one before. */
export function activityChain(length: number): Record<string, unknown> {
  return chain(length, (inputs) => ({ type: 'bench_step', ...inputs }), { params: { value: 0 } });
}

/** `length` pure nodes, each reading the one before. */
export function pureChain(length: number): Record<string, unknown> {
  return chain(length, (inputs) => ({ type: 'constant', ...inputs }), { params: { value: 0 } });
}

function chain(length: number, node: (inputs: object) => object, first: object): Record<string, unknown> {
  const nodes = Array.from({ length }, (_, index) => {
    const inputs = index === 0 ? first : { inputs: { value: `n${index - 1}.value` } };
    return [`n${index}`, node(inputs)] as const;
  });
  return Object.fromEntries(nodes);
}

let bundle: Promise<{ code: string }> | undefined;
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
  const kinds = new Map([...createKinds({ venues: new Map() }), [step.type, step] as const]);
  const client = await HoldfastClient.connect(config.temporal);
  await client.ensureSearchAttributes();
  const connection = await Connection.connect({ address });
  const native = await NativeConnection.connect({ address });
  const temporal = new Client({ connection });
  bundle ??= bundleWorkflowCode({
    workflowsPath: require.resolve('../../src/workflows'),
    payloadConverterPath: require.resolve('../../src/workflows/payload-converter'),
    logger: quiet,
  });
  plainBundle ??= bundleWorkflowCode({ workflowsPath: require.resolve('./plain-workflows'), logger: quiet });

  const worker = await createWorker({
    config,
    connection: native,
    client,
    kinds,
    log: createLogger('bench', { level: 'silent', pretty: false }),
    publish,
    workflows: { workflowBundle: await bundle },
  });
  const plainWorker = await Worker.create({
    connection: native,
    taskQueue: `${queue}-plain`,
    workflowBundle: await plainBundle,
    activities: { step: (value: number) => Promise.resolve(value + 1) },
  });
  const plainDone = plainWorker.run();
  const desk = `bench-${randomUUID()}`;
  await client.ensureDesk(desk);

  return {
    holdfast: async (nodes) => {
      const document = { holdfast: 1, id: 'bench', desk, nodes };
      const { prepared } = prepareGraph({ document }, kinds, { mode: 'paper', sha256 });
      const startedAt = performance.now();
      const { execution_id } = await client.startExecution(prepared);
      await temporal.workflow.getHandle(execution_id).result();
      return performance.now() - startedAt;
    },
    plain: async (length) => {
      const startedAt = performance.now();
      await temporal.workflow.execute('plainChain', {
        taskQueue: `${queue}-plain`,
        workflowId: randomUUID(),
        args: [length],
      });
      return performance.now() - startedAt;
    },
    close: async () => {
      plainWorker.shutdown();
      await Promise.all([worker.shutdown(), plainDone]);
      await Promise.all([native.close(), connection.close(), client.close()]);
    },
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
