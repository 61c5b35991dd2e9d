import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../../src/local-stack/ports';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { queryOf } from '../../src/temporal-client/visibility';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

let worker: TestWorker;
let client: HoldfastClient;

beforeAll(async () => {
  worker = await startTestWorker();
  client = worker.client;
});
afterAll(() => worker.stop());

const nodes = { one: { type: 'constant', params: { value: 1 } } };
const waiting = { nap: { type: 'wait', params: { for: '1h' } } };
const uniqueId = (name: string) => `${name}_${randomUUID().replaceAll('-', '')}`;
const refusal = (code: string, message?: RegExp) =>
  expect.objectContaining({ code, ...(message ? { message: expect.stringMatching(message) } : {}) });

describe('the client', () => {
  it('starts an id once and never again, also after its end', async () => {
    const execution_id = uniqueId('exec_once');
    const input = worker.prepare(nodes);
    expect(await client.startExecution(input, { execution_id })).toEqual({ execution_id });
    const other = worker.prepare({ two: { type: 'constant', params: { value: 2 } } });
    await expect(client.startExecution(other, { execution_id })).rejects.toEqual(refusal('ExecutionExists'));
    await worker.ended(execution_id);
    await expect(client.startExecution(other, { execution_id })).rejects.toEqual(refusal('ExecutionExists'));
  });

  it.each(['mein lauf', '_x', '__proto__', 'new\nline', 'z'.repeat(301)])(
    'starts nothing as %j, which the gateway could not be told to halt',
    async (execution_id) => {
      const start = client.startExecution(worker.prepare(nodes), { execution_id });
      await expect(start).rejects.toEqual(refusal('BadRequest', /^Not an id for an execution/));
    },
  );

  it('says of an id nobody has that there is none', async () => {
    const id = uniqueId('exec_nobody');
    const calls = [
      () => client.describeExecution(id),
      () => client.executionStatus(id),
      () => client.executionInput(id),
      () => client.haltExecution(id, 'x'),
      () => client.resumeExecution(id, 'x'),
      () => client.cancelExecution(id),
    ];
    for (const call of calls) await expect(call()).rejects.toEqual(refusal('ExecutionNotFound'));
    await client.notifyExecution(id, { state: 'halt', scope: 'global', epoch: 1, reason: 'x' });
  });

  it('says of an execution that has ended that it can no longer be steered', async () => {
    const id = await worker.start(nodes);
    await worker.ended(id);
    for (const call of [
      () => client.haltExecution(id, 'x'),
      () => client.resumeExecution(id, 'x'),
      () => client.cancelExecution(id),
    ]) {
      await expect(call()).rejects.toEqual(refusal('ExecutionClosed', /has already ended: completed/));
    }
    await client.notifyExecution(id, { state: 'halt', scope: 'global', epoch: 1, reason: 'x' });
    expect(await client.executionInput(id)).toEqual(worker.prepare(nodes));
  });

  it('takes no other workflow for an execution: a desk cannot be read, halted or cancelled as one', async () => {
    const id = `desk/${worker.desk}`;
    const calls = [
      () => client.describeExecution(id),
      () => client.executionStatus(id),
      () => client.executionInput(id),
      () => client.haltExecution(id, 'x'),
      () => client.cancelExecution(id),
    ];
    for (const call of calls) await expect(call()).rejects.toEqual(refusal('ExecutionNotFound'));
    await expect(client.startExecution(worker.prepare(nodes), { execution_id: id })).rejects.toEqual(
      refusal('BadRequest'),
    );
    expect(await client.deskStatus(worker.desk)).toMatchObject({ state: 'normal' });
  });

  it('says how a terminated execution ended, which the workflow itself could not', async () => {
    const id = await worker.start(waiting);
    await worker.reaches(id, ({ state }) => state === 'waiting');
    await worker.temporal.workflow.getHandle(id).terminate('by hand');
    const { closing, state } = await client.describeExecution(id);
    expect(state).toBe('terminated');
    expect(closing).toMatchObject({ status: 'terminated', duration_ms: expect.any(Number) });
  });

  it('knows a worker that does not answer, a desk that does not, and a desk that was never started', async () => {
    const id = await worker.start(waiting);
    await worker.reaches(id, ({ state }) => state === 'waiting');
    await worker.stopWorker();
    const desk = uniqueId('desk');
    try {
      await Promise.all([
        expect(client.executionStatus(id)).rejects.toEqual(refusal('WorkerUnavailable')),
        expect(client.deskStatus(worker.desk)).rejects.toEqual(refusal('EmergencyUnreachable', /did not answer/)),
        expect(client.assertCanOperate(desk)).rejects.toEqual(refusal('EmergencyUnreachable', /has not been started/)),
        expect(client.resumeDesk({ reason: 'x', actor: 'y' }, worker.desk)).rejects.toEqual(
          refusal('EmergencyUnreachable'),
        ),
        expect(client.startExecution(worker.prepare(nodes))).rejects.toEqual(refusal('EmergencyUnreachable')),
        client.haltExecution(id, 'kept until a worker runs'),
      ]);
    } finally {
      await worker.startWorker();
    }
    expect(await worker.reaches(id, ({ state }) => state === 'halted')).toMatchObject({
      halts: [{ reason: 'kept until a worker runs' }],
    });
    await client.cancelExecution(id);
  });

  it('knows a server that is not there', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    await expect(HoldfastClient.connect({ ...worker.config.temporal, address })).rejects.toEqual(
      refusal('TemporalUnavailable'),
    );
    expect(await client.isHealthy()).toBe(true);
    const gone = await HoldfastClient.connect(worker.config.temporal);
    await gone.close();
    expect(await gone.isHealthy()).toBe(false);
  });
});

