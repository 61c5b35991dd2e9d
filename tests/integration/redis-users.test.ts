/** The users of docker-compose.yml's Redis, on a real server that is started with the very command of the file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { parse } from 'yaml';
import { ClosingPublisher, ClosingSubscriber, EventPublisher, EventReader, EventSubscriber } from '../../src/event-log';
import { emergencyEvent } from '../../src/events/build';
import type { EventEnvelope } from '../../src/events/envelope';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { AT, context, node, nodeCompleted, started } from '../support/sample-events';
import { until } from '../support/until';

const KEY = 'a closing key of at least thirty-two characters';
const run = context('exec_users');
let redis: OwnRedis;

const { services } = parse(readFileSync(join(__dirname, '../../docker-compose.yml'), 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, { readonly command: string }>>;
};
/** As Compose reads it: variables first, then words as a shell takes them. */
const words = services['redis']!.command.replace(
  /\$\{REDIS_([A-Z]+)_PASSWORD:\?[^}]*\}/g,
  (_, name: string) => `secret-of-${name.toLowerCase()}`,
)
  .match(/'[^']*'|\S+/g)!
  .map((word) => word.replace(/^'(.*)'$/, '$1'));

const urlOf = (user: string, password = `secret-of-${user}`) =>
  redis.url.replace('redis://', `redis://${user}:${password}@`);

beforeAll(async () => {
  expect(words[0]).toBe('redis-server');
  redis = await startOwnRedis(words.slice(1));
});

afterAll(async () => {
  await redis.stop();
});

async function refusal(url: string, ...[name, ...rest]: [string, ...string[]]): Promise<string> {
  const raw = new Redis(url, { retryStrategy: () => null, enableReadyCheck: false, maxRetriesPerRequest: 0 });
  raw.on('error', () => undefined);
  try {
    return String(await raw.call(name, ...rest));
  } catch (error) {
    return (error as Error).message.split(' ')[0]!;
  } finally {
    raw.disconnect();
  }
}

describe('the users of Redis', () => {
  it('let a publisher publish and a reader read and listen, with all that Holdfast sends', async () => {
    const publisher = new EventPublisher(urlOf('publisher'));
    const reader = new EventReader(urlOf('reader'));
    const heard: EventEnvelope[] = [];
    const errors: Error[] = [];
    const subscriber = new EventSubscriber(urlOf('reader'), {
      onEvent: (event) => heard.push(event),
      onError: (error) => errors.push(error),
    });
    await until('it listens', () => subscriber.listening && publisher.stats().connected);
    await reader.ready(60_000);
    const halted = { type: 'emergency_state_changed', scope: 'global', desk_epoch: 7 } as never;
    const publications = [started(run), node(run, 'a', nodeCompleted), emergencyEvent('default', 'paper', halted, AT)];
    await publisher.deliver(publications, 5_000);
    await until('all are heard', () => heard.length === 3);
    expect((await reader.replay(run.execution_id)).events).toEqual(heard.slice(0, 2));
    expect((await reader.snapshot(run.execution_id)).nodes['a']).toEqual(heard[1]);
    expect(await reader.recent({ all: true })).toEqual([run.execution_id]);
    expect([...(await reader.amongRecent({ all: true }, [run.execution_id]))]).toEqual([run.execution_id]);
    expect((await reader.openExecutions()).map(({ execution_id }) => execution_id)).toEqual([run.execution_id]);
    const { position } = await reader.snapshot(run.execution_id);
    expect((await reader.progressOf([run.execution_id])).get(run.execution_id)).toEqual({
      ...{ started: true, ended: false, position },
    });
    expect((await reader.movedWithin(600_000)).found.toSorted()).toEqual(['desk/default', run.execution_id]);
    expect(await reader.movedAt(run.execution_id)).toBeGreaterThan(AT);
    expect(await reader.movedAt('exec_unknown')).toBeUndefined();
    expect(await reader.gapsWithin(600_000)).toEqual({ found: [], complete: true });
    expect(await reader.logId()).toMatch(/^\w+ \w+ \d+$/);
    expect(await publisher.renew('exec_other', 'run')).toBe(true);
    expect(await publisher.claim('exec_other', 'gateway')).toBe(true);
    await reader.ping();
    expect([errors, publisher.stats().refused]).toEqual([[], 0]);
    subscriber.close();
    reader.close();
    await publisher.close();
  });

  it('let closings pass between publishers', async () => {
    const heard: unknown[] = [];
    let isLive = false;
    const subscriber = new ClosingSubscriber({
      ...{ url: urlOf('publisher'), desk: 'default', key: KEY },
      onClosing: (closing) => heard.push(closing),
      onLive: () => (isLive = true),
      onGap: () => undefined,
    });
    await until('it listens', () => isLive);
    const closings = new ClosingPublisher(urlOf('publisher'), KEY);
    const closing = { v: 1, desk: 'default', scope: 'global', state: 'halt', command_id: 'c-1', actor: 'ann' };
    expect(await closings.publish({ ...closing, reason: 'odd', issued_at: Date.now() } as never)).toBe(1);
    await until('it is heard', () => heard.length === 1);
    closings.close();
    subscriber.close();
  });

  it.each([
    ['publish', 'workflow_events', '{}'],
    ['publish', 'holdfast:closings:default', '{}'],
    ['xadd', 'holdfast:stream:exec_users', '*', 'e', '{}'],
    ['hset', 'holdfast:snapshot:exec_users', 'a', '{}'],
    ['del', 'holdfast:stream:exec_users'],
    ['eval', "return redis.call('publish', 'workflow_events', '{}')", '0'],
    ['eval', "return redis.call('del', KEYS[1])", '1', 'holdfast:stream:exec_users'],
    ['flushall'],
    ['config', 'get', '*'],
    ['acl', 'list'],
  ])('refuse a reader %s %s', async (...command) => {
    expect(await refusal(urlOf('reader'), ...(command as [string, ...string[]]))).toMatch(/^(NOPERM|ERR)$/);
  });

  it('cover every name of a log of several partitions', async () => {
    const channel = 'workflow_events:{p3}';
    expect(await refusal(urlOf('reader'), 'subscribe', channel)).toBe('1');
    expect(await refusal(urlOf('reader'), 'publish', channel, '{}')).toBe('NOPERM');
    expect(await refusal(urlOf('publisher'), 'publish', channel, '{}')).toBe('0');
    expect(await refusal(urlOf('reader'), 'hget', 'holdfast:{p3}:meta:exec_users', 'seq')).toBe('null');
    expect(await refusal(urlOf('reader'), 'hget', 'workflow:{p3}:arb:status', 'state')).toBe('null');
  });

  it('refuse a publisher what no part of Holdfast does', async () => {
    for (const command of [['get', 'other'], ['flushall'], ['config', 'get', '*'], ['publish', 'other', '{}']]) {
      expect(await refusal(urlOf('publisher'), ...(command as [string, ...string[]]))).toBe('NOPERM');
    }
  });

  it('refuse everything but PING without a name, and a wrong password', async () => {
    expect(await refusal(redis.url, 'ping')).toBe('PONG');
    expect(await refusal(redis.url, 'publish', 'workflow_events', '{}')).toBe('NOPERM');
    expect(await refusal(urlOf('reader', 'guessed'), 'ping')).not.toBe('PONG');
  });
});
