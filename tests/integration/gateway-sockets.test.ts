import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { EventPublisher, EventReader } from '../../src/event-log';
import { HoldfastError } from '../../src/errors';
import { emergencyEvent } from '../../src/events/build';
import { Budgets } from '../../src/gateway/budgets';
import { Counters } from '../../src/gateway/counters';
import { DEFAULT_LIMITS } from '../../src/gateway/limits';
import { Sockets, type SocketOptions } from '../../src/gateway/sockets';
import { SECRET, askOf, listen } from '../support/gateway-under-test';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { AT } from '../support/sample-events';
import { until } from '../support/until';

const lines: Record<string, unknown>[] = [];
const asked: unknown[] = [];
const http = createServer();
let redis: OwnRedis;
let reader: EventReader;
let sockets: Sockets;
let url: string;

beforeAll(async () => {
  redis = await startOwnRedis();
  reader = new EventReader(redis.url);
  await reader.ready(60_000);
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line) as never) });
  const rules = { host: '127.0.0.1', allowed_origins: [] };
  const approve: SocketOptions['approve'] = (identity, message) => {
    asked.push({ by: identity.subject, ...message });
    return Promise.reject(new HoldfastError('NodeNotWaiting', `${message.node} waits for no approval`));
  };
  const start: SocketOptions['start'] = () => Promise.resolve({ execution_id: 'exec_started' });
  const command: SocketOptions['command'] = (_, { command_id = 'none', action, scope }) =>
    Promise.resolve({ command_id, action, scope, state: 'halt', epoch: 7 });
  sockets = new Sockets({
    ...{ http, rules, secret: SECRET, reader, log, start, approve, command, limits: DEFAULT_LIMITS },
    counters: new Counters(),
    budgets: new Budgets(DEFAULT_LIMITS.messages, DEFAULT_LIMITS.raises),
    hears: () => Promise.resolve(),
    account: () => Promise.resolve(undefined),
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await redis.stop();
  await sockets.drain(0);
  reader.close();
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
});

describe('the sockets', () => {
  it('cut what a client wrote in logs and answers, and log nothing of what is over the limit', async () => {
    const to = await listen(url);
    const long = 'x'.repeat(10_000);
    const answers = [await askOf(to, long, {}), await askOf(to, 'subscribe_all', { [long]: 1 })];
    expect(answers.every((answer) => JSON.stringify(answer).length < 500)).toBe(true);
    const refused = () => lines.filter(({ msg }) => msg === 'client_refused');
    expect(refused()[0]?.['message']).toBe('x'.repeat(60));
    expect(refused().every((line) => JSON.stringify(line).length < 1_000)).toBe(true);
    const flood = await Promise.all(Array.from({ length: 150 }, () => askOf(to, 'unsubscribe', {})));
    expect(flood.at(-1)).toMatchObject({ ok: false, error: { code: 'RateLimited' } });
    expect(refused()).toHaveLength(2);
    to.socket.close();
  });

  it('tell a gap without ids to a restricted token', async () => {
    const [free, restricted] = [await listen(url), await listen(url, { bots: ['mine'] })];
    sockets.tellGap({ reason: 'dropped', dropped: 2, streams: ['exec_1'], complete: true });
    await until('both are told', () => free.gaps.length === 1 && restricted.gaps.length === 1);
    expect(free.gaps[0]).toMatchObject({ streams: ['exec_1'], complete: true });
    expect(restricted.gaps[0]).toEqual({ reason: 'dropped', dropped: 2, streams: [], complete: false });
    free.socket.close();
    restricted.socket.close();
  });

  it('resume the desk by its cursor for a client of everything', async () => {
    const publisher = new EventPublisher(redis.url);
    for (const desk_epoch of [1, 2]) {
      const fact = { type: 'emergency_state_changed', desk_epoch } as never;
      publisher.publish(emergencyEvent('default', 'paper', fact, AT));
    }
    await until('all is published', () => publisher.stats().connected && publisher.stats().queued === 0);
    const { log_epoch } = (await reader.snapshot('desk/default')).position;
    const to = await listen(url);
    const answer = await askOf(to, 'subscribe_all', { cursors: { 'desk/default': { log_epoch, seq: 1 } } });
    expect(answer).toMatchObject({
      ok: true,
      recovered: true,
      mode: 'replay',
      cursors: { 'desk/default': { seq: 2 } },
    });
    expect(to.events.map(({ stream, seq }) => [stream, seq])).toEqual([['desk/default', 2]]);
    to.socket.close();
    await publisher.close();
  });

  it('hand on a decision in the name of the token alone, and answer with the refusal there is', async () => {
    const client = await listen(url, { role: 'operator', subject: 'ada' });
    const decision = { execution_id: 'exec_1', node: 'each[3]/go_on', decision: 'approve', comment: 'fine' };
    expect(await askOf(client, 'approve', decision)).toEqual({
      ok: false,
      error: { code: 'NodeNotWaiting', message: 'each[3]/go_on waits for no approval' },
    });
    expect(asked).toEqual([{ by: 'ada', ...decision }]);
    for (const wrong of [
      { ...decision, decision: 'perhaps' },
      { ...decision, actor: 'eve' },
      { ...decision, decision: undefined },
      { ...decision, node: '' },
    ]) {
      expect(await askOf(client, 'approve', wrong)).toMatchObject({ ok: false, error: { code: 'BadRequest' } });
    }
    expect(asked).toHaveLength(1);
    client.socket.close();
  });

  it('take a command to the desk only in its shape', async () => {
    const client = await listen(url, { role: 'operator' });
    const command = { command_id: 'c-1', scope: 'symbol:BTC/USDT', action: 'halt', reason: 'odd prices' };
    expect(await askOf(client, 'emergency_command', command)).toEqual({
      ...{ ok: true, command_id: 'c-1', action: 'halt', scope: 'symbol:BTC/USDT', state: 'halt', epoch: 7 },
    });
    for (const wrong of [
      { ...command, action: 'pause' },
      { ...command, actor: 'eve' },
      { ...command, reason: 'x'.repeat(501) },
      { ...command, scope: undefined },
      { ...command, cancel_open: 'yes' },
      { ...command, expected_epoch: '7' },
    ]) {
      expect(await askOf(client, 'emergency_command', wrong)).toMatchObject({
        ok: false,
        error: { code: 'BadRequest' },
      });
    }
    client.socket.close();
  });
});
