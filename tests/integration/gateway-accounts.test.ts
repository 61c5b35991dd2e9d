/** The state of executions the log holds nothing of: told by a worker, and where none answers by the history. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { EventReader, type Snapshot } from '../../src/event-log';
import { Accounts } from '../../src/gateway/accounts';
import type { StateAnswer } from '../../src/gateway/protocol';
import { Session } from '../../src/gateway/session';
import { requestState } from '../../src/gateway/subscriptions';
import type { Identity } from '../../src/gateway/tokens';
import type { RunGraphInput } from '../../src/workflows/messages';
import { constant, constantGraph as graph } from '../support/constant-graph';
import { askOf, listen, startGateway, token, type GatewayUnderTest } from '../support/gateway-under-test';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { prepare } from '../support/prepared';
import { until } from '../support/until';

const VIEWER: Identity = { subject: 'ada', role: 'viewer', expires_at: Number.MAX_SAFE_INTEGER };
const typesOf = ({ nodes }: Snapshot) =>
  Object.fromEntries(Object.entries(nodes).map(([key, { type }]) => [key, type]));

let own: OwnNamespace;
let redis: OwnRedis;
/** Of a log nobody writes; those of gateways are in other databases of the server. */
let reader: EventReader;
const gateways: GatewayUnderTest[] = [];

beforeAll(async () => {
  redis = await startOwnRedis();
  reader = new EventReader(redis.url);
  await reader.ready(60_000);
  own = await ownNamespace('accounts');
});

afterAll(async () => {
  for (const gateway of gateways) await gateway.close();
  reader.close();
  await redis.stop();
  await own.dispose();
});

async function gatewayOn(redisUrl: string): Promise<GatewayUnderTest> {
  const gateway = await startGateway({ redisUrl, client: own.client });
  gateways.push(gateway);
  return gateway;
}

async function start(id: string, document: object, settings?: RunGraphInput['settings']): Promise<string> {
  const input = { ...prepare(document), ...(settings === undefined ? {} : { settings }) };
  return (await own.client.startExecution(input, { execution_id: id })).execution_id;
}

async function ended(id: string, document: object, settings?: RunGraphInput['settings']): Promise<string> {
  await start(id, document, settings);
  await until(`${id} ended`, async () => (await own.client.describeExecution(id)).closing, 60_000);
  return id;
}

async function stateOf(accounts: Accounts, execution_id: string, identity = VIEWER): Promise<StateAnswer> {
  const told: StateAnswer[] = [];
  const ignore = (): void => undefined;
  await requestState(
    { reader, account: (id) => accounts.of(id) },
    {
      session: new Session(identity, { event: ignore, snapshot: ignore, gap: ignore }),
      execution_id,
      tell: (answer) => told.push(answer),
    },
  );
  expect(told).toHaveLength(1);
  return told[0]!;
}

/** How often a worker was asked about it. */
function countQuestions(id: string): () => number {
  const asking = jest.spyOn(own.client, 'executionStatus');
  return () => asking.mock.calls.filter(([asked]) => asked === id).length;
}

describe('of an execution the log holds nothing of', () => {
  it('a worker tells the state, asked once by however many clients at once', async () => {
    const id = await ended('exec_asked', graph('asked', { one: constant, two: { ...constant, after: ['one'] } }));
    const questions = countQuestions(id);
    const accounts = new Accounts(own.client);
    const answers = await Promise.all(Array.from({ length: 50 }, () => stateOf(accounts, id)));
    expect(questions()).toBe(1);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    const { snapshot, source } = answers[0]!;
    expect({ source, started: snapshot.started, ended: snapshot.ended, node_count: snapshot.node_count }).toEqual({
      ...{ source: 'worker', started: true, ended: true, node_count: 2 },
    });
    expect(snapshot.latest).toMatchObject({ type: 'execution_completed', status: 'completed', workflow_id: 'asked' });
    expect(snapshot.nodes).toMatchObject({
      one: { type: 'node_completed', outputs: { value: '1' }, seq: 0 },
      two: { type: 'node_completed' },
    });
  });

  it('nothing is said when Temporal does not know it either', async () => {
    const { snapshot, source } = await stateOf(new Accounts(own.client), 'exec_never');
    expect({ source, snapshot }).toMatchObject({
      source: 'log',
      snapshot: { started: false, ended: false, nodes: {} },
    });
  });

  it('nothing is said to a token that may not see it', async () => {
    const id = await ended('exec_theirs', graph('theirs', { one: constant }, { bot_id: 'bot_a' }));
    const accounts = new Accounts(own.client);
    const asked = stateOf(accounts, id, { ...VIEWER, bots: ['bot_b'] });
    await expect(asked).rejects.toMatchObject({ code: 'Forbidden' });
    expect(await stateOf(accounts, id, { ...VIEWER, bots: ['bot_a'] })).toMatchObject({ source: 'worker' });
  });
});

