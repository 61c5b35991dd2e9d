import { randomUUID } from 'node:crypto';
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { createKinds } from '../../src/activities/kinds';
import { loadConfig } from '../../src/config/config';
import { prepareGraph } from '../../src/graph/prepare';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { Receiver } from '../support/receiver';
import { killHard, processOf, StackHome } from '../support/stack-home';
import { counted } from '../support/test-kinds';
import { answered, until } from '../support/until';
import { testBundle } from '../support/workflow-bundle';
import { WorkerProcess } from '../support/worker-process';
import { readyDesk } from '../support/ready-desk';

const kinds = new Map([...createKinds({ venues: new Map() }), [counted.type, counted] as const]);

/** Thirty nodes: five lanes of counted nodes with a pure one between, joined at the end. */
function thirtyNodes(url: string, ms: number): Record<string, unknown> {
  const nodes: Record<string, unknown> = {};
  for (let lane = 0; lane < 5; lane += 1) {
    nodes[`c${lane}`] = { type: 'constant', params: { value: lane } };
    for (let step = 0; step < 4; step += 1) {
      const source = step === 0 ? `c${lane}.value` : `n${lane}_${step - 1}.value`;
      nodes[`n${lane}_${step}`] = { type: 'test_counted', params: { url, ms }, inputs: { value: source } };
    }
  }
  for (let lane = 0; lane < 4; lane += 1)
    nodes[`p${lane}`] = { type: 'constant', inputs: { value: `n${lane}_3.value` } };
  nodes['last'] = {
    type: 'test_counted',
    params: { url, ms },
    inputs: { value: 'n4_3.value' },
    after: ['p0', 'p1', 'p2', 'p3'],
  };
  return nodes;
}

function prepared(nodes: Record<string, unknown>, desk: string) {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  return prepareGraph({ document: { holdfast: 1, id: 'crash', desk, nodes } }, kinds, { mode: 'paper', sha256 })
    .prepared;
}

/** Node ids whose completion Temporal has recorded. */
async function recordedCompletions(temporal: Client, executionId: string): Promise<string[]> {
  const history = await temporal.workflow.getHandle(executionId).fetchHistory();
  const events = history.events ?? [];
  const scheduled = new Map(events.map((event) => [String(event.eventId), event]));
  return events.flatMap(({ activityTaskCompletedEventAttributes: completed }) => {
    const source = completed && scheduled.get(String(completed.scheduledEventId));
    const summary = source?.userMetadata?.summary?.data;
    return summary ? [JSON.parse(Buffer.from(summary).toString()) as string] : [];
  });
}

describe('killed with -9', () => {
  let receiver: Receiver;
  let bundle: string;
  const workers: WorkerProcess[] = [];
  const open: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    receiver = await Receiver.listen();
    bundle = (await testBundle(false)).codePath;
  });
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.kill()));
    await Promise.all(open.splice(0).map((each) => each.close()));
  });
  afterAll(() => receiver.close());

  it('a worker in the middle of thirty nodes costs no recorded work, and another goes on', async () => {
    const queue = `crash-${randomUUID()}`;
    const environment = {
      HOLDFAST_TASK_QUEUE: queue,
      HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk`,
      TEMPORAL_NAMESPACE: 'default',
    };
    const config = loadConfig({ ...process.env, ...environment });
    const first = await WorkerProcess.start(environment, bundle);
    workers.push(first);
    const client = await HoldfastClient.connect(config.temporal);
    const connection = await Connection.connect({ address: config.temporal.address });
    open.push(client, connection);
    const temporal = new Client({ connection });
    // A desk of its own: the default one may be on another test's task queue.
    await readyDesk(client, queue);
    const input = prepared(thirtyNodes(receiver.url, 100), queue);
    expect(Object.keys(input.graph.nodes)).toHaveLength(30);
    const { execution_id } = await client.startExecution(input);

    await until('ten nodes ran', () => receiver.of(execution_id).length >= 10);
    await first.kill();
    const completed = (await recordedCompletions(temporal, execution_id)).filter((name) => name in input.graph.nodes);
    expect(completed.length).toBeGreaterThan(3);
    const ranBefore = receiver.of(execution_id).length;
    const second = await WorkerProcess.start(environment, bundle);
    workers.push(second);
    await until('the new worker continues', () => receiver.of(execution_id).length > ranBefore);
    await until('it is closed', async () => (await client.describeExecution(execution_id)).closing);

    const status = await client.executionStatus(execution_id);
    expect(status.state).toBe('completed');
    expect(completed.filter((node) => receiver.timesRun(execution_id, node) !== 1)).toEqual([]);
    const countedNodes = Object.entries(input.graph.nodes).filter(([, { type }]) => type === 'test_counted');
    expect(countedNodes.filter(([id]) => receiver.timesRun(execution_id, id) === 0)).toEqual([]);
  });

  it('everything, the Temporal server too: the next start goes on with the same execution', async () => {
    const home = await StackHome.make();
    try {
      const before = await startedStack(home);
      workers.push(await WorkerProcess.start(before.environment, bundle));
      const client = await HoldfastClient.connect(loadConfig(before.environment).temporal);
      open.push(client);
      await until('the desk is set up', async () => (await answered(() => client.deskStatus())).state === 'normal');
      const { execution_id } = await client.startExecution(prepared(thirtyNodes(receiver.url, 100), 'default'));
      await until('ten nodes ran', () => receiver.of(execution_id).length >= 10);
      const { supervisor, temporal, redis, worker, gateway } = await home.record();
      const processes = [temporal, redis, worker, gateway].flatMap((part) =>
        part === undefined ? [] : [processOf(part)],
      );
      await Promise.all([workers[0]?.kill(), ...[supervisor, ...processes].map(killHard)]);

      const after = await startedStack(home);
      workers.push(await WorkerProcess.start(after.environment, bundle));
      const reader = await HoldfastClient.connect(loadConfig(after.environment).temporal);
      open.push(reader);
      await until('it is closed', async () => (await reader.describeExecution(execution_id)).closing, 45_000);
      expect((await reader.executionStatus(execution_id)).state).toBe('completed');
    } finally {
      await home.dispose();
    }
  });
});

/** A stack with a supervisor process of its own, and what a worker needs to find it. */
async function startedStack(home: StackHome) {
  const { output } = home.supervisor();
  await until('the stack is up', () => output().includes('started attached=false'), 60_000);
  const { temporal, redis, postgresql } = await home.record();
  if (temporal === undefined || redis === undefined || postgresql === undefined)
    throw new Error('the stack is not whole');
  // Its desk has the name of the run's own: on one journal each would find that the other knows more.
  const servers = { TEMPORAL_ADDRESS: temporal.address, REDIS_URL: redis.url, DATABASE_URL: postgresql.url };
  return { environment: { ...servers, HOLDFAST_HOME: home.path } };
}
