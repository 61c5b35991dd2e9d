/** A dead resource is left alone, and whoever needs it waits without using up attempts. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { defineNode, field, output } from '../../src/activities/define-node';
import { HoldfastError } from '../../src/errors';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

jest.setTimeout(240_000);

/** An exchange that refuses every call until it recovers. */
class Exchange {
  calls: number[] = [];
  alive = false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((_request, response) => {
      this.calls.push(Date.now());
      response.statusCode = this.alive ? 200 : 503;
      response.end('{}');
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** When the worker let a call out; when it arrives is the machine's to say. */
const sent: number[] = [];

const calls = defineNode({
  type: 'test_calls',
  family: 'test',
  effect: 'read',
  description: 'Calls the exchange.',
  fields: { url: field.text('Where.') },
  outputs: { ok: output('boolean', 'It answered.') },
  run: async ({ url }) => {
    sent.push(Date.now());
    const { status } = await fetch(url);
    if (status !== 200) throw new HoldfastError('ServiceError', `answered ${status}`);
    return { outputs: { ok: true } };
  },
});

const SETTINGS = { default: { failures: 5, window: '120s', open_for: '2s', successes: 2, probes: 2 } };
const PERIOD_MS = 2_000;

let worker: TestWorker;
const dead = new Exchange();
const throttled = new Exchange();
beforeAll(async () => {
  process.env['HOLDFAST_CIRCUIT_BREAKERS'] = JSON.stringify(SETTINGS);
  await Promise.all([dead.listen(), throttled.listen()]);
  worker = await startTestWorker([calls]);
});
afterAll(async () => {
  delete process.env['HOLDFAST_CIRCUIT_BREAKERS'];
  await worker.stop();
  await Promise.all([dead.close(), throttled.close()]);
});

describe('fifty executions on a dead resource', () => {
  it('make no more calls than it takes to open the breaker and the probes; all complete once it recovers', async () => {
    const node = {
      type: 'test_calls',
      params: { url: dead.url },
      circuit_breaker: 'exchange_api',
      // One execution may make every call that fails, where it is alone long enough.
      retry: { max_attempts: 60, initial: '100ms', backoff: 1 },
    };
    const ids = await Promise.all(Array.from({ length: 50 }, () => worker.start({ call: node })));
    const waited = () =>
      new Set(worker.events.flatMap((event) => (event.type === 'node_waiting' ? [event.execution_id] : [])));
    await until('nearly all were sent back', () => waited().size > 50 - 2 * SETTINGS.default.failures, 40_000);
    await until('the breaker was probed', () => dead.calls.length > SETTINGS.default.failures, 30_000);
    const opened = worker.events.find((event) => event.type === 'circuit_state_changed' && event.new_state === 'open');
    const openedAt = Date.parse(opened?.timestamp ?? '');
    const periods = Math.ceil((Date.now() - openedAt) / PERIOD_MS);
    const toldBefore = worker.events.slice(0, worker.events.indexOf(opened as (typeof worker.events)[number]));
    // The failure that opens it is told after that.
    expect(toldBefore.filter(({ type }) => type === 'node_retrying')).toHaveLength(SETTINGS.default.failures - 1);
    const later = sent.filter((at) => at > openedAt);
    expect(later.length).toBeLessThanOrEqual(SETTINGS.default.probes * periods);
    dead.alive = true;
    const ended = await Promise.all(ids.map((id) => worker.ended(id, 120_000)));
    expect(ended.filter(({ state }) => state !== 'completed')).toEqual([]);
    const attempts = ended.map(({ nodes }) => nodes['call']?.attempt ?? 0);
    const made = dead.calls.length;
    expect(attempts.reduce((sum, each) => sum + each, 0)).toBe(made);
    const told = worker.events.filter(({ type }) => type === 'circuit_state_changed');
    expect(told.map((event) => ('new_state' in event ? event.new_state : ''))).toEqual(
      expect.arrayContaining(['open', 'half_open', 'closed']),
    );
    expect(told.at(-1)).toMatchObject({ resource: 'exchange_api', new_state: 'closed' });
  });
});

describe('a rate limit', () => {
  it('spreads the calls, and no attempt is used up by waiting', async () => {
    throttled.alive = true;
    const node = {
      type: 'test_calls',
      params: { url: throttled.url },
      rate_limit: { calls: 2, per: '500ms' },
      retry: { max_attempts: 1 },
    };
    const nodes = Object.fromEntries(
      Array.from({ length: 6 }, (_, at) => [`call${at}`, { ...node, circuit_breaker: 'slow_api' }]),
    );
    const status = await worker.ended(await worker.start(nodes));
    expect(status.state).toBe('completed');
    expect(throttled.calls).toHaveLength(6);
    for (let at = 0; at + 2 < 6; at += 1) {
      expect((throttled.calls[at + 2] ?? 0) - (throttled.calls[at] ?? 0)).toBeGreaterThanOrEqual(480);
    }
  });
});
