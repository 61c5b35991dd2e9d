import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cronProblem } from '../../src/graph/cron';
import type { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { anotherSecond, until } from '../support/until';

let worker: TestWorker;
let client: HoldfastClient;

beforeAll(async () => {
  worker = await startTestWorker();
  client = worker.client;
});
afterAll(() => worker.stop());

const nodes = { one: { type: 'constant', params: { value: 1 } } };
/** What a schedule puts behind the id of an execution. */
const INSTANT = '2026-01-05T12:00:00Z';
const uniqueId = (name: string) => `${name}_${randomUUID().replaceAll('-', '')}`;
const refusal = (code: string, message?: RegExp, details?: object) =>
  expect.objectContaining({
    code,
    ...(message ? { message: expect.stringMatching(message) } : {}),
    ...(details ? { details: expect.objectContaining(details) } : {}),
  });
const hourly = { type: 'schedule', cron: '0 * * * *', paused: true };
const scheduleOf = (id: string) => worker.temporal.schedule.getHandle(`holdfast/${id}`);

describe('a deployment', () => {
  it('carries cron, time zone, interval, offset, jitter, overlap and catch-up to Temporal, and shows what comes next', async () => {
    const id = uniqueId('carried');
    const shared = { type: 'schedule', jitter: '2s', overlap: 'buffer_all' };
    const triggers = {
      nine: { ...shared, cron: '0 9 * * MON-FRI', time_zone: 'America/New_York' },
      noon: { ...shared, cron: '0 12 * * *', time_zone: 'America/New_York' },
      often: { ...shared, every: '1h', offset: '5m' },
    };
    const deployed = await client.deploy(worker.prepare(nodes, { id, triggers }));
    expect(deployed).toMatchObject({ overlap: 'buffer_all', time_zone: 'America/New_York', paused: false });
    expect(deployed.graph.triggers).toEqual(triggers);
    expect(deployed.next_runs).toHaveLength(5);
    expect(deployed.next_run_at).toBe(deployed.next_runs[0]);
    expect(deployed.next_runs).toEqual([...deployed.next_runs].sort());
    expect(deployed.runs).toEqual({ started: 0, missed: 0, skipped: 0 });

    const { spec, policies } = await scheduleOf(id).describe();
    expect(spec).toMatchObject({ timezone: 'America/New_York', jitter: 2_000 });
    expect(spec.intervals).toEqual([{ every: 3_600_000, offset: 300_000 }]);
    expect(spec.calendars?.map(({ hour, dayOfWeek }) => [hour[0]?.start, dayOfWeek[0]?.start])).toEqual([
      [9, 'MONDAY'],
      [12, 'SUNDAY'],
    ]);
    expect(policies).toMatchObject({ overlap: 'BUFFER_ALL', catchupWindow: 60_000 });
    await client.undeploy(id);
  });

  it('fires at the local time of its zone, summer and winter', async () => {
    const id = uniqueId('local');
    const triggers = { nine: { type: 'schedule', cron: '0 9 1 1,7 *', time_zone: 'Europe/Berlin' } };
    const { next_runs } = await client.deploy(worker.prepare(nodes, { id, triggers }));
    expect(
      next_runs
        .map((time) => time.slice(5, 16))
        .slice(0, 2)
        .sort(),
    ).toEqual(['01-01T08:00', '07-01T07:00']);
    await client.undeploy(id);
  });

  it('starts paused when its triggers say so, and is then as people left it', async () => {
    const id = uniqueId('paused');
    const first = await client.deploy(worker.prepare(nodes, { id, triggers: { t: hourly } }));
    expect(first).toMatchObject({ paused: true, note: 'paused by the graph', next_runs: [] });
    await client.resumeDeployment(id, 'go');
    expect(await client.deploy(worker.prepare(nodes, { id, triggers: { t: hourly } }))).toMatchObject({
      paused: false,
    });
    await client.undeploy(id);
  });

  it('starts once when that is asked for a new one alone, however often it is deployed', async () => {
    const id = uniqueId('once');
    const deploy = (name: string) =>
      client.deploy(worker.prepare(nodes, { id, name, triggers: { t: { ...hourly, overlap: 'allow_all' } } }), {
        trigger_now: 'when_new',
      });
    const started = async () => (await client.getDeployment(id)).runs.started;
    const latest = async () => (await client.getDeployment(id)).recent_executions.at(-1)?.slice(-INSTANT.length) ?? '';
    await deploy('First');
    await until('it has started', async () => (await started()) === 1);
    await anotherSecond();
    expect((await deploy('Second')).name).toBe('Second');
    // A schedule obeys in order: once it has done what was asked last, it has done all before.
    await anotherSecond();
    const asked = new Date().toISOString().slice(0, INSTANT.length - 1);
    await scheduleOf(id).trigger();
    await until('what was asked last is done', async () => (await latest()) >= asked);
    expect(await started()).toBe(2);
    await client.undeploy(id);
  });

  it('says which version is deployed in a listing, also after the next one', async () => {
    const id = uniqueId('versions');
    const first = worker.prepare(nodes, { id });
    const second = worker.prepare(nodes, { id, name: 'Second' });
    const lists = (version: string) =>
      until(`version ${version}`, async () => (await client.deployedVersions()).get(id) === version);
    await client.deploy(first);
    await lists(first.version);
    await client.deploy(second);
    await lists(second.version);
    expect(second.version).not.toBe(first.version);
    await client.undeploy(id);
  });
});

describe('cron expressions', () => {
  it('are taken and refused as the server does', async () => {
    const taken = [
      '*/5 9-17 * * MON-FRI',
      '0 12 1,15 jan,JULY,oct-dec *',
      '30 5/6 * * 7',
      '15 0 0 1 1 * 2027-2030/2',
      '0 9 * * su',
      '@midnight',
      '0 0 * * tuesd,3-7/2',
    ];
    const refused = [
      '* * * *',
      '60 * * * *',
      '* * * * fri-sun',
      '* * * ju *',
      '* * * * * 1999',
      '*/0 * * * *',
      '1-2-3 * * * *',
      '1/2/3 * * * *',
      '5/ * * * *',
      '1,,2 * * * *',
      '*-5 * * * *',
      '0 0 L * *',
      '0 0 ? * *',
      '@reboot',
    ];
    expect(taken.map(cronProblem)).toEqual(taken.map(() => undefined));
    expect(refused.filter((text) => cronProblem(text) === undefined)).toEqual([]);
    const server = async (text: string) => {
      const scheduleId = uniqueId('cron');
      const action = { type: 'startWorkflow' as const, workflowType: 'none', taskQueue: 'none' };
      try {
        const handle = await worker.temporal.schedule.create({
          scheduleId,
          spec: { cronExpressions: [text] },
          state: { paused: true },
          action,
        });
        await handle.delete();
        return text;
      } catch {
        return undefined;
      }
    };
    const answers = await Promise.all([...taken, ...refused].map(server));
    expect(answers.filter((text) => text !== undefined)).toEqual(taken);
  });
});

describe('a backfill', () => {
  const range = { from: '2026-03-01T00:00:00Z', to: '2026-03-01T02:30:00Z' };
  const idsOf = (id: string) => ['00', '01', '02'].map((hour) => `exec_${id}-2026-03-01T${hour}:00:00Z`);

  it('starts an execution for each past instant, both ends included, of a paused schedule too, and each instant once', async () => {
    const id = uniqueId('backfilled');
    await client.deploy(worker.prepare(nodes, { id, triggers: { t: hourly } }));
    expect(await client.backfillDeployment(id, range)).toEqual({
      workflow_id: id,
      from: '2026-03-01T00:00:00.000Z',
      to: '2026-03-01T02:30:00.000Z',
      overlap: 'buffer_all',
      instants: 3,
      left_out: 0,
    });
    for (const each of idsOf(id)) {
      await until(`${each} exists`, () => client.describeExecution(each).catch(() => undefined), 20_000);
      expect((await worker.ended(each)).state).toBe('completed');
    }
    const runs = await Promise.all(idsOf(id).map(async (each) => (await client.describeExecution(each)).run_id));
    expect(await client.getDeployment(id)).toMatchObject({ paused: true, recent_executions: idsOf(id) });

    const listed = async () => (await client.listExecutions({ workflow_id: id })).executions.length;
    await until('visibility knows the three', async () => (await listed()) === 3);
    const longer = { ...range, to: '2026-03-01T03:00:00Z', overlap: 'allow_all' } as const;
    expect(await client.backfillDeployment(id, longer)).toMatchObject({ instants: 1, left_out: 3 });
    const fourth = `exec_${id}-2026-03-01T03:00:00Z`;
    await until('the fourth', () => client.describeExecution(fourth).catch(() => undefined), 20_000);
    expect(await Promise.all(idsOf(id).map(async (each) => (await client.describeExecution(each)).run_id))).toEqual(
      runs,
    );
    await worker.ended(fourth);
    await client.undeploy(id);
  });

  it('of a range in which nothing was due starts nothing', async () => {
    const id = uniqueId('empty');
    await client.deploy(worker.prepare(nodes, { id, triggers: { t: hourly } }));
    const between = { from: '2026-03-01T00:00:01Z', to: '2026-03-01T00:59:59Z' };
    expect(await client.backfillDeployment(id, between)).toMatchObject({ instants: 0, left_out: 0 });
    await client.undeploy(id);
  });

  it('refuses what is no range, too long, in the future, and a graph no schedule starts', async () => {
    const [id, manual] = [uniqueId('refused'), uniqueId('manual')];
    await client.deploy(worker.prepare(nodes, { id, triggers: { t: hourly } }));
    await client.deploy(worker.prepare(nodes, { id: manual }));
    const refused = (message: RegExp, change: object, of = id) =>
      expect(client.backfillDeployment(of, { ...range, ...change })).rejects.toEqual(refusal('BadRequest', message));
    await refused(/from is not an instant/, { from: 'yesterday' });
    await refused(/to is not an instant/, { to: '2026-03-01T02:30:00' });
    await refused(/is later than to/, { from: '2026-03-02T00:00:00Z' });
    await refused(/lies in the future/, { to: new Date(Date.now() + 3_600_000).toISOString() });
    await refused(/of 500 runs at most/, { from: '2025-12-01T00:00:00Z' });
    await refused(/has no triggers/, {}, manual);
    await expect(client.backfillDeployment(uniqueId('nobody'), range)).rejects.toEqual(refusal('WorkflowNotFound'));
    await Promise.all([client.undeploy(id), client.undeploy(manual)]);
  });
});

describe('start inputs', () => {
  const declared = { inputs: { size: { type: 'decimal' }, note: { type: 'text', default: 'none' } } };

  it('are completed, carried by starts and schedules, and overridden name by name', async () => {
    const id = uniqueId('inputs');
    const input = worker.prepare(nodes, { id, ...declared });
    const { execution_id } = await client.startExecution(input, { inputs: { size: '1.5' } });
    expect((await client.executionInput(execution_id)).inputs).toEqual({ size: '1.5', note: 'none' });

    const triggers = { t: { ...hourly, inputs: { size: '2' } } };
    await client.deploy(worker.prepare(nodes, { id, ...declared, triggers }));
    expect((await client.deployedInput(id)).inputs).toEqual({ size: '2', note: 'none' });
    const { execution_id: byHand } = await client.triggerDeployment(id, { inputs: { note: 'by hand' } });
    expect((await client.executionInput(byHand)).inputs).toEqual({ size: '2', note: 'by hand' });
    await client.undeploy(id);
  });

  it('are refused before anything starts', async () => {
    const input = worker.prepare(nodes, { id: uniqueId('wrong'), ...declared });
    await expect(client.startExecution(input)).rejects.toEqual(refusal('InputsInvalid', /`size` is missing/));
    const both = { size: 1, nte: 'x' };
    await expect(client.startExecution(input, { inputs: both })).rejects.toEqual(
      refusal('InputsInvalid', /no input `nte`.*`size` must be a decimal/),
    );
    await expect(client.deploy(input, { trigger_now: true })).rejects.toEqual(refusal('InputsInvalid'));
    const large = { size: '1', note: 'x'.repeat(2_000_000) };
    await expect(client.startExecution(input, { inputs: large })).rejects.toEqual(refusal('GraphTooLarge'));
  });
});

describe('a start that is sent again', () => {
  const declared = { inputs: { size: { type: 'decimal', default: '1' } } };

  it('is answered with the execution there is, running or ended, also while a halt is in force', async () => {
    const execution_id = uniqueId('exec_again');
    const input = worker.prepare(nodes, declared);
    expect(await client.startExecution(input, { execution_id })).toEqual({ execution_id });
    const again = { execution_id, already_started: true };
    expect(await client.startExecution(input, { execution_id })).toEqual(again);
    expect(await client.startExecution(input, { execution_id, inputs: { size: '1' } })).toEqual(again);
    const { run_id } = await client.describeExecution(execution_id);
    await worker.ended(execution_id);
    await client.haltDesk({ reason: 'drill', actor: 'test' }, worker.desk);
    await until('the halt', async () => (await client.deskStatus(worker.desk)).state === 'halt');
    try {
      expect(await client.startExecution(input, { execution_id })).toEqual(again);
      await expect(client.startExecution(input, { execution_id: uniqueId('exec_new') })).rejects.toEqual(
        refusal('EmergencyHalted'),
      );
    } finally {
      await client.resumeDesk({ reason: 'over', actor: 'test' }, worker.desk);
    }
    expect((await client.describeExecution(execution_id)).run_id).toBe(run_id);
  });

  it('is refused with the difference when it is another start', async () => {
    const execution_id = uniqueId('exec_other');
    const id = uniqueId('graph');
    await client.startExecution(worker.prepare(nodes, { id, ...declared }), { execution_id });
    const other = (input: ReturnType<typeof worker.prepare>, message: RegExp, differs: string[], inputs = {}) =>
      expect(client.startExecution(input, { execution_id, inputs })).rejects.toEqual(
        refusal('ExecutionExists', message, { execution_id, differs }),
      );
    await other(worker.prepare(nodes, { id: `${id}_b`, ...declared }), /of the graph/, ['workflow_id']);
    await other(worker.prepare(nodes, { id, ...declared, name: 'New' }), /of version \w+, not \w+/, ['graph_version']);
    await other(worker.prepare(nodes, { id, ...declared }), /other inputs: size/, ['inputs.size'], { size: '2' });
  });
});