describe('the lists', () => {
  it('filter by graph, bot, strategy, desk and state, page by page', async () => {
    const [id, bot_id, strategy_id] = [uniqueId('graph'), uniqueId('bot'), uniqueId('strategy')];
    const done = await worker.start(nodes, { id, bot_id, strategy_id });
    const halted = await worker.start(waiting, { id, bot_id });
    const naps = await worker.start(waiting, { id, strategy_id });
    await worker.ended(done);
    await worker.reaches(halted, ({ state }) => state === 'waiting');
    await client.haltExecution(halted, 'x');
    await worker.reaches(halted, ({ state }) => state === 'halted');
    await worker.reaches(naps, ({ state }) => state === 'waiting');
    const idsOf = async (filter: Parameters<typeof client.listExecutions>[0]) =>
      (await client.listExecutions({ workflow_id: id, ...filter })).executions.map((each) => each.execution_id).sort();
    const lists = (filter: Parameters<typeof client.listExecutions>[0], ...expected: string[]) =>
      until(
        `the list of ${JSON.stringify(filter)}`,
        async () => JSON.stringify(await idsOf(filter)) === JSON.stringify(expected.sort()),
      );
    await lists({}, done, halted, naps);
    await lists({ bot_id }, done, halted);
    await lists({ strategy_id }, done, naps);
    await lists({ desk_id: worker.desk }, done, halted, naps);
    await lists({ desk_id: 'nobody' });
    await lists({ state: 'completed' }, done);
    await lists({ state: 'halted' }, halted);
    await lists({ state: 'waiting' }, naps);
    await lists({ open: true }, halted, naps);
    const first = await client.listExecutions({ workflow_id: id, limit: 2 });
    const second = await client.listExecutions({ workflow_id: id, limit: 2, page: first.next_page! });
    expect([...first.executions, ...second.executions].map((each) => each.execution_id).sort()).toEqual(
      [done, halted, naps].sort(),
    );
    const { executions } = await client.listExecutions({ workflow_id: id, state: 'completed' });
    expect(executions[0]).toEqual({
      execution_id: done,
      run_id: expect.any(String),
      workflow_id: id,
      graph_version: worker.prepare(nodes, { id, bot_id, strategy_id }).version,
      bot_id,
      strategy_id,
      mode: 'paper',
      state: 'completed',
      started_at: expect.stringMatching(/Z$/),
      closed_at: expect.stringMatching(/Z$/),
    });
    await Promise.all([halted, naps].map((each) => client.cancelExecution(each)));
  });

  it('refuse a page that none of them gave, and a value that is no id', async () => {
    await expect(client.listExecutions({ page: 'bm9uc2Vuc2U' })).rejects.toEqual(refusal('BadRequest'));
    await expect(client.listExecutions({ bot_id: "x' OR '1'='1" })).rejects.toEqual(refusal('BadRequest'));
    expect(queryOf({ workflow_id: 'arb', state: 'terminated', open: true })).toBe(
      "WorkflowType = 'runGraph' AND ExecutionStatus != 'ContinuedAsNew' AND HoldfastWorkflow = 'arb' AND ExecutionStatus = 'Running' AND ExecutionStatus = 'Terminated'",
    );
  });
});

