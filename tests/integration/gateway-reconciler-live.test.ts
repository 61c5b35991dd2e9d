/** What happens to executions behind their own back, with a worker that answers for them. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { Redis } from 'ioredis';
import { loadConfig } from '../../src/config/config';
import { EventPublisher, EventReader } from '../../src/event-log';
import { fromSnapshot } from '../../src/feed-client/execution-view';
import { BehindBack } from '../support/behind-back';
import { startGateway, type GatewayUnderTest } from '../support/gateway-under-test';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { until } from '../support/until';

let redis: OwnRedis;
let publisher: EventPublisher;
let reader: EventReader;
let namespace: OwnNamespace;
let gateways: GatewayUnderTest[];
let temporal: Client;
let behind: BehindBack;

beforeAll(async () => {
  redis = await startOwnRedis();
  publisher = new EventPublisher(redis.url);
  reader = new EventReader(redis.url);
  await reader.ready(60_000);
  namespace = await ownNamespace('behind', (publication) => {
    publisher.publish(publication);
  });
  const { client } = namespace;
  const { address, namespace: name, task_queue } = loadConfig({ ...process.env, ...namespace.environment }).temporal;
  temporal = new Client({ connection: await Connection.connect({ address }), namespace: name });
  const gateway = () => startGateway({ redisUrl: redis.url, client });
  gateways = await Promise.all([gateway(), gateway()]);
  behind = new BehindBack({ client, temporal, reader, task_queue });
});

afterAll(async () => {
  await Promise.all(gateways.map((each) => each.close()));
  await temporal.connection.close();
  await publisher.close();
  reader.close();
  await namespace.dispose();
  await redis.stop();
});

const changesOf = async (id: string) =>
  (await reader.replay(id)).events.map(({ type }) => type).filter((type) => type.startsWith('execution_'));

describe('an execution', () => {
  it('that was terminated shows as that, with its nodes as they were', async () => {
    const { snapshot } = await behind.terminated();
    expect(snapshot.latest).toMatchObject({ type: 'execution_failed', status: 'terminated' });
    expect(fromSnapshot(snapshot)).toMatchObject({
      ...{ state: 'terminated', has_ended: true },
      nodes: { first: { state: 'completed' }, go: { state: 'waiting' } },
    });
  });

  it('that timed out shows as that', async () => {
    const { snapshot } = await behind.timedOut();
    expect(snapshot.latest).toMatchObject({ type: 'execution_failed', status: 'timed_out' });
  });

  it('that was reset shows as it is again, and how it ends then, once with two gateways', async () => {
    const { id } = await behind.reset();
    await behind.goOn(id);
    expect((await behind.end(id)).latest).toMatchObject({ type: 'execution_completed' });
    expect(await changesOf(id)).toEqual(['execution_started', 'execution_completed']);
  });

  it('that was reset after its end runs again for who looks at it, and ends again', async () => {
    const { id, snapshot } = await behind.resetAfterItsEnd();
    expect(fromSnapshot(snapshot)).toMatchObject({ state: 'running', has_ended: false });
    await namespace.client.cancelExecution(id);
    const cancelled = async () => (await reader.snapshot(id)).latest?.type === 'execution_cancelled';
    await until('its second end', cancelled);
    expect(await changesOf(id)).toEqual(['execution_started', 'execution_cancelled']);
  });

  it('that is halted shows as halted again after the log was emptied', async () => {
    const id = await behind.begun();
    await namespace.client.haltExecution(id, 'look at it');
    const isHalted = async () => {
      const snapshot = await reader.snapshot(id);
      return snapshot.started && snapshot.latest?.type === 'execution_halted' && snapshot;
    };
    await until('the halt is shown', isHalted);
    const raw = new Redis(redis.url);
    await raw.flushall();
    raw.disconnect();
    const again = await until('the halt is shown again', isHalted);
    const isWhole = async () => fromSnapshot(await reader.snapshot(id))?.nodes['go']?.state === 'waiting';
    await until('its nodes are shown again', isWhole);
    expect(again.latest).toMatchObject({ reason: 'look at it', scope: 'execution' });
    await namespace.client.cancelExecution(id);
  });
});
