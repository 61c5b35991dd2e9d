import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ExecutionStatus } from '../../src/workflows/messages';
import { askOf, listen, startGateway, token, type GatewayUnderTest } from '../support/gateway-under-test';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { prepare } from '../support/prepared';
import { answered, until } from '../support/until';

let own: OwnNamespace;
let redis: OwnRedis;
let gateway: GatewayUnderTest;

beforeAll(async () => {
  redis = await startOwnRedis();
  own = await ownNamespace('steering');
  gateway = await startGateway({ redisUrl: redis.url, client: own.client });
});
afterAll(async () => {
  await gateway.close();
  await redis.stop();
  await own.dispose();
});

const constant = (value: unknown) => ({ type: 'constant', params: { value } });
/** Everything an operator can steer, waiting or failed at once. */
const steerable = {
  price: constant('101'),
  ask: { type: 'approval', after: ['price'], params: { approvers: ['desk_lead', 'admin'] } },
  anyone: { type: 'approval' },
  news: { type: 'wait_for_signal', params: { name: 'news' } },
  bad: { type: 'math', params: { op: 'divide', a: '1', b: '0' }, on_error: 'continue' },
  each: {
    type: 'map',
    params: { items: [1, 2] },
    body: { nodes: { sure: { type: 'approval' } } },
  },
};

async function startedWaiting(id: string, nodes: object = steerable): Promise<string> {
  const document = { holdfast: 1, id, bot_id: 'bot_1', nodes };
  const { execution_id } = await own.client.startExecution(prepare(document));
  await reaches(execution_id, ({ state }) => state === 'waiting');
  return execution_id;
}

/** On a loaded machine a worker may be silent for longer than one question waits. */
const statusOf = (id: string) => answered(() => own.client.executionStatus(id));

function reaches(id: string, condition: (status: ExecutionStatus) => boolean): Promise<ExecutionStatus> {
  return until(`${id} reaches the state`, async () => {
    const status = await statusOf(id);
    return condition(status) && status;
  });
}

const ended = (id: string) => until('its end', async () => (await own.client.describeExecution(id)).closing);

type As = Parameters<typeof token>[0];

async function post(path: string, body?: unknown, as: As = { role: 'operator', subject: 'ada' }) {
  const response = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${await token(as)}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, body: (await response.json()) as Record<string, unknown> };
}

const nodePath = (id: string, node: string, action: string) =>
  `/api/executions/${id}/nodes/${encodeURIComponent(node)}/${action}`;
const approve = { decision: 'approve' };

