/** What Prometheus reads from a worker process. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Runtime } from '@temporalio/worker';
import { EventPublisher } from '../../src/event-log';
import { createLogger } from '../../src/logging';
import { NodeAdmission } from '../../src/worker/admission';
import { EventMetrics } from '../../src/worker/event-metrics';
import { installRuntime } from '../../src/worker/runtime';
import { nodeContext } from '../support/node-context';
import { startOwnRedis } from '../support/own-redis';
import { context, node, nodeCompleted } from '../support/sample-events';
import { until } from '../support/until';

const log = createLogger('test', { level: 'silent', pretty: false });
const of = context('exec_metrics');
const task = { ...nodeContext().task, circuit_breaker: 'exchange_api' };

describe('the metrics of a worker', () => {
  let address: string;
  let admission: NodeAdmission;

  beforeAll(async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    address = `127.0.0.1:${(taken.address() as AddressInfo).port}`;
    expect(() => {
      installRuntime(log, address);
    }).toThrow(expect.objectContaining({ code: 'PortTaken' }));
    taken.close();
    await once(taken, 'close');
    installRuntime(log, address);
    const settings = { exchange_api: { failures: 2 } };
    const meter = Runtime.instance().metricMeter;
    admission = new NodeAdmission({ circuit_breakers: settings, publish: () => undefined, meter });
  });
  afterAll(() => Runtime.instance().shutdown());

  it('count what circuit breakers do, by resource', async () => {
    for (let failures = 0; failures < 2; failures += 1) {
      const entry = admission.enter(task);
      if (entry.admitted) entry.leave('ServiceError');
    }
    for (let refusals = 0; refusals < 3; refusals += 1) admission.enter(task);
    const scraped = await until('a scrape holds the counters', async () => {
      const text = await (await fetch(`http://${address}/metrics`)).text();
      return text.includes('holdfast_circuit_refusals_total') && text;
    });
    const lines = scraped.split('\n').filter((line) => line.startsWith('holdfast_'));
    expect(lines.sort()).toEqual([
      'holdfast_circuit_refusals_total{resource="exchange_api"} 3',
      'holdfast_circuit_state_changes_total{new_state="open",resource="exchange_api"} 1',
    ]);
  });

  it('tell what became of its events, what waits and how long Redis took', async () => {
    const redis = await startOwnRedis();
    const metrics = new EventMetrics(Runtime.instance().metricMeter);
    const publisher = new EventPublisher(redis.url, { max_events: 2, onTaken: metrics.taken });
    try {
      await until('it is connected', () => publisher.stats().connected);
      redis.freeze();
      // Two may wait: each of the last two puts out one of those before.
      for (const id of ['a', 'b', 'c', 'd']) publisher.publish(node(of, id, nodeCompleted));
      metrics.watch(() => publisher.stats());
      const line = async (name: string) => {
        const text = await (await fetch(`http://${address}/metrics`)).text();
        return text.split('\n').find((each) => each.startsWith(name));
      };
      await until('what waits', async () => (await line('holdfast_events_buffered')) === 'holdfast_events_buffered 2');
      expect(await line('holdfast_events_dropped_total')).toBe('holdfast_events_dropped_total 2');
      redis.thaw();
      await until('all is taken', () => publisher.stats().queued === 0);
      metrics.close();
      await until('all is told', async () => (await line('holdfast_events_buffered')) === 'holdfast_events_buffered 0');
      expect(await line('holdfast_events_published_total')).toBe('holdfast_events_published_total 2');
      expect(await line('holdfast_events_refused_total')).toBe('holdfast_events_refused_total 0');
      expect(await line('holdfast_event_latency_count')).toBe('holdfast_event_latency_count 1');
      expect(await line('holdfast_event_latency_bucket{le="0.5"}')).toBeDefined();
    } finally {
      redis.thaw();
      await publisher.close({ deadline_ms: 0 });
      await redis.stop();
    }
  });
});
