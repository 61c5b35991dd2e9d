import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/config';
import { EventPublisher, EventReader } from '../../src/event-log';
import { executionEvent } from '../../src/events/build';
import { Reconciler } from '../../src/gateway/reconciler';
import { createLogger } from '../../src/logging';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { bareNamespace, temporalOf } from '../support/bare-namespace';
import { askOf, listen, startGateway, type GatewayUnderTest } from '../support/gateway-under-test';
import { emptied, startOwnRedis, type OwnRedis } from '../support/own-redis';
import { complete, startUnworked, taskOf } from '../support/raw-execution';
import { context, node, nodeCompleted, nodeStarted, started } from '../support/sample-events';
import { until } from '../support/until';

const graph = {
  holdfast: 1,
  id: 'reconciled',
  bot_id: 'bot_rec',
  nodes: { a: { type: 'constant', params: { value: 1 } } },
};
let redis: OwnRedis;
let gateways: GatewayUnderTest[];
let publisher: EventPublisher;
let reader: EventReader;
let runs = 0;

beforeAll(async () => {
  redis = await startOwnRedis();
  gateways = await Promise.all([startGateway({ redisUrl: redis.url }), startGateway({ redisUrl: redis.url })]);
  publisher = new EventPublisher(redis.url);
  reader = new EventReader(redis.url);
  await reader.ready(60_000);
  await until('connected', () => publisher.stats().connected);
});

afterAll(async () => {
  // First, because it is there even when something else did not come up.
  await redis.stop();
  await Promise.all(gateways.map((each) => each.close()));
  await publisher.close();
  reader.close();
});

const freshId = () => `exec_rec_${process.pid}_${Date.now()}_${++runs}`;
async function feedMetrics(url: string): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const found = text.matchAll(/^holdfast_gateway_(?:feed_|events_|event_)?(\w+?)(?:_total)? (\d+)$/gm);
  return Object.fromEntries([...found].map(([, name, value]) => [name!.replace('_seconds', ''), Number(value)]));
}
const typesOf = async (id: string) => (await reader.replay(id)).events.map(({ type }) => type);

describe('the reconciler', () => {
  it('tells the start and the end of an execution that was terminated before it said a word, once with two gateways', async () => {
    const id = freshId();
    const execution = await startUnworked(id, graph);
    await until('its start', async () => (await typesOf(id)).length === 1);
    await execution.terminate('for the test');
    await until('its end', async () => (await typesOf(id)).length === 2);
    const { events } = await reader.replay(id);
    expect(events).toMatchObject([
      { type: 'execution_started', node_count: 1, bot_id: 'bot_rec', workflow_id: 'reconciled', mode: 'paper' },
      { type: 'execution_failed', status: 'terminated', bot_id: 'bot_rec', duration_ms: expect.any(Number) },
    ]);
    expect((await reader.openExecutions()).map(({ execution_id }) => execution_id)).not.toContain(id);
    await execution.close();
  });

  it('does not give up what Temporal does not know while its log moves, however old its facts are', async () => {
    const [unknown, other] = [freshId(), freshId()];
    publisher.publish(started(context(unknown)));
    await until('the log has it', async () => (await typesOf(unknown)).length === 1);
    const sentinel = await startUnworked(other, graph);
    await until('a sweep has passed', async () => (await typesOf(other)).length > 0);
    expect(await typesOf(unknown)).toEqual(['execution_started']);
    await sentinel.terminate();
    await sentinel.close();
  });

  it('does not believe a hint while Temporal says the execution runs', async () => {
    const id = freshId();
    const execution = await startUnworked(id, graph);
    const of = context(id, { workflow_id: 'reconciled' });
    publisher.publish(started(of));
    publisher.publish(executionEvent(of, 'ending', { type: 'execution_ending' }, Date.now()));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await typesOf(id)).toEqual(['execution_started']);
    publisher.publish(node(of, 'a', nodeStarted));
    publisher.publish(node(of, 'a', nodeCompleted));
    await execution.terminate();
    publisher.publish(executionEvent(of, 'ending', { type: 'execution_ending' }, Date.now()));
    await until('its end', async () => (await typesOf(id)).includes('execution_failed'));
    await execution.close();
  });
});