describe('over REST', () => {
  it('executions are asked once for all who ask meanwhile, and again for who asks after an answer', async () => {
    const id = await start('exec_read', graph('read', { ask: { type: 'approval' } }));
    await until('it waits', async () => (await own.client.executionStatus(id)).state === 'waiting');
    const accounts = new Accounts(own.client);
    const questions = countQuestions(id);
    const before = questions();
    const states = await Promise.all(Array.from({ length: 50 }, async () => (await accounts.status(id))?.state));
    expect(new Set(states)).toEqual(new Set(['waiting']));
    // Those who came while the first question was under way share the next.
    expect(questions() - before).toBe(2);
    await own.client.haltExecution(id, 'look');
    await until('the halt is seen', async () => (await accounts.status(id))?.state === 'halted');

    const { url } = await gatewayOn(`${redis.url}/1`);
    const headers = { authorization: `Bearer ${await token()}` };
    const bodies = await Promise.all(
      Array.from({ length: 20 }, async () => (await fetch(`${url}/api/executions/${id}`, { headers })).json()),
    );
    for (const body of bodies) expect(body).toMatchObject({ status: { state: 'halted', nodes: { ask: {} } } });
  });
});

/** The last: from here on there is no worker. */
describe('without a worker', () => {
  const chain = Array.from({ length: 30 }, (_, at): [string, object] => [
    `n${at}`,
    { type: 'notify', params: { message: 'on' }, after: at === 0 ? [] : [`n${at - 1}`] },
  ]);

  it('the history tells what ran, over all its runs, and that it is halted', async () => {
    const long = await ended('exec_long', graph('long', Object.fromEntries(chain)), { events_per_run: 60 });
    const ask = { ask: { type: 'approval', after: ['one'] } };
    const halted = await start('exec_halted', graph('halted', { one: constant, ...ask }, { bot_id: 'bot_a' }));
    await until('it waits', async () => (await own.client.executionStatus(halted)).state === 'waiting');
    await own.client.haltExecution(halted, 'look');
    await until('it is listed as halted', async () => (await own.client.describeExecution(halted)).state === 'halted');
    await own.stopWorker();

    const { url } = await gatewayOn(`${redis.url}/2`);
    const viewer = await listen(url);
    const state = async (execution_id: string) => {
      const answer = await askOf(viewer, 'request_state', { execution_id });
      expect(answer).toMatchObject({ ok: true, source: 'history' });
      return (answer as unknown as StateAnswer).snapshot;
    };
    const ofLong = await state(long);
    expect(ofLong).toMatchObject({ ended: true, node_count: 30, latest: { type: 'execution_completed' } });
    expect(typesOf(ofLong)).toEqual(Object.fromEntries(chain.map(([key]) => [key, 'node_completed'])));
    const ofHalted = await state(halted);
    const latest = { type: 'execution_halted', reason: 'look', scope: 'execution', bot_id: 'bot_a' };
    expect(ofHalted).toMatchObject({ started: true, ended: false, node_count: 2, latest });
    expect(typesOf(ofHalted)).toEqual({ one: 'node_completed' });
    expect(ofHalted.nodes['one']).toMatchObject({ outputs: {}, truncated: true });
    viewer.socket.disconnect();
  });
});