describe('steering over REST', () => {
  let id: string;
  beforeAll(async () => {
    id = await startedWaiting('steered');
  });

  it('is for operators, whose tokens include the bot, and needs a token at all', async () => {
    const paths = [
      nodePath(id, 'anyone', 'approve'),
      nodePath(id, 'bad', 'retry'),
      nodePath(id, 'bad', 'skip'),
      `/api/executions/${id}/messages`,
      `/api/executions/${id}/rerun`,
    ];
    for (const path of paths) {
      const body = path.endsWith('messages') ? { name: 'news' } : path.endsWith('approve') ? approve : {};
      expect((await fetch(gateway.url + path, { method: 'POST' })).status).toBe(401);
      for (const as of [{ role: 'viewer' }, { role: 'operator', bots: ['bot_2'] }] as const) {
        expect(await post(path, body, as)).toMatchObject({ status: 403, body: { code: 'Forbidden' } });
      }
    }
    const { nodes } = await statusOf(id);
    expect([nodes['anyone'], nodes['news']]).toMatchObject([{ state: 'waiting' }, { state: 'waiting' }]);
    expect(nodes['bad']).toMatchObject({ state: 'failed', generation: 0 });
  });

  it('takes a decision from the approvers alone: by the token’s name, or by a role it includes', async () => {
    expect(await post(nodePath(id, 'ask', 'approve'), approve)).toMatchObject({
      status: 403,
      body: { code: 'Forbidden', detail: 'ada is not among the approvers of ask: desk_lead, admin' },
    });
    const answer = await post(
      nodePath(id, 'ask', 'approve'),
      { decision: 'reject', comment: 'too dear' },
      { role: 'operator', subject: 'desk_lead' },
    );
    expect(answer).toMatchObject({ status: 200, body: { execution_id: id, node: 'ask' } });
    expect(answer.body['status']).toMatchObject({
      state: 'completed',
      branch: 'rejected',
      outputs: { decision: 'rejected', actor: 'desk_lead', comment: 'too dear' },
    });
    const other = await startedWaiting('by_role');
    const byRole = await post(nodePath(other, 'ask', 'approve'), approve, { role: 'admin', subject: 'root' });
    expect(byRole.body['status']).toMatchObject({ branch: 'approved', outputs: { actor: 'root' } });
    await own.client.cancelExecution(other);
  });

  it('finds a node inside a frame by its percent-encoded key', async () => {
    const answer = await post(nodePath(id, 'each[1]/sure', 'approve'), approve);
    expect(answer).toMatchObject({
      status: 200,
      body: { node: 'each[1]/sure', status: { frame: 'each[1]', branch: 'approved' } },
    });
    expect((await statusOf(id)).nodes['each[0]/sure']).toMatchObject({ state: 'waiting' });
  });

  it('answers the second of two decisions, and what nobody has, with a refusal of its own', async () => {
    expect((await post(nodePath(id, 'anyone', 'approve'), approve)).status).toBe(200);
    const refusals: [string, unknown, number, string][] = [
      [nodePath(id, 'anyone', 'approve'), approve, 409, 'NodeNotWaiting'],
      [nodePath(id, 'bad', 'approve'), approve, 409, 'NodeNotWaiting'],
      [nodePath(id, 'nobody', 'approve'), approve, 404, 'NodeNotFound'],
      [nodePath(id, 'each[9]/sure', 'skip'), {}, 404, 'NodeNotFound'],
      [nodePath('exec_none', 'ask', 'approve'), approve, 404, 'ExecutionNotFound'],
      [nodePath(id, 'price', 'retry'), {}, 409, 'NodeNotRetryable'],
      [nodePath(id, 'price', 'skip'), {}, 409, 'NodeNotRetryable'],
      [nodePath(id, 'ask', 'approve'), undefined, 400, 'BadRequest'],
      [nodePath(id, 'ask', 'approve'), { decision: 'maybe' }, 400, 'BadRequest'],
      [nodePath(id, 'ask', 'approve'), { ...approve, actor: 'desk_lead' }, 400, 'BadRequest'],
      [nodePath(id, 'ask', 'approve'), { ...approve, roles: ['admin'] }, 400, 'BadRequest'],
      [nodePath(id, 'bad', 'retry'), { why: 1 }, 400, 'BadRequest'],
      [nodePath(id, 'x'.repeat(1_001), 'retry'), {}, 400, 'BadRequest'],
      [nodePath(id, 'x'.repeat(4_000), 'retry'), {}, 414, 'BadRequest'],
      [`/api/executions/${id}/nodes/%zz/retry`, {}, 400, 'BadRequest'],
      [`/api/executions/${id}/messages`, {}, 400, 'BadRequest'],
      [`/api/executions/${id}/messages`, { name: 'news', payload: 'x'.repeat(70_000) }, 400, 'BadRequest'],
      [`/api/executions/${id}/rerun`, {}, 409, 'ExecutionOpen'],
      [`/api/executions/${id}/rerun`, { form: 'ask' }, 400, 'BadRequest'],
    ];
    for (const [path, body, status, code] of refusals) {
      const answer = await post(path, body);
      expect([path.slice(-60), answer.status, answer.body['code']]).toEqual([path.slice(-60), status, code]);
      expect(answer.type).toMatch(/^application\/problem\+json/);
    }
  });

  it('begins a failed node anew, and passes it over in the name of the token', async () => {
    expect(await post(nodePath(id, 'bad', 'retry'), { reason: 'try' })).toMatchObject({
      status: 200,
      body: { status: { generation: 1 } },
    });
    await reaches(id, ({ nodes }) => nodes['bad']?.state === 'failed' && nodes['bad'].generation === 1);
    expect(await post(nodePath(id, 'bad', 'skip'), { reason: 'enough' })).toMatchObject({
      status: 200,
      body: { status: { state: 'skipped', reason: 'skipped by ada: enough' } },
    });
  });

  it('refuses everything once the execution has ended', async () => {
    expect(await post(`/api/executions/${id}/messages`, { name: 'news', payload: { up: true } })).toMatchObject({
      status: 202,
      body: { accepted: true },
    });
    await post(nodePath(id, 'each[0]/sure', 'approve'), approve);
    await ended(id);
    expect((await statusOf(id)).nodes['news']).toMatchObject({
      branch: 'received',
      outputs: { payload: { up: true } },
    });
    for (const path of [nodePath(id, 'ask', 'approve'), `/api/executions/${id}/messages`]) {
      const body = path.endsWith('messages') ? { name: 'news' } : approve;
      expect(await post(path, body)).toMatchObject({ status: 409, body: { code: 'ExecutionClosed' } });
    }
  });

  it('keeps a message that comes before a node waits for it', async () => {
    const early = await startedWaiting('early', {
      ask: { type: 'approval' },
      news: { type: 'wait_for_signal', params: { name: 'news' }, after: ['ask'] },
    });
    expect((await post(`/api/executions/${early}/messages`, { name: 'news', payload: [1] })).status).toBe(202);
    await post(nodePath(early, 'ask', 'approve'), approve);
    await ended(early);
    expect((await statusOf(early)).nodes['news']).toMatchObject({ outputs: { payload: [1] } });
  });
});