describe('a log that was emptied', () => {
  it('is told again at once, and not only with the next sweep', async () => {
    const own = await startOwnRedis();
    const { address, namespace } = temporalOf(await bareNamespace());
    const client = await HoldfastClient.connect({ ...loadConfig().temporal, address, namespace });
    const [publishes, reads] = [new EventPublisher(own.url), new EventReader(own.url)];
    const log = createLogger('test', { level: 'silent', pretty: false });
    const reconciler = new Reconciler({ client, reader: reads, publisher: publishes, log, sweep_ms: 3_600_000 });
    const id = freshId();
    const execution = await startUnworked(id, graph);
    const isTold = async () => (await reads.snapshot(id)).started;
    try {
      await reads.ready(60_000);
      reconciler.start();
      await until('its start', isTold);
      await emptied(own.url);
      await until('its start again', isTold);
    } finally {
      await execution.terminate();
      await reconciler.stop();
      await Promise.all([execution.close(), publishes.close(), client.close()]);
      reads.close();
      await own.stop();
    }
  });
});

describe('an execution whose last task a halt invalidates', () => {
  it('shows as completed once Temporal has taken that, and not when its workflow says so', async () => {
    const id = freshId();
    const execution = await startUnworked(id, graph);
    const of = context(id, { workflow_id: 'reconciled' });
    const says = () => {
      publisher.publish(executionEvent(of, 'ending', { type: 'execution_ending' }, Date.now()));
    };
    const first = await taskOf(execution);
    // It comes while the task is worked on, and makes what the task decides of no account.
    await execution.signal('halt', { reason: 'odd' });
    says();
    await expect(complete(execution, first)).rejects.toThrow(/UnhandledCommand/i);
    says();
    const other = freshId();
    const sentinel = await startUnworked(other, graph);
    await until('a sweep has passed', async () => (await typesOf(other)).length > 0);
    expect(await typesOf(id)).not.toContain('execution_completed');
    await complete(execution, await taskOf(execution));
    says();
    await until('its end', async () => (await typesOf(id)).includes('execution_completed'));
    await sentinel.terminate();
    await Promise.all([execution.close(), sentinel.close()]);
  });
});

describe('a gateway whose Redis was away', () => {
  it('brings its clients every event of the hole once, those of executions that began in it included', async () => {
    const to = await listen(gateways[0]!.url);
    expect(await askOf(to, 'subscribe_bot', { bot_id: 'bot_hole' })).toMatchObject({ ok: true });
    const [old, young] = [context(freshId(), { bot_id: 'bot_hole' }), context(freshId(), { bot_id: 'bot_hole' })];
    publisher.publish(started(old, Date.now()));
    await until('the first', () => to.events.length === 1);
    redis.freeze();
    for (const id of ['a', 'b', 'c']) publisher.publish(node(old, id, nodeCompleted));
    publisher.publish(started(young, Date.now()));
    await until('the publisher notices', () => !publisher.stats().connected);
    await until('the gateway notices', async () => (await fetch(`${gateways[0]!.url}/readyz`)).status === 503);
    redis.thaw();
    await until('all have come', () => to.events.length >= 5);
    publisher.publish(node(young, 'a', nodeStarted));
    await until('live again', () => to.events.length >= 6);
    expect(to.events.filter(({ stream }) => stream === old.execution_id).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    expect(to.events.filter(({ stream }) => stream === young.execution_id).map(({ seq }) => seq)).toEqual([1, 2]);
    to.socket.close();
    const { listening, backfills, age_count } = await feedMetrics(gateways[0]!.url);
    expect(listening).toBe(1);
    expect(backfills).toBeGreaterThanOrEqual(0);
    expect(age_count).toBeGreaterThanOrEqual(6);
  });

  it('tells how many events it has told itself', async () => {
    const id = freshId();
    const execution = await startUnworked(id, graph);
    await execution.terminate();
    await until('its end', async () => (await typesOf(id)).length === 2);
    const both = await Promise.all(gateways.map(({ url }) => feedMetrics(url)));
    expect(both[0]!.published! + both[1]!.published!).toBeGreaterThanOrEqual(2);
    expect(both).toMatchObject([
      { dropped: 0, refused: 0 },
      { dropped: 0, refused: 0 },
    ]);
    await execution.close();
  });
});
