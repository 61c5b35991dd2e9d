import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventPublisher } from '../../src/event-log';
import type { EventEnvelope } from '../../src/events/envelope';
import { createGateway, type Gateway } from '../../src/gateway/create-gateway';
import { createLogger } from '../../src/logging';
import { holdfast } from '../support/command-line';
import { SECRET } from '../support/gateway-under-test';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';

let own: OwnNamespace;
let redis: OwnRedis;
let publisher: EventPublisher;
let folder: string;
let file: string;

const constant = { type: 'constant', params: { value: 1 } };
const nodes = {
  first: constant,
  pause: { type: 'wait', params: { for: '1s' }, after: ['first'] },
  last: { ...constant, after: ['pause'] },
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-cli-'));
  file = join(folder, 'followed.json');
  writeFileSync(file, JSON.stringify({ holdfast: 1, id: 'followed', nodes }));
  redis = await startOwnRedis();
  publisher = new EventPublisher(redis.url);
  own = await ownNamespace('cli-follow', (publication) => {
    publisher.publish(publication);
  });
});
afterAll(async () => {
  await own.dispose();
  await publisher.close();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function startGateway(): Promise<{ gateway: Gateway; port: string }> {
  const gateway = await createGateway({
    config: { host: '127.0.0.1', port: 0, jwt_secret: SECRET, allowed_origins: [] },
    redis: { url: redis.url },
    client: own.client,
    log: createLogger('gateway-test', { level: 'silent', pretty: false }),
    page: folder,
  });
  return { gateway, port: new URL(await gateway.listen()).port };
}

function cli(args: readonly string[], port: string, onOut?: (soFar: string) => void) {
  const home = { HOLDFAST_HOME: join(folder, 'home'), HOLDFAST_JWT_SECRET: SECRET, HOLDFAST_GATEWAY_PORT: port };
  return holdfast(args, { environment: { ...own.environment, ...home }, ...(onOut ? { onOut } : {}) });
}

describe('holdfast run --follow beside a gateway', () => {
  it('prints every event once, also those before it subscribed, then the result', async () => {
    const { gateway, port } = await startGateway();
    const { code, out, err } = await cli(['run', file, '--follow', '--json'], port);
    await gateway.close();
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const [head, ...lines] = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as EventEnvelope);
    const result = lines.pop();
    expect(head).toMatchObject({ workflow_id: 'followed', mode: 'paper' });
    expect(lines.map(({ type, node_id }) => [type, node_id].filter(Boolean).join(' '))).toEqual([
      'execution_started',
      'node_started first',
      'node_completed first',
      'node_started pause',
      'node_waiting pause',
      'node_completed pause',
      'node_started last',
      'node_completed last',
      'execution_completed',
    ]);
    expect(new Set(lines.map((event) => event.event_id)).size).toBe(lines.length);
    expect(result).toMatchObject({ type: 'result', execution_id: head?.execution_id, status: 'completed' });
  });

  it('goes on from Temporal’s own states when the gateway goes away in the middle', async () => {
    const { gateway, port } = await startGateway();
    let closing: Promise<void> | undefined;
    const { code, out } = await cli(['run', file, '--follow'], port, (soFar) => {
      if (soFar.includes('node_completed')) closing ??= gateway.close();
    });
    await closing;
    expect(closing).toBeDefined();
    expect(code).toBe(0);
    expect(out.match(/node_completed +\w+/g)?.map((text) => text.split(/ +/)[1])).toEqual(['first', 'pause', 'last']);
    expect(out).toMatch(/completed in \d+ ms\n$/);
  });
});