describe('a deployed graph', () => {
  it('is listed, triggered, paused, updated and withdrawn', async () => {
    const id = uniqueId('deployed');
    const extra = { id, name: 'First', triggers: { often: { type: 'schedule', every: '1h' } } };
    const first = await client.deploy(worker.prepare(nodes, extra), { trigger_now: true });
    expect(first).toMatchObject({
      workflow_id: id,
      name: 'First',
      paused: false,
      graph_version: worker.prepare(nodes, extra).version,
    });
    expect(first.next_run_at).toMatch(/Z$/);
    const run = await until('the first run', async () => (await client.getDeployment(id)).recent_executions[0]);
    expect(run).toMatch(new RegExp(`^exec_${id}-\\d{4}-`));
    expect((await worker.ended(run)).state).toBe('completed');
    expect(await client.describeExecution(run)).toMatchObject({
      workflow_id: id,
      mode: 'paper',
      closing: { status: 'completed' },
    });

    await client.pauseDeployment(id, 'over the weekend');
    const second = worker.prepare(waiting, { ...extra, name: 'Second' });
    const updated = await client.deploy(second);
    expect(updated).toMatchObject({
      name: 'Second',
      paused: true,
      note: 'over the weekend',
      graph_version: second.version,
    });
    expect(updated).not.toHaveProperty('next_run_at');
    expect(await client.deployedInput(id)).toEqual(second);
    await client.resumeDeployment(id, 'monday');
    expect(await client.getDeployment(id)).toMatchObject({ paused: false });

    const { execution_id: again } = await client.triggerDeployment(id);
    const { execution_id: another } = await client.triggerDeployment(id);
    expect(another).not.toBe(again);
    await worker.reaches(again, ({ state }) => state === 'waiting');
    await Promise.all([again, another].map((each) => client.cancelExecution(each)));
    await until('the list has it', async () =>
      (await client.listDeployments()).some((each) => each.workflow_id === id),
    );
    await client.undeploy(id);
    for (const call of [
      () => client.getDeployment(id),
      () => client.undeploy(id),
      () => client.triggerDeployment(id),
      () => client.pauseDeployment(id, 'x'),
    ]) {
      await expect(call()).rejects.toEqual(refusal('WorkflowNotFound'));
    }
    await until('the list has it no more', async () =>
      (await client.listDeployments()).every((each) => each.workflow_id !== id),
    );
  });

  it('without a trigger waits to be started by hand', async () => {
    const id = uniqueId('manual');
    const deployed = await client.deploy(worker.prepare(nodes, { id }));
    expect(deployed).not.toHaveProperty('next_run_at');
    expect(deployed).toMatchObject({ name: id, recent_executions: [] });
    await client.undeploy(id);
  });
});
