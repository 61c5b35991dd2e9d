/** What became of executions: lists by time, events in pages and beyond the log, timelines over several runs; and starts over a socket. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { EventPublisher } from '../../src/event-log';
import type { RunGraphInput } from '../../src/workflows/messages';
import { constant, constantGraph as graph } from '../support/constant-graph';
import {
  askOf,
  listen,
  startGateway,
  token,
  type GatewayUnderTest,
  type Listener,
} from '../support/gateway-under-test';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { prepare } from '../support/prepared';
import { until } from '../support/until';

type Body = Record<string, unknown>;
type Entry = { node: string; state: string; where: string; scheduled_at?: string; waited_ms?: number; ran_ms?: number };

let own: OwnNamespace;
let redis: OwnRedis;
let publisher: EventPublisher;
let gateway: GatewayUnderTest;
/** How far the gateway's clock is ahead. */
let ahead = 0;

beforeAll(async () => {
  redis = await startOwnRedis();
  publisher = new EventPublisher(redis.url);
  own = await ownNamespace('history', (publication) => {
    publisher.publish(publication);
  });
  gateway = await startGateway({ redisUrl: redis.url, client: own.client, now: () => Date.now() + ahead });
});

afterAll(async () => {
  await gateway.close();
  await publisher.close();
  await redis.stop();
  await own.dispose();
});