describe('a decision over a socket', () => {
  it('is the token’s, and is refused to viewers', async () => {
    const id = await startedWaiting('by_socket', { ask: { type: 'approval', params: { approvers: ['ada'] } } });
    const message = { execution_id: id, node: 'ask', decision: 'approve' } as const;
    const viewer = await listen(gateway.url, { role: 'viewer', subject: 'ada' });
    const operator = await listen(gateway.url, { role: 'operator', subject: 'ada' });
    const forbidden = { ok: false, error: { code: 'Forbidden' } };
    expect(await askOf(viewer, 'approve', message)).toMatchObject(forbidden);
    expect(await askOf(operator, 'approve', message)).toMatchObject({
      ...{ ok: true, execution_id: id, node: 'ask' },
      status: { branch: 'approved', outputs: { actor: 'ada' } },
    });
    viewer.socket.close();
    operator.socket.close();
    await ended(id);
  });
});

describe('a rerun over REST', () => {
  it('says what would run, starts once under its id, and refuses another under it', async () => {
    const id = await startedWaiting('again', {
      price: constant('101'),
      ask: { type: 'approval', after: ['price'] },
      trade: { type: 'notify', after: ['ask.approved'], params: { message: 'bought' } },
    });
    await post(nodePath(id, 'ask', 'approve'), { decision: 'reject' });
    await ended(id);
    const path = `/api/executions/${id}/rerun`;
    const plan = { adopted: ['price'], again: ['ask', 'trade'], dropped: [] };
    expect(await post(path, { from: 'ask', dry_run: true })).toMatchObject({ status: 200, body: plan });
    const rerun = { from: 'ask', execution_id: `${id}_again` };
    expect(await post(path, rerun)).toMatchObject({ status: 201, body: { ...plan, execution_id: `${id}_again` } });
    expect(await post(path, rerun)).toMatchObject({ status: 200, body: { already_started: true } });
    for (const other of [
      { ...rerun, from: 'trade' },
      { ...rerun, execution_id: id },
    ]) {
      expect(await post(path, other)).toMatchObject({
        status: 409,
        body: { code: 'ExecutionExists', differs: ['rerun'] },
      });
    }
    expect(await post(path, { from: 'nobody' })).toMatchObject({ status: 404, body: { code: 'NodeNotFound' } });
    await reaches(`${id}_again`, ({ state }) => state === 'waiting');
    await post(nodePath(`${id}_again`, 'ask', 'approve'), approve);
    expect((await ended(`${id}_again`)).status).toBe('completed');
    expect((await statusOf(`${id}_again`)).nodes['trade']).toMatchObject({ state: 'completed' });
  });
});
