/**
 * What is done to a gateway by whoever wants it to fail, row by row. In every row a second client goes on receiving its events in order,
 * one after the other while the attack runs, an operator's halt takes hold, and what was refused is in the metrics.
 */
import { createHmac } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { SignJWT, UnsecuredJWT, generateKeyPair } from 'jose';
import { io } from 'socket.io-client';
import { EventPublisher } from '../../src/event-log';
import type { ExecutionContext } from '../../src/events/build';
import type { RefusalReason } from '../../src/gateway/counters';
import {
  SECRET,
  askOf,
  listen,
  refusalsOf,
  startGateway,
  token,
  type GatewayUnderTest,
  type Listener,
} from '../support/gateway-under-test';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { context, node, nodeCompleted, started } from '../support/sample-events';
import { answered, until } from '../support/until';

const PATIENT_MS = 60_000;
const FOREIGN_ORIGINS = ['http://evil.example', 'null', 'https://127.0.0.1:1'];
const listeners: Listener[] = [];
let own: OwnNamespace;
let redis: OwnRedis;
let gateway: GatewayUnderTest;
let publisher: EventPublisher;
let raw: Redis;
let runs = 0;

beforeAll(async () => {
  [own, redis] = await Promise.all([ownNamespace('attacks'), startOwnRedis()]);
  gateway = await startGateway({ redisUrl: redis.url, client: own.client });
  publisher = new EventPublisher(redis.url);
  raw = new Redis(redis.url);
  await until('the publisher is connected', () => publisher.stats().connected);
  await until('the gateway is ready', async () => (await fetch(`${gateway.url}/readyz`)).ok);
});

afterEach(() => {
  for (const { socket } of listeners.splice(0)) socket.close();
});

afterAll(async () => {
  // First, because it is there even when something else did not come up.
  await redis.stop();
  raw.disconnect();
  await publisher.close({ deadline_ms: 0 });
  await gateway.close();
  await own.dispose();
});

async function client(request: Parameters<typeof token>[0] = {}): Promise<Listener> {
  const listener = await listen(gateway.url, request);
  listeners.push(listener);
  return listener;
}

/** Runs an attack beside a client that is told one event after the other and an operator who halts; `refusals` are counted at least. */
async function undisturbed(
  refusals: Partial<Record<RefusalReason, number>>,
  attack: (bystanders: ExecutionContext) => Promise<void>,
): Promise<void> {
  runs += 1;
  const of = context(`exec_attack_${runs}`, { bot_id: `bot_attack_${runs}`, strategy_id: `strategy_attack_${runs}` });
  const [bystander, operator] = await Promise.all([client(), client({ role: 'operator', subject: 'ann' })]);
  expect(await askOf(bystander, 'subscribe_bot', { bot_id: of.bot_id })).toMatchObject({ ok: true });
  const reasons = Object.keys(refusals) as RefusalReason[];
  const before = await Promise.all(reasons.map((reason) => refusalsOf(gateway.url, reason)));
  let isOver = false;
  const tell = async () => {
    publisher.publish(started(of, Date.now()));
    let told = 1;
    while (!isOver || told < 5) {
      publisher.publish(node(of, `n${told}`, nodeCompleted));
      told += 1;
      await until('the next event arrives', () => bystander.events.length >= told, PATIENT_MS);
    }
    return told;
  };
  const attacking = attack(of).finally(() => (isOver = true));
  const command = { scope: `symbol:ATTACK${runs}/USDT`, action: 'halt', reason: 'odd prices' };
  const halting = askOf(operator, 'emergency_command', command);
  const [told, halt] = await Promise.all([tell(), halting, attacking]);
  expect(halt).toMatchObject({ ok: true, scope: command.scope });
  await until('the halt is in force', async () => (await haltedScopes()).includes(command.scope), PATIENT_MS);
  expect(bystander.events.map(({ seq }) => seq)).toEqual(Array.from({ length: told }, (_, index) => index + 1));
  expect([bystander.gaps, bystander.closings, operator.closings]).toEqual([[], [], []]);
  for (const [index, reason] of reasons.entries()) {
    const counted = (await refusalsOf(gateway.url, reason)) - before[index]!;
    expect([reason, counted >= refusals[reason]!]).toEqual([reason, true]);
  }
}

