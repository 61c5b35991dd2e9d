import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { kindCatalogue } from '../../src/activities/kinds';
import { deployExamples } from '../../src/cli/examples';
import { prepareGraphFile } from '../../src/cli/graph-file';
import { silentProgress } from '../../src/local-stack/progress';
import { holdfast } from '../support/command-line';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { anotherSecond, until } from '../support/until';

let own: OwnNamespace;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
  own = await ownNamespace('cli-schedules');
});
afterAll(async () => {
  await own.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function cli(...args: readonly string[]) {
  return holdfast(args, { environment: { ...own.environment, HOLDFAST_HOME: join(folder, 'home') } });
}

async function data(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out, err } = await cli(...args, '--json');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as Record<string, unknown>;
}

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** What a schedule puts behind the id of an execution. */
const INSTANT = '2026-01-05T12:00:00Z';
const nap = { pause: { type: 'wait', params: { for: '1h' } } };
const quick = { a: { type: 'constant', params: { value: 1 } } };
const hourly = { hourly: { type: 'schedule', cron: '0 * * * *', time_zone: 'Europe/Berlin' } };
const graph = (id: string, nodes: object, more: object = {}) => file(`${id}.json`, { holdfast: 1, id, nodes, ...more });

describe('a deployed graph, by the command line', () => {
  it('is listed, shown, paused, unpaused and withdrawn', async () => {
    expect((await cli('schedules')).out).toBe('Nothing is deployed.\n');
    await data('deploy', graph('steered', quick, { triggers: hourly }));
    await until('the listing', async () => (await cli('schedules')).out.includes('steered'));
    expect((await cli('schedules')).out).toMatch(
      /^steered +\w{12} +active +skip +\S+Z +0 \* \* \* \* \(Europe\/Berlin\)$/m,
    );

    expect((await cli('pause', 'steered', '--reason', 'weekend')).out).toBe('steered is paused.\n');
    expect(await data('schedules', 'steered')).toMatchObject({ paused: true, note: 'weekend', next_runs: [] });
    expect((await cli('schedules', 'steered')).out).toMatch(
      /^steered {2}paused, version \w+\nnote: weekend\ntrigger: 0 \*/,
    );
    expect((await cli('unpause', 'steered')).out).toMatch(/^steered is active, next run \S+Z\.\n$/);
    expect((await data('schedules', 'steered'))['next_runs']).toHaveLength(5);

    expect((await cli('undeploy', 'steered')).out).toBe('steered is no longer deployed.\n');
    for (const command of ['pause', 'unpause', 'trigger', 'undeploy', 'schedules']) {
      expect(await cli(command, 'steered')).toMatchObject({
        code: 2,
        err: expect.stringContaining('[WorkflowNotFound]'),
      });
    }
  });

  it('is backfilled, once for each instant', async () => {
    await data('deploy', graph('made_up', quick, { triggers: hourly }));
    await data('pause', 'made_up');
    const range = ['--from', '2026-03-01T00:00:00Z', '--to', '2026-03-01T01:00:00+00:00'];
    expect((await cli('backfill', 'made_up', ...range)).out).toBe(
      '2 to start (buffer_all) from 2026-03-01T00:00:00.000Z to 2026-03-01T01:00:00.000Z.\n',
    );
    const ended = async () =>
      (await own.client.listExecutions({ workflow_id: 'made_up', state: 'completed' })).executions;
    await until('both have ended', async () => (await ended()).length === 2);
    expect(await data('backfill', 'made_up', ...range, '--overlap', 'allow_all')).toMatchObject({
      instants: 0,
      left_out: 2,
    });
    expect(await cli('backfill', 'made_up', '--from', 'x', '--to', 'y')).toMatchObject({ code: 2 });
    expect(await cli('backfill', 'made_up', ...range, '--overlap', 'terminate')).toMatchObject({ code: 2 });
    await data('undeploy', 'made_up');
  });

  it('shows which open executions run another version than the deployed one', async () => {
    await data('deploy', graph('changing', nap));
    const { execution_id: old } = await data('trigger', 'changing');
    await data('deploy', graph('changing', nap, { name: 'Changed' }));
    const { execution_id: now, graph_version } = await data('trigger', 'changing');
    type Listed = { executions: { execution_id: string; other_version?: true; deployed_version?: string }[] };
    const list = async () => ((await data('list', '--workflow', 'changing')) as unknown as Listed).executions;
    const settled = () =>
      list().then((all) => all.length === 2 && all.every((each) => each.deployed_version === graph_version));
    await until('the listing', settled);
    expect((await list()).filter((each) => each.other_version === true).map((each) => each.execution_id)).toEqual([
      old,
    ]);
    const { out } = await cli('list', '--workflow', 'changing');
    expect(out).toMatch(new RegExp(`^${String(old)} +changing +\\w{12}\\* `, 'm'));
    expect(out).toMatch(new RegExp(`^${String(now)} +changing +\\w{12} `, 'm'));
    expect(out).toMatch(/\n\* not the version that is deployed now\n$/);
    const shown = (await data('schedules', 'changing'))['running_executions'] as { execution_id: string }[];
    expect(shown.map((each) => each.execution_id).sort()).toEqual([String(old), String(now)].sort());
    await Promise.all([old, now].map((id) => own.client.cancelExecution(String(id))));
    await data('undeploy', 'changing');
  });
});

describe('start inputs, by the command line', () => {
  const inputs = {
    size: { type: 'decimal' },
    note: { type: 'text', default: 'none' },
    count: { type: 'integer', default: 1 },
    venues: { type: 'list', default: [] },
  };

  it('are read as the graph declares them, from options and from a file, options first', async () => {
    const path = graph('taking', quick, { inputs });
    const values = file('values.yaml', 'size: "2.5"\nnote: from the file\n');
    const { execution_id } = await data(
      'run',
      path,
      '--inputs',
      values,
      '--input',
      'size=1.50',
      '--input',
      'count=7',
      '--input',
      'venues=["a"]',
    );
    expect((await own.client.executionInput(String(execution_id))).inputs).toEqual({
      size: '1.50',
      note: 'from the file',
      count: 7,
      venues: ['a'],
    });
    const text = await data('run', path, '--input', 'size=3', '--input', 'note=42');
    expect((await own.client.executionInput(String(text['execution_id']))).inputs).toMatchObject({
      size: '3',
      note: '42',
    });
  });

  it('that are wrong start nothing', async () => {
    const path = graph('strict', quick, { inputs });
    const refused = (...args: string[]) => cli('run', path, ...args);
    expect(await refused()).toMatchObject({ code: 2, err: expect.stringContaining('[InputsInvalid]') });
    expect((await refused('--input', 'size=1', '--input', 'cuont=2')).err).toContain('declares no input `cuont`');
    expect((await refused('--input', 'size=1', '--input', 'count=1.5')).err).toContain(
      '`count` must be a whole number',
    );
    expect(await refused('--input', 'size')).toMatchObject({ code: 2, err: expect.stringContaining('name=value') });
    expect((await refused('--inputs', join(folder, 'none.json'))).err).toContain('[FileUnreadable]');
    expect((await refused('--inputs', file('list.json', '[1]'))).err).toContain('holds no inputs');
    expect((await own.client.listExecutions({ workflow_id: 'strict' })).executions).toEqual([]);
  });
});

describe('the examples', () => {
  it('start once where they are new, and not again with the next start of the stack', async () => {
    const connection = await Connection.connect({ address: own.environment['TEMPORAL_ADDRESS']! });
    const temporal = new Client({ connection, namespace: own.environment['TEMPORAL_NAMESPACE']! });
    const example = (id: string) =>
      prepareGraphFile(
        graph(id, quick, { bot_id: 'of_examples', triggers: { hourly: { ...hourly.hourly, overlap: 'allow_all' } } }),
        kindCatalogue,
      ).prepared;
    const start = (...ids: readonly string[]) =>
      deployExamples(own.client, ids.map(example), { actor: 'test', progress: silentProgress });
    const started = async (id: string) => (await own.client.getDeployment(id)).runs.started;
    const latest = async (id: string) =>
      (await own.client.getDeployment(id)).recent_executions.at(-1)?.slice(-INSTANT.length) ?? '';
    try {
      await start('example_old');
      await until('it has started', async () => (await started('example_old')) > 0);
      await anotherSecond();
      await start('example_old', 'example_new');
      await until('the new one has started', async () => (await started('example_new')) > 0);
      // A schedule obeys in order: once it has done what was asked last, it has done all before.
      await anotherSecond();
      const asked = new Date().toISOString().slice(0, INSTANT.length - 1);
      await temporal.schedule.getHandle('holdfast/example_old').trigger();
      await until('what was asked last is done', async () => (await latest('example_old')) >= asked);
      expect([await started('example_old'), await started('example_new')]).toEqual([2, 1]);
      expect((await own.client.deskStatus()).bots.map(({ bot_id }) => bot_id)).toEqual(['of_examples']);
    } finally {
      for (const id of ['example_old', 'example_new']) await own.client.undeploy(id);
      await connection.close();
    }
  });
});
