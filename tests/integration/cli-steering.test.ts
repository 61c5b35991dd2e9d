import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ExecutionStatus } from '../../src/workflows/messages';
import { holdfast } from '../support/command-line';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { prepare } from '../support/prepared';
import { until } from '../support/until';

let own: OwnNamespace;

beforeAll(async () => {
  own = await ownNamespace('cli-steering');
});
afterAll(() => own.dispose());

const cli = (args: readonly string[], options: Parameters<typeof holdfast>[1] = {}) =>
  holdfast(args, { ...options, environment: own.environment });
const json = async (args: readonly string[]) =>
  JSON.parse((await cli([...args, '--json'])).out) as Record<string, unknown>;

const constant = (value: unknown) => ({ type: 'constant', params: { value } });
const waitsFor = (name: string) => ({ type: 'wait_for_signal', params: { name } });

async function started(id: string, nodes: object, more: object = {}): Promise<string> {
  const input = prepare({ holdfast: 1, id, nodes, ...more });
  return (await own.client.startExecution(input)).execution_id;
}

function reaches(id: string, condition: (status: ExecutionStatus) => boolean): Promise<ExecutionStatus> {
  return until(`${id} reaches the state`, async () => {
    const status = await own.client.executionStatus(id);
    return condition(status) && status;
  });
}

async function startedWaiting(id: string, nodes: object, more: object = {}): Promise<string> {
  const execution = await started(id, nodes, more);
  await reaches(execution, ({ state }) => state === 'waiting');
  return execution;
}

const ended = (id: string) => until('its end', async () => (await own.client.describeExecution(id)).closing);

