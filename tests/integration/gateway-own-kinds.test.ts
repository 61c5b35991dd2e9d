import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defineNode, type NodeKind } from '../../src/activities/define-node';
import { kindCatalogue } from '../../src/activities/kinds';
import { addKinds } from '../../src/activities/load-kinds';
import { startGateway, token, type GatewayUnderTest } from '../support/gateway-under-test';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';

const own: NodeKind = defineNode({
  type: 'own_kind',
  family: 'own',
  effect: 'pure',
  description: 'Gives nothing.',
  fields: {},
  outputs: {},
  run: () => ({ outputs: {} }),
});

describe('a gateway with own node kinds', () => {
  let redis: OwnRedis;
  let gateway: GatewayUnderTest;
  beforeAll(async () => {
    redis = await startOwnRedis();
    gateway = await startGateway({ redisUrl: redis.url, kinds: addKinds(kindCatalogue, [own]) });
  });
  afterAll(async () => {
    await gateway.close();
    await redis.stop();
  });

  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${await token({ role: 'admin' })}`, 'content-type': 'application/json' };
    return fetch(gateway.url + path, { ...init, headers });
  }

  it('lists them and takes graphs made of them', async () => {
    const { kinds } = (await (await request('/api/node-kinds')).json()) as { kinds: { type: string }[] };
    expect(kinds.map(({ type }) => type)).toEqual([...kindCatalogue.keys(), 'own_kind']);
    const graph = { holdfast: 1, id: 'own', nodes: { a: { type: 'own_kind' } } };
    const deployed = await request('/api/workflows/own', { method: 'PUT', body: JSON.stringify(graph) });
    expect({ status: deployed.status, body: await deployed.json() }).toMatchObject({
      status: 200,
      body: { workflow_id: 'own' },
    });
  });
});