/** What a client is told that is not let in. */
async function refused(auth: object, extraHeaders: Record<string, string> = {}, transport = 'websocket') {
  const socket = io(gateway.url, { auth, extraHeaders, transports: [transport], forceNew: true, reconnection: false });
  const error = await new Promise<Error & { data?: { code: string } }>((resolve, reject) => {
    socket.on('connect_error', resolve);
    socket.on('connect', () => {
      reject(new Error('let in'));
    });
  });
  socket.close();
  return error.data?.code ?? 'not even heard';
}

interface Raw {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string;
}

/** The status of a request as no browser would send it. With a length and no body the body never comes. */
function status(path: string, { method = 'GET', headers = {}, body }: Raw = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(gateway.url + path, { method, headers }, (response: IncomingMessage) => {
      response.resume();
      resolve(response.statusCode ?? 0);
      asked.destroy();
    });
    asked.on('error', reject);
    asked.flushHeaders();
    if (body !== undefined || headers['content-length'] === undefined) asked.end(body);
  });
}

const bearer = async (request: Parameters<typeof token>[0] = {}) => ({
  authorization: `Bearer ${await token(request)}`,
});

/** Refused as no token of this gateway's, at both doors. */
async function isNoToken(...tokens: (string | undefined)[]): Promise<void> {
  for (const each of tokens) {
    expect(await refused(each === undefined ? {} : { token: each })).toBe('Unauthenticated');
    const headers = each === undefined ? {} : { authorization: `Bearer ${each}` };
    expect(await status('/api/emergency', { headers })).toBe(401);
  }
}

const key = new TextEncoder().encode(SECRET);
const signed = (change: (jwt: SignJWT) => SignJWT = (jwt) => jwt, alg = 'HS256') =>
  change(
    new SignJWT({ role: 'admin' })
      .setProtectedHeader({ alg })
      .setIssuer('holdfast')
      .setAudience('holdfast-gateway')
      .setSubject('eve')
      .setExpirationTime('1h'),
  );

