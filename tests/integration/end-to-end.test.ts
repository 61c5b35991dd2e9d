/** Worker, Temporal, Redis, gateway and a plain Socket.IO client together: what an integrator sees. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/config';
import { EventPublisher } from '../../src/event-log';
import type { EventEnvelope } from '../../src/events/envelope';
import { silentProgress } from '../../src/local-stack/progress';
import { obtainTemporalCli } from '../../src/local-stack/temporal-cli';
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

const NODE = [
  'v',
  'event_id',
  'stream',
  'log_epoch',
  'seq',
  'type',
  'timestamp',
  'mode',
  'execution_id',
  'workflow_id',
].concat(['graph_version', 'bot_id', 'strategy_id', 'node_id', 'node_type', 'generation', 'attempt']);

const graph = {
  holdfast: 1,
  id: 'whole',
  bot_id: 'bot_whole',
  strategy_id: 'strategy_whole',
  nodes: {
    price: { type: 'constant', params: { value: '9' } },
    enough: { type: 'threshold', params: { min: '8' }, inputs: { value: 'price.value' } },
    tell: { type: 'notify', after: ['enough.pass'], params: { message: 'at {{price.value}}' } },
    other: { type: 'notify', after: ['enough.fail'], params: { message: 'too low' } },
  },
};

describe('the whole of it', () => {
  let redis: OwnRedis;
  let publisher: EventPublisher;
  let namespace: OwnNamespace;
  let gateway: GatewayUnderTest;
  const listeners: Listener[] = [];

  beforeAll(async () => {
    redis = await startOwnRedis();
    publisher = new EventPublisher(redis.url);
    namespace = await ownNamespace('whole', (publication) => {
      publisher.publish(publication);
    });
    gateway = await startGateway({ redisUrl: redis.url, client: namespace.client });
  });
  afterEach(() => {
    for (const { socket } of listeners.splice(0)) socket.disconnect();
  });
  afterAll(async () => {
    await gateway.close();
    await publisher.close();
    await namespace.dispose();
    await redis.stop();
  });

  async function post(path: string, body: unknown): Promise<{ execution_id: string }> {
    const headers = {
      authorization: `Bearer ${await token({ role: 'operator' })}`,
      'content-type': 'application/json',
    };
    const response = await fetch(gateway.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(response.ok).toBe(true);
    return (await response.json()) as { execution_id: string };
  }

  async function follow(bot_id: string): Promise<Listener> {
    const listener = await listen(gateway.url);
    listeners.push(listener);
    const answer = await askOf(listener, 'subscribe_bot', { bot_id });
    expect(answer).toMatchObject({ ok: true });
    return listener;
  }

  const of = (listener: Listener, id: string) => listener.events.filter(({ execution_id }) => execution_id === id);
  const isTerminal = ({ type }: EventEnvelope) => /^execution_(completed|failed|cancelled)$/.test(type);
  const ended = (listener: Listener, id: string) =>
    until(`${id} ended for the client`, () => of(listener, id).some(isTerminal) && of(listener, id));

  it('shows a client subscribed by bot each execution, every node, and one end', async () => {
    const listener = await follow('bot_whole');
    const ids = [
      (await post('/api/executions', { graph })).execution_id,
      (await post('/api/executions', { graph })).execution_id,
    ];
    for (const id of ids) {
      const events = await ended(listener, id);
      expect(events[0]).toMatchObject({ type: 'execution_started', node_count: 4 });
      expect(events.filter(isTerminal)).toEqual([events.at(-1)]);
      expect(events.at(-1)).toMatchObject({ type: 'execution_completed', status: 'completed' });
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      for (const event of events) expect(event).toMatchObject({ bot_id: 'bot_whole', strategy_id: 'strategy_whole' });
      for (const node of ['price', 'enough', 'tell']) {
        const [started, completed, ...more] = events.filter(({ node_id }) => node_id === node);
        expect([started?.type, completed?.type, more]).toEqual(['node_started', 'node_completed', []]);
        expect(Object.keys(started ?? {}).sort()).toEqual([...NODE].sort());
        expect(Object.keys(completed ?? {}).sort()).toEqual([...NODE, 'status', 'duration_ms', 'outputs'].sort());
      }
      expect(events.filter(({ node_id }) => node_id === 'other').map(({ type }) => type)).toEqual(['node_skipped']);
    }
  });

  it('replays a past execution to a client that comes later', async () => {
    const early = await follow('bot_whole');
    const { execution_id } = await post('/api/executions', { graph });
    const seen = await ended(early, execution_id);
    const late = await follow('bot_whole');
    expect(await ended(late, execution_id)).toEqual(seen);
  });

  it('runs the example of a program that starts an execution and follows it to its end', async () => {
    const deployed = { ...graph, id: 'trading_arb_btc', triggers: { hourly: { type: 'schedule', every: '1h' } } };
    const headers = { authorization: `Bearer ${await token({ role: 'admin' })}`, 'content-type': 'application/json' };
    const request = { method: 'PUT', headers, body: JSON.stringify(deployed) };
    expect((await fetch(`${gateway.url}/api/workflows/trading_arb_btc`, request)).status).toBe(200);
    const env = { ...process.env, HOLDFAST_URL: gateway.url, HOLDFAST_TOKEN: await token({ role: 'operator' }) };
    const example = resolve(__dirname, '../../examples/realtime_trading_workflow.ts');
    const runner = resolve(__dirname, '../support/run-typescript.cjs');
    const { stdout } = await promisify(execFile)(process.execPath, [runner, example], { env, timeout: 60_000 });
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toMatch(/ 1 execution_started/);
    expect(lines.some((line) => /node_completed price/.test(line))).toBe(true);
    expect(lines.at(-1)).toMatch(/execution_completed/);
  });

  it.each([
    ['no input', []],
    ['a text', ['--input', '"look first"']],
    ['bytes that are no JSON', ['--input', '{"reason', '--input-meta', 'encoding=json/plain']],
  ])('halts by the signal of Temporal’s own command line with %s, and resumes over REST', async (_, input) => {
    const listener = await follow('bot_halted');
    const nodes = {
      pause: { type: 'wait', params: { for: '1s' } },
      last: { type: 'constant', params: { value: 1 }, after: ['pause'] },
    };
    const halted = { ...graph, id: 'halted', bot_id: 'bot_halted', nodes };
    const { execution_id } = await post('/api/executions', { graph: halted });
    await until('it waits', () => of(listener, execution_id).some(({ type }) => type === 'node_waiting'));
    const { path } = await obtainTemporalCli(loadConfig().local_stack, silentProgress);
    const where = [
      '--address',
      process.env['TEMPORAL_ADDRESS'] ?? '',
      '--namespace',
      namespace.environment['TEMPORAL_NAMESPACE'] ?? '',
    ];
    const signal = ['workflow', 'signal', '--name', 'halt', '--workflow-id', execution_id];
    const accepted = await promisify(execFile)(path, [...signal, ...where, ...input]).then(
      () => true,
      () => false,
    );
    // The command line itself refuses bytes that are no JSON; then the signal goes out as a plain one.
    if (!accepted) await promisify(execFile)(path, [...signal, ...where, '--input', '[1e999]']);
    await until('the halt is told', () => of(listener, execution_id).some(({ type }) => type === 'execution_halted'));
    await until('the wait is over', () =>
      of(listener, execution_id).some(({ type, node_id }) => type === 'node_completed' && node_id === 'pause'),
    );
    const status = await namespace.client.executionStatus(execution_id);
    expect(status).toMatchObject({ state: 'halted', nodes: { last: { state: 'pending' } } });
    await post(`/api/executions/${execution_id}/resume`, { reason: 'looked' });
    const events = await ended(listener, execution_id);
    expect(events.map(({ type }) => type)).toContain('execution_resumed');
    expect(events.at(-1)).toMatchObject({ type: 'execution_completed' });
  });

  it.each([
    ['nothing', 'application/json', ''],
    ['a form', 'application/x-www-form-urlencoded', 'reason=x'],
    ['broken JSON', 'application/json', '{"reason'],
    ['a reason that is no text', 'application/json', '{"reason":5}'],
    ['a reason that is too long', 'application/json', JSON.stringify({ reason: 'x'.repeat(2_000) })],
  ])('halts over REST when the body is %s', async (_, type, body) => {
    const listener = await follow('bot_careless');
    const nodes = { pause: { type: 'wait', params: { for: '20s' } } };
    const careless = { ...graph, id: 'careless', bot_id: 'bot_careless', nodes };
    const { execution_id } = await post('/api/executions', { graph: careless });
    const headers = { authorization: `Bearer ${await token({ role: 'operator' })}`, 'content-type': type };
    const url = `${gateway.url}/api/executions/${execution_id}/halt`;
    expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
    await until('the halt is told', () =>
      of(listener, execution_id).some((event) => event.type === 'execution_halted'),
    );
    await namespace.client.cancelExecution(execution_id);
  });

  it.each(['frozen', 'killed'] as const)(
    'completes an execution while Redis is %s, and tells it afterwards',
    async (how) => {
      const listener = await follow('bot_dark');
      if (how === 'frozen') redis.freeze();
      else await redis.kill();
      const dark = { ...graph, id: 'dark', bot_id: 'bot_dark' };
      const { execution_id } = await namespace.client.startExecution(prepare(dark));
      await until('it completed', async () => (await namespace.client.describeExecution(execution_id)).closing);
      if (how === 'frozen') redis.thaw();
      else await redis.start();
      const events = await ended(listener, execution_id);
      expect(new Set(events.map(({ event_id }) => event_id)).size).toBe(events.length);
      expect(events.map(({ type }) => type)).toEqual(
        expect.arrayContaining(['execution_started', 'node_completed', 'node_skipped']),
      );
    },
  );
});
