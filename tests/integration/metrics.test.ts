/** What Prometheus reads from a worker process. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Runtime } from '@temporalio/worker';
import { createLogger } from '../../src/logging';
import { NodeAdmission } from '../../src/worker/admission';
import { installRuntime } from '../../src/worker/runtime';
import { nodeContext } from '../support/node-context';
import { until } from '../support/until';

const log = createLogger('test', { level: 'silent', pretty: false });
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
});
