/**
 * A query that no worker could take, then the end of an activity, whose workflow task a worker took that came to nothing; meanwhile another
 * answered the query, and ran the code upon that end. It is given the task again, with an update or a signal, which any replay puts first. The
 * worker that holds the task is played by bare calls, so that all comes in this order.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { loadConfig } from '../../src/config/config';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { startAttributes } from '../../src/workflows/search-attributes';
import type { ExecutionStatus } from '../../src/workflows/messages';
import { prepare } from '../support/prepared';
import { replayAll, runsOf } from '../support/replays';
import { TaskHolder } from '../support/task-holder';
import { answered, until } from '../support/until';
import { testBundle } from '../support/workflow-bundle';

jest.setTimeout(240_000);
Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });

const { temporal: options } = loadConfig();
/** Far longer than a worker needs to start and to answer on a loaded machine; what is heard while the task is held makes another of it at once. */
const TASK_TIMEOUT = '60s';
/** So many that not all are lost to the test's own hand. */
const QUERIES = 10;

let connection: Connection;
let native: NativeConnection;
let client: Client;
let own: HoldfastClient;
let taskQueue: string;
let holder: TaskHolder;
let workflow: WorkflowHandle;
const working: { readonly worker: Worker; readonly ended: Promise<void> }[] = [];

beforeAll(async () => {
  connection = await Connection.connect({ address: options.address });
  native = await NativeConnection.connect({ address: options.address });
  client = new Client({ connection, namespace: options.namespace });
  own = await HoldfastClient.connect(options);
  await until('search attributes', async () => (await own.ensureSearchAttributes()).length === 0, 60_000);
});
afterAll(async () => {
  await own.close();
  await native.close();
  await connection.close();
});

beforeEach(async () => {
  taskQueue = `test-${randomUUID()}`;
  holder = new TaskHolder(connection, { namespace: options.namespace, taskQueue });
  await work();
});
afterEach(async () => {
  await rest();
  if ((await workflow.describe()).status.name === 'RUNNING') await workflow.terminate();
});

/** A worker of workflows alone; the activities are in the test's hand. */
async function work(): Promise<void> {
  const worker = await Worker.create({
    ...{ connection: native, namespace: options.namespace, taskQueue, workflowBundle: await testBundle(false) },
    dataConverter: { payloadConverterPath: require.resolve('../../src/workflows/payload-converter') },
    sinks: { events: { publish: { fn: () => undefined } }, gates: { close: { fn: () => undefined } } },
    stickyQueueScheduleToStartTimeout: '1s',
  });
  working.push({ worker, ended: worker.run() });
}

async function rest(): Promise<void> {
  for (const { worker, ended } of working.splice(0)) {
    worker.shutdown();
    await ended;
  }
}

async function events() {
  return (await workflow.fetchHistory()).events ?? [];
}

/** How many activities of the type were commanded. */
async function commanded(type: string): Promise<number> {
  const names = (await events()).map((each) => each.activityTaskScheduledEventAttributes?.activityType?.name);
  return names.filter((name) => name === type).length;
}

/** Resolves when a worker has answered one of them; the others may be lost, and are given up. */
async function ask(query: string, count: number): Promise<void> {
  const rest = new AbortController();
  const asked = Array.from({ length: count }, () =>
    connection.withAbortSignal(rest.signal, () => workflow.query(query, [])),
  );
  try {
    await Promise.any(asked);
  } finally {
    rest.abort();
    await Promise.allSettled(asked);
  }
}

/** Until the query is answered the task is held; resolves with what gives it up. */
async function answerWhileHeld(query: string, endActivity: () => Promise<void>): Promise<() => Promise<void>> {
  const answer = ask(query, QUERIES);
  await holder.query();
  await endActivity();
  const held = await holder.workflowTask();
  await work();
  await answer;
  return () => holder.failWorkflowTask(held);
}

async function replayErrors(): Promise<string[]> {
  return (await replayAll(await runsOf(workflow.workflowId, options))).errors;
}

/** The first audit is out, and another entry is owed. */
async function startDesk(): Promise<void> {
  const id = randomUUID();
  workflow = await client.workflow.start('emergencyDesk', {
    ...{ workflowId: `desk/${id}`, taskQueue, workflowTaskTimeout: TASK_TIMEOUT, args: [{ desk_id: id }] },
  });
  await holder.endActivity('journalWitness', -1);
  await holder.endActivity('publishDeskEvents');
  await workflow.signal('halt', 'odd prices');
  await holder.endActivity('publishDeskEvents');
  await until('it has heard all', async () => (await events()).at(-1)?.workflowTaskCompletedEventAttributes, 60_000);
}

describe('a desk that was asked while no worker was left', () => {
  beforeEach(async () => {
    await startDesk();
    await rest();
  });

  /** Of a symbol: it asks nobody and is answered at once. */
  async function halt(): Promise<unknown> {
    const issued_at = Date.now();
    const command = { action: 'halt', command_id: 'one', scope: 'symbol:X', reason: 'x', actor: 'ann', issued_at };
    return workflow.executeUpdate('command', { args: [command] });
  }

  it('decides what it is asked next as its history has it', async () => {
    const giveUp = await answerWhileHeld('gate', () => holder.endActivity('appendAudit', -1));
    const halted = halt();
    await workflow.signal('halt', 'odd prices again');
    await giveUp();
    expect(await halted).toMatchObject({ ok: true });
    expect([await commanded('appendAudit'), await commanded('publishDeskEvents')]).toEqual([2, 3]);
    expect(await replayErrors()).toEqual([]);
  });
});

describe('a desk that was terminated before a worker came back', () => {
  it('does not say how it stood, for it would run upon what no task has brought it', async () => {
    await startDesk();
    await rest();
    await holder.endActivity('appendAudit', -1);
    await workflow.terminate();
    await work();
    const answer = connection.withDeadline(Date.now() + 60_000, () => workflow.query('status'));
    await expect(answer).rejects.toThrow('ran ahead of its history');
    // A history from a file is run to its end.
    expect(await replayErrors()).toEqual([]);
  });
});

describe('an execution that was asked while no worker was left', () => {
  /** It waits for the word of its desk. */
  beforeEach(async () => {
    const input = prepare({ holdfast: 1, id: 'test', nodes: { nap: { type: 'wait', params: { for: '1h' } } } });
    workflow = await client.workflow.start('runGraph', {
      ...{ workflowId: `exec_ahead_${randomUUID()}`, taskQueue, workflowTaskTimeout: TASK_TIMEOUT, args: [input] },
      typedSearchAttributes: startAttributes(input),
    });
    await until('the desk is asked', async () => (await commanded('assertCanOperate')) === 1, 60_000);
    await rest();
  });

  it('is halted before its first node, as its history says', async () => {
    const giveUp = await answerWhileHeld('status', () => holder.endActivity('assertCanOperate'));
    await workflow.signal('halt', 'odd prices');
    await giveUp();
    const halted = async () => {
      const { state, nodes } = await workflow.query<ExecutionStatus>('status');
      return state === 'halted' && nodes;
    };
    const status = await until('it is halted', halted, 60_000);
    expect(status['nap']?.state).toBe('pending');
    expect(await replayErrors()).toEqual([]);
  });

  it('says how it stood when it was terminated before a worker came back', async () => {
    await holder.endActivity('assertCanOperate');
    await workflow.terminate();
    await work();
    const { nodes } = await answered(() => own.executionStatus(workflow.workflowId));
    expect(nodes['nap']?.state).toBe('waiting');
  });
});