/** A token whose header names an algorithm of key pairs, while its signature is an HMAC under the secret. */
function confused(alg: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: 'holdfast', aud: 'holdfast-gateway', sub: 'eve', role: 'admin', exp: 9_999_999_999 };
  const text = `${part({ alg })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

async function haltedScopes(): Promise<string[]> {
  const { scopes } = await answered(() => own.client.deskStatus());
  return scopes.filter(({ state }) => state === 'halt' || state === 'shutdown').map(({ scope }) => scope);
}

describe('a gateway under attack', () => {
  it('no token', () => undisturbed({ unauthenticated: 4 }, () => isNoToken(undefined, '')));

  it('an expired token', () =>
    undisturbed({ unauthenticated: 2 }, async () => isNoToken(await token({ role: 'admin', expires_in_s: -1 }))));

  it('a token of a wrong algorithm', () =>
    undisturbed({ unauthenticated: 12 }, async () => {
      const { privateKey } = await generateKeyPair('RS256');
      const claims = { role: 'admin', sub: 'eve', iss: 'holdfast', aud: 'holdfast-gateway', exp: 9_999_999_999 };
      await isNoToken(
        new UnsecuredJWT(claims).encode(),
        await signed(undefined, 'HS384').sign(key),
        await signed(undefined, 'HS512').sign(key),
        await signed(undefined, 'RS256').sign(privateKey),
        ...['RS256', 'ES256'].map(confused),
      );
    }));

  it('a token of another issuer', () =>
    undisturbed({ unauthenticated: 2 }, async () =>
      isNoToken(await signed((jwt) => jwt.setIssuer('other')).sign(key)),
    ));

  it('a token for another audience', () =>
    undisturbed({ unauthenticated: 2 }, async () =>
      isNoToken(await signed((jwt) => jwt.setAudience('other')).sign(key)),
    ));

  it('a viewer who commands', () =>
    undisturbed({ forbidden: 5 }, async () => {
      const viewer = await client({ subject: 'vic' });
      for (const action of ['halt', 'resume', 'shutdown']) {
        const command = { scope: 'global', action, reason: 'mine now', causes: [], expected_epoch: 0 };
        expect(await askOf(viewer, 'emergency_command', command)).toMatchObject({ error: { code: 'Forbidden' } });
      }
      const headers = { ...(await bearer()), 'content-type': 'application/json' };
      const body = '{"reason":"mine now"}';
      for (const path of ['/api/emergency/global/halt', '/api/executions/exec_1/halt']) {
        expect(await status(path, { method: 'POST', headers, body })).toBe(403);
      }
      expect(await haltedScopes()).not.toContain('global');
    }));

  it('the room of a foreign bot', () =>
    undisturbed({ forbidden: 5 }, async (theirs) => {
      await until('it is in the log', async () => (await raw.exists(`holdfast:stream:${theirs.execution_id}`)) === 1);
      const restricted = await client({ bots: ['bot_mine'] });
      const rooms = [
        ['subscribe_bot', { bot_id: theirs.bot_id }],
        ['subscribe_execution', { execution_id: theirs.execution_id }],
        ['request_state', { execution_id: theirs.execution_id }],
      ] as const;
      for (const [name, message] of rooms) {
        expect(await askOf(restricted, name, message)).toMatchObject({ error: { code: 'Forbidden' } });
      }
      const other = await client({ strategies: ['strategy_mine'] });
      expect(await askOf(other, 'subscribe_strategy', { strategy_id: theirs.strategy_id })).toMatchObject({
        error: { code: 'Forbidden' },
      });
      const halt = { scope: `bot:${theirs.bot_id}`, action: 'halt', reason: 'mine now' };
      const operator = await client({ role: 'operator', bots: ['bot_mine'] });
      expect(await askOf(operator, 'emergency_command', halt)).toMatchObject({ error: { code: 'Forbidden' } });
      expect([restricted.events, other.events]).toEqual([[], []]);
    }));

  it('a wrong Origin', () =>
    undisturbed({ origin: 9 }, async () => {
      for (const origin of FOREIGN_ORIGINS) {
        for (const transport of ['websocket', 'polling']) {
          expect(await refused({ token: await token({ role: 'admin' }) }, { origin }, transport)).toBe(
            'not even heard',
          );
        }
        expect(await status('/api/emergency', { headers: { ...(await bearer()), origin } })).toBe(403);
      }
    }));

  it('a foreign Host', () =>
    undisturbed({ host: 6 }, async () => {
      for (const host of ['evil.example', '127.0.0.1.evil.example:8001']) {
        expect(await refused({ token: await token({ role: 'admin' }) }, { host })).toBe('not even heard');
        expect(await status('/socket.io/?EIO=4&transport=polling', { headers: { host } })).toBe(403);
        expect(await status('/api/emergency', { headers: { ...(await bearer()), host } })).toBe(403);
      }
    }));

  it('a message of 1 MB', () =>
    undisturbed({ too_large: 3 }, async () => {
      const large = 'x'.repeat(1_000_000);
      const talker = await client();
      const gone = new Promise((resolve) => talker.socket.once('disconnect', resolve));
      talker.socket.emit('unsubscribe', { bot_id: large });
      expect(await gone).toMatch(/^transport (close|error)$/);
      const polling = '/socket.io/?EIO=4&transport=polling';
      const opened = await (await fetch(gateway.url + polling)).text();
      const { sid } = JSON.parse(opened.slice(1)) as { sid: string };
      expect(await status(`${polling}&sid=${sid}`, { method: 'POST', body: large })).toBe(413);
      const headers = { ...(await bearer({ role: 'admin' })), 'content-type': 'application/json' };
      const announced = { ...headers, 'content-length': 3_000_000 };
      expect(await status('/api/executions', { method: 'POST', headers: announced })).toBe(413);
    }));

  it('a binary message', () =>
    undisturbed({ binary: 2 }, async () => {
      for (const send of [
        (talker: Listener) => talker.socket.emit('subscribe_bot', { bot_id: Buffer.from('bot_001') } as never),
        (talker: Listener) => talker.socket.io.engine.write(new Uint8Array([1, 2, 3])),
      ]) {
        const talker = await client();
        const gone = new Promise((resolve) => talker.socket.once('disconnect', resolve));
        send(talker);
        expect(await gone).toBe('transport close');
        expect(talker.closings).toEqual([{ code: 'BadRequest', message: 'Binary messages are not taken.' }]);
      }
    }));

  it('what is no packet at all', () =>
    undisturbed({ malformed: 3 }, async () => {
      for (const text of ['9', '2{"not":"a list"}', '2["open"']) {
        const talker = await client();
        const gone = new Promise((resolve) => talker.socket.once('disconnect', resolve));
        talker.socket.io.engine.write(text);
        expect(await gone).toBe('transport close');
      }
    }));

  it('an unknown event', () =>
    undisturbed({ unknown_message: 6 }, async () => {
      const talker = await client({ role: 'admin' });
      for (const name of ['emergency', 'error', 'join', 'toString', 'hasOwnProperty', 'start_everything']) {
        const { ok, error } = await askOf(talker, name, {});
        expect([name, ok, error]).toMatchObject([name, false, { code: 'BadRequest' }]);
      }
      expect(await askOf(talker, 'unsubscribe', {})).toMatchObject({ ok: true });
    }));

  it('10,000 messages in a second, of a viewer', () =>
    undisturbed({ rate: 1 }, async () => {
      const flooder = await client({ subject: 'vic' });
      const gone = new Promise((resolve) => flooder.socket.once('disconnect', resolve));
      for (let sent = 0; sent < 10_000; sent += 1) flooder.socket.emit('unsubscribe', {});
      await gone;
      expect(flooder.closings).toEqual([{ code: 'RateLimited', message: 'Far too many messages.' }]);
    }));

  it('10,000 messages in a second, of an operator, whose own halt behind them takes hold', () =>
    // In every five seconds a thousand are answered; it takes one of these, or on a slow machine some.
    undisturbed({ rate: 5_000 }, async () => {
      const flooder = await client({ role: 'operator', subject: 'ann' });
      for (let sent = 0; sent < 10_000; sent += 1) flooder.socket.emit('request_state', { execution_id: 'exec_none' });
      const halt = { scope: 'symbol:FLOOD/USDT', action: 'halt', reason: 'odd prices' };
      expect(await askOf(flooder, 'emergency_command', halt)).toMatchObject({ ok: true });
      await until('the halt is in force', async () => (await haltedScopes()).includes(halt.scope), PATIENT_MS);
      expect(flooder.closings).toEqual([]);
    }));

  it('1,000 connections from one address', () =>
    undisturbed({ clients_of_address: 1 }, async () => {
      const upgrade = {
        ...{ connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
        'sec-websocket-key': Buffer.from('sixteen bytes ok').toString('base64'),
      };
      const sockets: { destroy: () => void }[] = [];
      const open = () =>
        new Promise<boolean>((resolve, reject) => {
          const path = '/socket.io/?EIO=4&transport=websocket';
          const asked = httpRequest(gateway.url + path, { headers: upgrade }, (response) => {
            response.resume();
            resolve(false);
          });
          asked.on('upgrade', (_response, socket) => {
            sockets.push(socket);
            resolve(true);
          });
          asked.on('error', reject);
          asked.end();
        });
      const begun = Date.now();
      let opened = 0;
      try {
        for (let round = 0; round < 20; round += 1) {
          const answers = await Promise.all(Array.from({ length: 50 }, open));
          opened += answers.filter(Boolean).length;
        }
        // Who has shown no token for ten seconds makes room for another.
        const most = 200 * Math.ceil((Date.now() - begun + 1) / 10_000);
        expect([opened > 150, opened <= most && opened < 1_000]).toEqual([true, true]);
        const halt = {
          method: 'POST',
          headers: { ...(await bearer({ role: 'operator' })) },
          body: '{"reason":"odd prices"}',
        };
        expect(await status('/api/emergency/symbol:CROWD%2FUSDT/halt', halt)).toBe(200);
      } finally {
        for (const socket of sockets) socket.destroy();
      }
      await until('there is room again', () => client().catch(() => undefined));
    }));

  it('prototype keys, as ids and in payloads', () =>
    undisturbed({ bad_request: 16 }, async () => {
      const talker = await client({ role: 'admin' });
      const json = (text: string) => JSON.parse(text) as unknown;
      const messages: (readonly [string, unknown])[] = [
        ...['__proto__', 'constructor', 'toString'].map((bot_id) => ['subscribe_bot', { bot_id }] as const),
        ...['__proto__', 'constructor'].map((execution_id) => ['request_state', { execution_id }] as const),
        ['subscribe_bot', json('{"bot_id":"bot_001","__proto__":{"bot_id":"other"}}')],
        ['subscribe_bot', json('{"bot_id":"bot_001","constructor":{"prototype":{"role":"admin"}}}')],
        ['subscribe_all', json('{"cursors":{"__proto__":{"log_epoch":"1-a-1","seq":1}}}')],
        ['subscribe_all', json('{"cursors":{"exec_1":{"log_epoch":"1-a-1","seq":1,"__proto__":{}}}}')],
        ['emergency_command', json('{"scope":"global","action":"halt","reason":"x","__proto__":{"actor":"eve"}}')],
        ['unsubscribe', json('{"__proto__":{"all":true}}')],
      ];
      for (const [name, message] of messages) {
        const { ok, error } = await askOf(talker, name, message);
        expect([name, message, ok, error]).toMatchObject([name, message, false, { code: 'BadRequest' }]);
      }
      const headers = { ...(await bearer({ role: 'admin' })), 'content-type': 'application/json' };
      const post = (path: string, body: string) => status(path, { method: 'POST', headers, body });
      expect(await post('/api/emergency/global/halt', '{"reason":"x","__proto__":{"actor":"eve"}}')).toBe(400);
      expect(await post('/api/executions', '{"graph":{"__proto__":{"id":"x"}}}')).toBe(400);
      for (const id of ['__proto__', 'constructor', 'toString']) {
        expect(await status(`/api/executions/${id}`, { headers })).toBe(400);
        expect(await post(`/api/emergency/bot:${id}/halt`, '{"reason":"x"}')).toBe(404);
      }
      expect(({} as Record<string, unknown>)['actor']).toBeUndefined();
      expect(await haltedScopes()).not.toContain('global');
    }));

  it('events of a false shape, put into Redis', () =>
    undisturbed({ event: 14 }, async ({ execution_id, bot_id }) => {
      const stream = `holdfast:stream:${execution_id}`;
      const { log_epoch, real } = await until('the log holds an event', async () => {
        const [entry] = await raw.xrange(stream, '-', '+', 'COUNT', 1);
        const text = entry?.[1][1];
        if (text === undefined) return undefined;
        const event = JSON.parse(text) as Record<string, unknown>;
        return { log_epoch: String(event['log_epoch']), real: event };
      });
      const forged = (over: object) => JSON.stringify({ ...real, ...over });
      const texts = [
        ...['no JSON', 'null', '[]', '{}', '{"type":"gap"}', JSON.stringify({ bot_id, type: 'node_failed' })],
        ...[{ seq: '2' }, { seq: -1 }, { scope: { length: 1 } }, { v: 2 }, { stream: 7 }, { log_epoch: 'zzz' }].map(
          forged,
        ),
        // Of the right shape, and not in the log: believed they would silence the stream.
        ...[
          { seq: 1_000_000, log_epoch },
          { seq: 1, log_epoch: '99999999999999-forged-99999999999999' },
        ].map(forged),
      ];
      for (const text of texts) await raw.publish('workflow_events', text);
      for (const text of ['no JSON', '{"type":7}', '{"type":"x","execution_id":{}}'])
        await raw.publish('execution_hints', text);
      await raw.xadd(stream, '*', 'e', 'no JSON');
      await raw.hset(`holdfast:snapshot:${execution_id}`, 'forged', 'no JSON');
      const asker = await client();
      const answer = (await askOf(asker, 'request_state', { execution_id })) as { snapshot: { nodes: object } };
      expect(Object.keys(answer.snapshot.nodes)).toEqual(expect.not.arrayContaining(['forged']));
      expect(await askOf(asker, 'subscribe_execution', { execution_id })).toMatchObject({ ok: true });
    }));
});