describe('holdfast approve', () => {
  it('decides as the user of this machine or under another name, and only while the node waits', async () => {
    const id = await startedWaiting('asks', {
      mine: { type: 'approval', params: { approvers: ['test'] } },
      lead: { type: 'approval', params: { approvers: ['desk_lead'] } },
      each: { type: 'map', params: { items: [1] }, body: { nodes: { sure: { type: 'approval' } } } },
    });
    expect(await cli(['approve', id, 'mine'])).toEqual({ code: 0, out: `mine of ${id} is approved.\n`, err: '' });
    const refused = await cli(['approve', id, 'lead']);
    expect(refused).toMatchObject({ code: 4, out: '', err: expect.stringContaining('[Forbidden]') });
    expect(refused.err).toContain('cli:test is not among the approvers of lead: desk_lead');
    const args = ['approve', id, 'lead', '--reject', '--as', 'desk_lead', '--comment', 'too dear'];
    expect(await json(args)).toMatchObject({
      ...{ execution_id: id, node: 'lead' },
      status: { branch: 'rejected', outputs: { actor: 'desk_lead', comment: 'too dear' } },
    });
    expect(await cli(args)).toMatchObject({ code: 4, err: expect.stringContaining('[NodeNotWaiting]') });
    expect(await cli(['approve', id, 'nobody'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('[NodeNotFound]'),
    });
    expect((await cli(['approve', id, 'each[0]/sure'])).code).toBe(0);
    await ended(id);
    expect(await cli(args)).toMatchObject({ code: 4, err: expect.stringContaining('[ExecutionClosed]') });
  });
});

describe('holdfast retry and skip', () => {
  it('begin a failed node anew and pass it over, and leave alone what completed', async () => {
    const id = await startedWaiting('fails', {
      bad: { type: 'math', params: { op: 'divide', a: '1', b: '0' }, on_error: 'continue' },
      one: constant(1),
      hold: waitsFor('go'),
    });
    expect((await cli(['retry', id, 'bad', '--reason', 'mended'])).out).toBe(
      `bad of ${id} begins anew, as generation 1.\n`,
    );
    await reaches(id, ({ nodes }) => nodes['bad']?.state === 'failed' && nodes['bad'].generation === 1);
    expect((await cli(['status', id])).out).toContain(`\n  holdfast retry ${id} bad\n`);
    expect((await cli(['skip', id, 'bad', '--reason', 'enough'])).out).toBe(`bad of ${id} is skipped.\n`);
    expect((await own.client.executionStatus(id)).nodes['bad']).toMatchObject({
      state: 'skipped',
      reason: 'skipped by cli:test: enough',
    });
    for (const verb of ['retry', 'skip']) {
      expect(await cli([verb, id, 'one'])).toMatchObject({
        code: 4,
        err: expect.stringContaining('[NodeNotRetryable]'),
      });
    }
    await own.client.cancelExecution(id);
  });
});

describe('holdfast message', () => {
  it('reaches the node that waits, as JSON, as text or from stdin, and is kept for one that does not wait yet', async () => {
    const id = await startedWaiting('hears', {
      data: waitsFor('data'),
      word: waitsFor('word'),
      early: { ...waitsFor('early'), after: ['data.received', 'word.received'] },
    });
    expect((await cli(['message', id, 'early', '--payload', '-'], { input: '[1, 2]\n' })).out).toBe(
      `Sent early to ${id}.\nNo node waits for early now; it is kept until one does.\n`,
    );
    expect((await cli(['message', id, 'data', '--payload', '{"day": "1.50"}'])).out).toBe(`Sent data to ${id}.\n`);
    expect(await json(['message', id, 'word', '--payload', 'go on'])).toEqual({
      ...{ execution_id: id, name: 'word', accepted: true, awaited: true },
    });
    await ended(id);
    const { nodes } = await own.client.executionStatus(id);
    const payloads = ['data', 'word', 'early'].map((node) => (nodes[node]?.outputs as { payload: unknown }).payload);
    expect(payloads).toEqual([{ day: '1.50' }, 'go on', [1, 2]]);
    expect(await cli(['message', id, 'word'])).toMatchObject({
      code: 4,
      err: expect.stringContaining('[ExecutionClosed]'),
    });
    const large = { input: 'x'.repeat(70_000) };
    expect(await cli(['message', id, 'word', '--payload', '-'], large)).toMatchObject({
      code: 2,
      err: expect.stringContaining('its payload is larger than 65536 bytes'),
    });
  });
});

describe('holdfast status', () => {
  it('folds frames, says what is waited for with the command that ends it, and shows what a graph gave', async () => {
    const id = await startedWaiting(
      'shown',
      {
        each: {
          type: 'map',
          params: { items: [1, 2, 3, 4, 5, 6] },
          body: { nodes: { one: constant('1') }, outputs: { one: 'one.value' } },
        },
        ask: {
          type: 'approval',
          after: ['each'],
          params: { approvers: ['desk_lead'], message: 'Buy {{each.count}}?' },
        },
        news: waitsFor('news'),
      },
      { outputs: { count: 'each.count', by: 'ask.actor' } },
    );
    const open = (await cli(['status', id])).out;
    expect(open).toMatch(/\neach\[\*\]\/one +constant +6 completed +- +-\n/);
    expect(open).toMatch(/\nask +approval +waiting .* waits for the approval of desk_lead: Buy 6\?\n/);
    expect(open).toContain(`\n  holdfast approve ${id} ask\n`);
    expect(open).toContain(`\n  holdfast message ${id} news --payload JSON\n`);
    expect((await cli(['status', id, '--all'])).out).toMatch(/\neach\[5\]\/one +constant +completed /);
    await cli(['approve', id, 'ask', '--as', 'desk_lead']);
    await cli(['message', id, 'news']);
    await ended(id);
    const closed = (await cli(['status', id])).out;
    expect(closed).toMatch(/\nOUTPUT +VALUE\ncount +6\nby +"desk_lead"\n$/);
  });
});

describe('holdfast rerun', () => {
  const rejected = {
    each: {
      type: 'map',
      params: { items: [1, 2] },
      body: { nodes: { one: constant('1') }, outputs: { one: 'one.value' } },
    },
    ask: { type: 'approval', after: ['each'] },
    tell: { type: 'notify', after: ['ask.approved'], params: { message: '{{each.count}} bought' } },
  };

  it('says what would run, runs it, and follows it to its end', async () => {
    const id = await startedWaiting('rejected', rejected);
    expect(await cli(['rerun', id])).toMatchObject({ code: 4, err: expect.stringContaining('[ExecutionOpen]') });
    await cli(['approve', id, 'ask', '--reject']);
    await ended(id);
    const plan = { rerun_of: id, dry_run: true, again: ['ask', 'tell'] };
    expect(await json(['rerun', id, '--from', 'ask', '--dry-run'])).toMatchObject(plan);
    const text = (await cli(['rerun', id, '--from', 'ask', '--dry-run'])).out;
    expect(text).toMatch(/^A rerun would run exec_rejected_\w+ again:\nadopted {2}1: each\n/);
    expect(text).toMatch(/\nagain {4}2: ask, tell\n/);
    const again = `${id}_again`;
    const running = cli(['rerun', id, '--from', 'ask', '--id', again, '--follow']);
    await until('it asks', async () => {
      const status = await own.client.executionStatus(again).catch(() => undefined);
      return status?.nodes['ask']?.state === 'waiting';
    });
    await cli(['approve', again, 'ask']);
    const { code, out } = await running;
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^${again} runs ${id} again\\n`));
    expect(out).toMatch(/node_completed +tell .*2 bought/);
    expect(await cli(['rerun', id, '--from', 'nobody'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('[NodeNotFound]'),
    });
    expect(await cli(['rerun', id])).toMatchObject({
      code: 2,
      err: expect.stringContaining('name the node to run again from'),
    });
    expect(await cli(['rerun', id, '--from', 'ask', '--id', id])).toMatchObject({
      code: 4,
      err: expect.stringContaining('[ExecutionExists]'),
    });
  });

  it('of a failed execution runs what failed and what never ran, with what it failed with for an exit code', async () => {
    const id = await started('divides', {
      one: constant('1'),
      bad: { type: 'math', params: { op: 'divide', b: '0' }, inputs: { a: 'one.value' } },
      after: { type: 'math', params: { op: 'add', b: '1' }, inputs: { a: 'bad.value' } },
    });
    await ended(id);
    expect((await cli(['status', id])).out).toContain(`\`holdfast rerun ${id} --dry-run\` says what a rerun would do.`);
    const { code, out, err } = await cli(['rerun', id, '--follow', '--json']);
    expect(code).toBe(5);
    const answer = JSON.parse(out.split('\n')[0] ?? '') as { again: string[]; adopted: string[]; dropped: string[] };
    expect(answer.again).toEqual(expect.arrayContaining(['bad', 'after']));
    expect(answer.adopted.length + answer.again.length).toBe(3);
    expect(err).toContain('b: is zero and cannot divide');
  });

  it('trades live again only when it is told to, and plans without that', async () => {
    const paper = prepare({ holdfast: 1, id: 'live', nodes: { one: constant(1) } });
    const { execution_id: id } = await own.client.startExecution({ ...paper, mode: 'live' });
    await ended(id);
    expect(await cli(['rerun', id, '--from', 'one'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('[LiveNotConfirmed]'),
    });
    expect(await json(['rerun', id, '--from', 'one', '--dry-run'])).toMatchObject({ again: ['one'] });
    expect((await cli(['rerun', id, '--from', 'one', '--live', '--follow'])).code).toBe(0);
  });
});

describe('steering without a worker', () => {
  it('ends with code 3, and a message is kept for when one runs', async () => {
    const id = await startedWaiting('alone', { ask: { type: 'approval' } });
    await own.stopWorker();
    for (const args of [
      ['approve', id, 'ask'],
      ['retry', id, 'ask'],
    ]) {
      expect(await cli(args)).toMatchObject({ code: 3, err: expect.stringContaining('[WorkerUnavailable]') });
    }
    expect(await cli(['message', id, 'news'])).toEqual({ code: 0, out: `Sent news to ${id}.\n`, err: '' });
  });
});