async function get(path: string, as: Parameters<typeof token>[0] = {}): Promise<{ status: number; body: Body }> {
  const response = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${await token(as)}` } });
  return { status: response.status, body: (await response.json()) as Body };
}

async function finished(id: string, document: object, settings?: RunGraphInput['settings']): Promise<string> {
  const input = prepare(document);
  const { execution_id } = await own.client.startExecution(
    { ...input, ...(settings === undefined ? {} : { settings }) },
    { execution_id: id },
  );
  await until(`${id} ended`, async () => (await own.client.describeExecution(execution_id)).closing, 60_000);
  return execution_id;
}

describe('executions by time', () => {
  const idsOf = (body: Body) => (body['executions'] as { execution_id: string }[]).map((each) => each.execution_id);

  it('are those that began at or after `from` and before `to`', async () => {
    await finished('exec_first', graph('timed', { nap: { type: 'wait', params: { for: '50ms' } } }));
    await finished('exec_second', graph('timed'));
    const listed = await until('both are listed', async () => {
      const { body } = await get('/api/executions?workflow_id=timed');
      return idsOf(body).length === 2 && (body['executions'] as { started_at: string }[]);
    });
    const [second = 0, first = 0] = listed.map(({ started_at }) => Date.parse(started_at));
    const middle = Math.ceil((first + second) / 2);
    const between = async (query: string) => idsOf((await get(`/api/executions?workflow_id=timed&${query}`)).body);
    expect({
      from: await between(`from=${middle}`),
      to: await between(`to=${new Date(middle).toISOString()}`),
      both: await between(`from=${first - 1_000}&to=${second + 1_000}`),
      neither: await between(`from=${second + 1_000}`),
    }).toEqual({ from: ['exec_second'], to: ['exec_first'], both: ['exec_second', 'exec_first'], neither: [] });
  });

  it('come in whole pages also for a token that may see only some', async () => {
    for (const [at, bot_id] of ['mine', 'other', 'mine', 'other'].entries()) {
      await finished(`exec_paged_${at}`, graph('paged', { one: constant }, { bot_id }));
    }
    const as = { bots: ['mine'] };
    const first = await until('all are listed', async () => {
      const { body } = await get('/api/executions?workflow_id=paged&limit=2', as);
      return idsOf(body).length === 2 && body;
    });
    expect(idsOf(first)).toEqual(['exec_paged_2', 'exec_paged_0']);
    expect(idsOf((await get('/api/executions?workflow_id=paged', { bots: ['no id'] })).body)).toEqual([]);
    expect((await get('/api/executions?bot_id=other', as)).body).toMatchObject({ executions: [] });
  });
});

describe('deployments', () => {
  it('are listed in pages, by id', async () => {
    for (const id of ['page_a', 'page_b', 'page_c']) await own.client.deploy(prepare(graph(id)));
    const ids = async (query: string) => {
      const { body } = await get(`/api/workflows?${query}`);
      return [
        (body['workflows'] as { workflow_id: string }[]).map((each) => each.workflow_id),
        body['next_page'],
      ] as const;
    };
    await until('all are listed', async () => (await ids('limit=9'))[0].length === 3);
    expect([await ids('limit=2'), await ids('limit=2&page=page_b')]).toEqual([
      [['page_a', 'page_b'], 'page_b'],
      [['page_c'], undefined],
    ]);
  });
});

describe('events', () => {
  const seqs = (body: Body) => (body['events'] as { seq: number }[]).map(({ seq }) => seq);

  it('come in pages, each going on where the one before ended', async () => {
    const id = await finished('exec_events', graph('events', { a: constant, b: constant, c: constant }));
    const whole = await until('all of them are in the log', async () => {
      const { body } = await get(`/api/executions/${id}/events`);
      return JSON.stringify(body).includes('execution_completed') && body;
    });
    expect(whole).not.toHaveProperty('more');
    const found: number[] = [];
    let query = 'limit=3';
    for (;;) {
      const { body } = await get(`/api/executions/${id}/events?${query}`);
      found.push(...seqs(body));
      const { log_epoch, seq } = body['cursor'] as { log_epoch: string; seq: number };
      if (body['more'] !== true) break;
      query = `limit=3&after=${log_epoch}:${seq}`;
    }
    expect(found).toEqual(seqs(whole));
  });

  it('that the log has lost are not passed off as none: for a while not recovered, then gone for good, with where to ask', async () => {
    const id = await finished('exec_expired', graph('expired'));
    const connection = new Redis(redis.url);
    // Another gateway or this one may tell its end again at any moment, so the log is emptied until it is seen empty.
    const emptied = async (isSeen: (answer: { status: number; body: Body }) => boolean) =>
      until('the log without it', async () => {
        await connection.flushall();
        const answer = await get(`/api/executions/${id}/events`);
        return isSeen(answer) && answer;
      });
    const recent = await emptied(({ body }) => (body['events'] as unknown[] | undefined)?.length === 0);
    expect(recent).toMatchObject({ status: 200, body: { recovered: false, events: [] } });
    ahead = 3_600_000;
    const gone = await emptied(({ status }) => status !== 200);
    ahead = 0;
    connection.disconnect();
    const timeline = `/api/executions/${id}/timeline`;
    expect(gone).toMatchObject({ status: 410, body: { code: 'EventsExpired', retryable: false, timeline } });
    expect((await get(timeline)).body).toMatchObject({ entries: [{ node: 'one', state: 'completed' }] });
  });
});

describe('a timeline', () => {
  const entriesOf = (body: Body) => body['entries'] as Entry[];
  /** Without those of the desk's set-up, a moment ago: an execution that has just begun may still be told that all is normal. */
  const marksOf = (body: Body) =>
    (body['marks'] as { type: string; state?: string }[]).filter(({ state }) => state !== 'normal');
  /** With the worker's own word, which a loaded machine may not give within the two seconds it is waited for. */
  const whole = (id: string) =>
    until('the worker told of it', async () => {
      const { body } = await get(`/api/executions/${id}/timeline`);
      return body['inside_known'] === true && body;
    });

  it('has every node of an execution that ended: on workers, in workflow tasks, inside the workflow, in loops', async () => {
    const id = await finished(
      'exec_timeline',
      graph('timeline', {
        price: constant,
        nap: { type: 'wait', params: { for: '200ms' }, after: ['price'] },
        tell: { type: 'notify', params: { message: 'well' }, after: ['nap'] },
        bad: { type: 'math', params: { op: 'divide', a: '1', b: '0' }, on_error: 'continue' },
        never: { ...constant, after: ['bad.success'] },
        each: { type: 'map', params: { items: [1, 2] }, body: { nodes: { sure: constant } } },
      }),
    );
    const body = await whole(id);
    const entries = Object.fromEntries(entriesOf(body).map((entry) => [entry.node, entry]));
    expect(entries).toMatchObject({
      price: { where: 'workflow_task', state: 'completed', attempt: 1 },
      nap: { where: 'workflow', state: 'completed' },
      tell: { where: 'worker', state: 'completed', dispatch: 1, attempt: 1 },
      bad: { where: 'workflow_task', state: 'failed', error_type: 'InvalidInput' },
      never: { where: 'workflow', state: 'skipped' },
      each: { where: 'workflow', state: 'completed' },
      'each[0]/sure': { where: 'workflow_task', state: 'completed' },
      'each[1]/sure': { where: 'workflow_task', state: 'completed' },
    });
    expect(entriesOf(body)).toHaveLength(8);
    expect(entries['nap']?.waited_ms).toBeGreaterThanOrEqual(200);
    expect(String(entries['nap']?.scheduled_at) < String(entries['tell']?.scheduled_at)).toBe(true);
    expect(marksOf(body).map(({ type }) => type)).toEqual(['started', 'completed']);
  });

  it('shows what waits, runs and was decided while it goes on, and what was told by whom', async () => {
    const nodes = { ask: { type: 'approval' }, more: { type: 'approval' } };
    const { execution_id: id } = await own.client.startExecution(prepare(graph('waiting', nodes)));
    await until('it waits', async () => (await own.client.executionStatus(id)).state === 'waiting');
    await own.client.approveNode(id, { node: 'ask', decision: 'approve', actor: 'ada' });
    await own.client.haltExecution(id, 'look');
    await until('it is halted', async () => (await own.client.executionStatus(id)).state === 'halted');
    const body = await whole(id);
    expect(Object.fromEntries(entriesOf(body).map(({ node, state }) => [node, state]))).toEqual({
      ...{ ask: 'completed', more: 'waiting' },
    });
    expect(marksOf(body)).toMatchObject([
      { type: 'started' },
      { type: 'approve', node: 'ask', actor: 'ada', decision: 'approve' },
      { type: 'halt', reason: 'look' },
    ]);
    await own.client.cancelExecution(id);
  });

  it('goes back run by run to the beginning', async () => {
    const chain = Array.from({ length: 30 }, (_, at): [string, object] => [
      `n${at}`,
      { type: 'notify', params: { message: 'on' }, after: at === 0 ? [] : [`n${at - 1}`] },
    ]);
    const id = await finished('exec_long', graph('long', Object.fromEntries(chain)), { events_per_run: 60 });
    const nodes: string[] = [];
    let runs = 0;
    let query = '';
    for (;;) {
      const { status, body } = await get(`/api/executions/${id}/timeline${query}`);
      expect(status).toBe(200);
      nodes.unshift(...entriesOf(body).map(({ node }) => node));
      runs += 1;
      if (body['next_page'] === undefined) break;
      query = `?page=${body['next_page'] as string}`;
    }
    expect(runs).toBeGreaterThan(1);
    expect(nodes).toEqual(chain.map(([node]) => node));
  });

  it('is refused for what is no run of it, and to a token that may not see it', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000';
    expect(await get(`/api/executions/exec_long/timeline?page=${unknown}`)).toMatchObject({ status: 404 });
    expect(await get('/api/executions/exec_long/timeline?page=x')).toMatchObject({ status: 400 });
    expect(await get('/api/executions/exec_long/timeline', { bots: ['other'] })).toMatchObject({ status: 403 });
  });
});

describe('a start over a socket', () => {
  let operator: Listener;
  beforeAll(async () => {
    operator = await listen(gateway.url, { role: 'operator' });
  });
  afterAll(() => {
    operator.socket.disconnect();
  });

  it('of a graph it brings, or of one that is deployed, happens once under an id of its own', async () => {
    const start = (message: object) => askOf(operator, 'start_execution', message);
    const brought = { graph: graph('brought'), execution_id: 'exec_brought' };
    expect(await start(brought)).toEqual({ ok: true, execution_id: 'exec_brought' });
    expect(await start(brought)).toEqual({ ok: true, execution_id: 'exec_brought', already_started: true });
    await own.client.deploy(prepare(graph('there')));
    expect(await start({ workflow_id: 'there' })).toMatchObject({
      ok: true,
      execution_id: expect.stringMatching(/^exec_there_/),
    });
  });

  it.each([
    [{}, 'BadRequest'],
    [{ workflow_id: 'there', graph: graph('both') }, 'BadRequest'],
    [{ graph: graph('bad', { a: { type: 'none' } }) }, 'GraphInvalid'],
    [{ graph: JSON.parse('{"nodes":[{"deep":{"er":{"__proto__":1}}}]}') as object }, 'BadRequest'],
    [{ workflow_id: 'not_there' }, 'WorkflowNotFound'],
  ])('of %j is refused with %s', async (message, code) => {
    expect(await askOf(operator, 'start_execution', message)).toMatchObject({ ok: false, error: { code } });
  });

  it('is no viewer’s, nor of a bot the token does not name', async () => {
    for (const request of [{ role: 'viewer' }, { role: 'operator', bots: ['mine'] }] as const) {
      const other = await listen(gateway.url, request);
      const answer = await askOf(other, 'start_execution', { graph: graph('foreign', undefined, { bot_id: 'b' }) });
      expect(answer).toMatchObject({ ok: false, error: { code: 'Forbidden' } });
      other.socket.disconnect();
    }
  });
});
