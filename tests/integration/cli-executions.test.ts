import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holdfast } from '../support/command-line';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { until } from '../support/until';

let own: OwnNamespace;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
  own = await ownNamespace('cli');
});
afterAll(async () => {
  await own.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function cli(args: readonly string[], options: Parameters<typeof holdfast>[1] = {}) {
  return holdfast(args, { ...options, environment: { ...own.environment, HOLDFAST_HOME: join(folder, 'home') } });
}

function graphFile(id: string, nodes: object, more: object = {}): string {
  const file = join(folder, `${id}.json`);
  writeFileSync(file, JSON.stringify({ holdfast: 1, id, nodes, ...more }));
  return file;
}

const constant = (value: unknown) => ({ type: 'constant', params: { value } });
/** Waits in the middle until it is released, so that there is something to halt. */
const waiting = {
  first: constant(1),
  pause: { type: 'wait_for_signal', params: { name: 'go' }, after: ['first'] },
  last: { ...constant(2), after: ['pause'] },
};

async function started(id: string, nodes: object = waiting): Promise<string> {
  const { out, code, err } = await cli(['run', graphFile(id, nodes), '--json']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return (JSON.parse(out) as { execution_id: string }).execution_id;
}

/** One that waits: past the desk's check at its start, which a halt would turn into a refusal. */
async function startedAndWaiting(id: string): Promise<string> {
  const execution = await started(id);
  const waits = async () => (await own.client.executionStatus(execution)).nodes['first']?.state === 'completed';
  await until('its first node', waits);
  return execution;
}

async function released(execution: string): Promise<void> {
  await own.client.deliverMessage(execution, { name: 'go' });
  await until('its end', async () => (await stateOf(execution)) === 'completed');
}

const stateOf = async (id: string) => (await own.client.describeExecution(id)).closing?.status;

describe('holdfast run', () => {
  it('starts a graph that is not deployed and follows it to its end without gateway and Redis', async () => {
    const file = graphFile('spread_once', {
      a: constant('101'),
      b: constant('100'),
      spread: { type: 'spread', inputs: { a: 'a.value', b: 'b.value' } },
    });
    const { code, out, err } = await cli(['run', file, '--follow']);
    expect(code).toBe(0);
    expect(err).toBe('No gateway answers, so states are read from Temporal.\n');
    expect(out).toMatch(/^exec_spread_once_[0-9a-f]{8} started, paper, version [0-9a-f]{12}\n/);
    expect(out).toMatch(/node_completed +spread +\d+ ms {2}\{"bps":"100",/);
    expect(out).toMatch(/exec_spread_once_\w+ completed in \d+ ms\n$/);
  });

  it('ends with code 5, the node’s own words and no stack trace when the execution fails', async () => {
    const file = graphFile('divides', {
      quotient: { type: 'math', params: { op: 'divide', a: '1', b: '0' } },
    });
    const { code, err } = await cli(['run', file, '--follow', '--json']);
    expect(code).toBe(5);
    const complaint = (JSON.parse(err.trim().split('\n').at(-1)!) as { error: Record<string, unknown> }).error;
    expect(complaint['message']).toMatch(
      /^exec_divides_\w+ failed after \d+m?s: quotient: b: is zero and cannot divide$/,
    );
    expect(err).not.toMatch(/\n +at /);
  });

  it('answers the same start under an id with the execution there is, and refuses another for ever', async () => {
    const file = graphFile('once', { a: constant(1) });
    expect((await cli(['run', file, '--id', 'only_once', '--follow'])).code).toBe(0);
    const again = await cli(['run', file, '--id', 'only_once']);
    expect(again).toMatchObject({ code: 0, err: '' });
    expect(again.out).toMatch(/^only_once was already started, by the same request, paper, version \w+\n/);
    const data = JSON.parse((await cli(['run', file, '--id', 'only_once', '--json'])).out) as object;
    expect(data).toMatchObject({ execution_id: 'only_once', already_started: true });
    const other = await cli(['run', graphFile('once', { a: constant(2) }), '--id', 'only_once']);
    expect(other).toMatchObject({ code: 4, out: '', err: expect.stringContaining('[ExecutionExists]') });
    expect(other.err).toMatch(/^error: .* was already started, of version \w+, not \w+\.\n/);
  });

  it('starts live only when that is asked for by name, and says so', async () => {
    const file = graphFile('real', { a: constant(1) });
    expect((await cli(['run', file, '--id', 'real_1', '--live', '--follow'])).out).toMatch(/^real_1 started, live, /);
    expect((await own.client.describeExecution('real_1')).mode).toBe('live');
    const paper = await cli(['run', file, '--id', 'real_1']);
    expect(paper).toMatchObject({ code: 4, err: expect.stringContaining('in mode live, not paper') });
    await cli(['deploy', file, '--live']);
    expect((await own.client.deployedInput('real')).mode).toBe('live');
    await own.client.undeploy('real');
  });

  it('starts nothing of a graph with mistakes', async () => {
    const file = graphFile('broken', { a: { type: 'cnstant' } });
    expect(await cli(['run', file])).toMatchObject({ code: 2, err: expect.stringContaining('unknown_kind') });
    expect((await own.client.listExecutions({ workflow_id: 'broken' })).executions).toEqual([]);
  });

  it('stops following at Ctrl-C and says that the execution goes on, which it does', async () => {
    const file = graphFile('left_alone', waiting);
    let interrupt: (() => void) | undefined;
    const { code, out, err } = await cli(['run', file, '--follow'], {
      onListening: (handler) => {
        interrupt = handler;
      },
      onOut: (soFar) => {
        if (soFar.includes('node_completed')) interrupt?.();
      },
    });
    const id = /^(exec_\w+) started/.exec(out)![1]!;
    expect(code).toBe(0);
    expect(err).toContain(`Stopped following; ${id} goes on.`);
    expect(await stateOf(id)).toBeUndefined();
    await released(id);
  });
});

describe('holdfast halt and resume', () => {
  it('halt one execution, measure it, show it, and let it end', async () => {
    const id = await startedAndWaiting('halted');
    const halt = await cli(['halt', id, '--reason', 'odd prices', '--json']);
    expect(halt.code).toBe(0);
    const answer = JSON.parse(halt.out) as { accepted_ms: number; confirmed_ms: number };
    expect(answer).toMatchObject({
      execution_id: id,
      state: 'halted',
      halts: [{ scope: 'execution', reason: 'odd prices' }],
    });
    expect(answer.confirmed_ms).toBeGreaterThanOrEqual(answer.accepted_ms);
    expect((await cli(['status', id])).out).toMatch(/halted by execution since .*: odd prices\n/);
    const resume = await cli(['resume', id]);
    expect(resume.out).toMatch(new RegExp(`^${id} is \\w+: accepted after \\d+ ms, confirmed after \\d+ ms\\.\\n`));
    await released(id);
  });

  it('halt everything, refuse what is new, and lift it again', async () => {
    const id = await startedAndWaiting('halted_with_all');
    const halt = await cli(['halt', '--all', '--reason', 'drill']);
    expect(halt).toMatchObject({ code: 0, err: '' });
    expect(halt.out).toMatch(/^desk {2}default, global: halt since .* by cli:test: drill\n/);
    expect(halt.out).toMatch(/\n(\d+) of \1 open executions confirmed after \d+ ms\n$/);
    expect((await own.client.executionStatus(id)).state).toBe('halted');
    const refused = await cli(['run', graphFile('refused', { a: constant(1) })]);
    expect(refused).toMatchObject({ code: 4, out: '', err: expect.stringContaining('[EmergencyHalted]') });
    const single = await cli(['resume', id]);
    expect(single.out).toContain('Still halted by global: drill.');
    expect((await cli(['resume', '--all', '--reason', 'over'])).out).toContain('global: normal');
    await released(id);
  });

  it('refuse an execution that ended and one that never was', async () => {
    const id = await started('short', { a: constant(1) });
    await until('its end', async () => (await stateOf(id)) === 'completed');
    expect(await cli(['halt', id])).toMatchObject({
      code: 4,
      err: expect.stringContaining('has already ended: completed.'),
    });
    expect(await cli(['halt', 'exec_nobody'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('[ExecutionNotFound]'),
    });
  });
});

describe('holdfast status, list, cancel and deploy', () => {
  it('show the desk and what is open, and one execution with its nodes', async () => {
    const id = await startedAndWaiting('shown');
    await until('visibility', async () => (await cli(['status'])).out.includes(id));
    const all = await cli(['status']);
    expect(all.out).toMatch(/^desk {2}default, global: normal\n\nEXECUTION +GRAPH +VERSION +MODE +STATE/);
    const one = await cli(['status', id]);
    expect(one.out).toMatch(/\nNODE +KIND +STATE +ATTEMPT +TIME +RESULT\nfirst +constant +completed/);
    const json = JSON.parse((await cli(['status', id, '--json'])).out) as object;
    expect(json).toMatchObject({ execution_id: id, nodes: { first: { state: 'completed' } } });
  });

  it('list what a filter asks for', async () => {
    const id = await started('listed', { a: constant(1) });
    const list = () => cli(['list', '--workflow', 'listed', '--state', 'completed', '--json']);
    const found = await until('visibility', async () => {
      const page = JSON.parse((await list()).out) as { executions: { execution_id: string }[] };
      return page.executions.length > 0 && page;
    });
    expect(found.executions).toEqual([
      expect.objectContaining({ execution_id: id, mode: 'paper', state: 'completed' }),
    ]);
    expect((await cli(['list', '--workflow', 'no_such'])).out).toBe('No executions.\n');
  });

  it('cancel an execution', async () => {
    const id = await startedAndWaiting('cancelled');
    expect((await cli(['cancel', id])).out).toContain(`Cancellation of ${id} requested`);
    await until('its end', async () => (await stateOf(id)) === 'cancelled');
  });

  it('deploy nothing when one of several graphs is wrong, and all when none is', async () => {
    const good = graphFile('deployed', { a: constant(1) });
    const bad = graphFile('undeployable', { a: { type: 'cnstant' } });
    expect((await cli(['deploy', good, bad])).code).toBe(2);
    expect(await own.client.listDeployments()).toEqual([]);
    expect((await cli(['deploy', good])).out).toMatch(
      /^deployed {2}deployed, version [0-9a-f]{12}, runs when asked\n$/,
    );
    await own.client.undeploy('deployed');
  });
});

describe('without a worker', () => {
  it('a halt is accepted, nobody confirms it, and the command says both', async () => {
    const id = await startedAndWaiting('unattended');
    await own.stopWorker();
    const { code, out, err } = await cli(['halt', id, '--reason', 'odd prices']);
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toMatch(/^error: Temporal accepted it after \d+ ms, but .* does not say yet that the halt holds\.\n/);
    expect(err).toContain('[WorkerUnavailable]');
    const status = await cli(['status']);
    expect(status).toMatchObject({ code: 4, err: expect.stringContaining('[EmergencyUnreachable]') });
    expect(status.out).toMatch(/^desk {2}does not answer\n/);
    expect(status.out).toContain(id);
  });
});

describe('without a Temporal server', () => {
  const environment = (port: number) => ({
    TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
    HOLDFAST_HOME: join(folder, 'none'),
  });

  it('a command says so', async () => {
    const { code, out, err } = await holdfast(['list'], { environment: environment(1) });
    expect({ code, out }).toEqual({ code: 3, out: '' });
    expect(err).toMatch(
      /^error: No Temporal server answers at 127\.0\.0\.1:1\.\nnext: {2}.* \[TemporalUnavailable\]\n$/,
    );
  });

  it('a command says so within five seconds when what listens there never answers', async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => sockets.push(socket));
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const began = performance.now();
    const { code } = await holdfast(['halt', '--all'], {
      environment: environment((mute.address() as AddressInfo).port),
    });
    expect(code).toBe(3);
    expect(performance.now() - began).toBeLessThan(5_000);
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
});
