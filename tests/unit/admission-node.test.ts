import { describe, expect, it } from '@jest/globals';
import { noopMetricMeter, type MetricTags } from '@temporalio/common';
import type { Publication } from '../../src/events/build';
import type { NodeTask } from '../../src/graph/task';
import type { BreakerSettingsGiven } from '../../src/resilience/breakers';
import { NodeAdmission, type AdmissionOptions } from '../../src/worker/admission';
import { nodeContext } from '../support/node-context';

const task = (rest: Partial<NodeTask> = {}): NodeTask => ({
  ...nodeContext().task,
  graph_version: 'abcdef012345',
  bot_id: 'bot_001',
  circuit_breaker: 'exchange_api',
  ...rest,
});

function admissionWith(circuit_breakers: BreakerSettingsGiven = {}) {
  const told: Publication[] = [];
  const counted: [string, number, MetricTags | undefined][] = [];
  const meter: AdmissionOptions['meter'] = {
    createCounter: (name, unit, description) => ({
      ...noopMetricMeter.createCounter(name, unit, description),
      add: (value, tags) => void counted.push([name, value, tags]),
    }),
  };
  const publish = (publication: Publication): void => void told.push(publication);
  const clock = { now: 0 };
  const admission = new NodeAdmission({ circuit_breakers, publish, meter, now: () => clock.now });
  const fails = (of: NodeTask, errorType: string): void => {
    const entry = admission.enter(of);
    if (!entry.admitted) throw new Error(entry.message);
    entry.leave(errorType);
  };
  return { admission, told, counted, fails, clock };
}

describe('the admission of a node’s attempt', () => {
  it.each(['ConnectionError', 'TimeoutError', 'RateLimited', 'ServiceError'])(
    'counts %s against the resource',
    (type) => {
      const { admission, fails } = admissionWith({ exchange_api: { failures: 1 } });
      fails(task(), type);
      expect(admission.enter(task())).toMatchObject({
        admitted: false,
        type: 'CircuitOpen',
        message: 'the circuit breaker of exchange_api admits no call now',
      });
    },
  );

  it.each(['InvalidInput', 'DataUnavailable', 'OutputTooLarge', 'Unexpected', 'of a kind’s own'])(
    'counts %s neither for nor against it',
    (type) => {
      const { admission, fails, told } = admissionWith({ exchange_api: { failures: 1, successes: 1 } });
      for (let each = 0; each < 10; each += 1) fails(task(), type);
      expect(admission.enter(task())).toMatchObject({ admitted: true });
      expect(told).toEqual([]);
    },
  );

  it('has a breaker for every resource, and none for nodes that name none', () => {
    const { admission, fails } = admissionWith({ default: { failures: 1 }, patient: { failures: 2 } });
    fails(task(), 'ConnectionError');
    fails(task({ circuit_breaker: 'patient' }), 'ConnectionError');
    const { circuit_breaker, ...without } = task();
    expect(circuit_breaker).toBeDefined();
    for (let each = 0; each < 10; each += 1) fails(without, 'ConnectionError');
    expect(admission.enter(task())).toMatchObject({ admitted: false });
    expect(admission.enter(task({ circuit_breaker: 'other' }))).toMatchObject({ admitted: true });
    fails(task({ circuit_breaker: 'patient' }), 'ConnectionError');
    expect(admission.enter(task({ circuit_breaker: 'patient' }))).toMatchObject({ admitted: false });
  });

  it('is open a minute after five failures unless set otherwise', () => {
    const { admission, fails } = admissionWith();
    for (let each = 0; each < 5; each += 1) fails(task(), 'ServiceError');
    const entry = admission.enter(task());
    if (entry.admitted) throw new Error('admitted');
    expect(entry.retry_in_ms).toBeGreaterThanOrEqual(60_000);
    expect(entry.retry_in_ms).toBeLessThanOrEqual(61_000);
  });

  it('tells every change to the execution whose attempt brought it, under an id of its own, and counts it', () => {
    const { admission, told, counted, fails, clock } = admissionWith({ default: { failures: 1, successes: 1 } });
    fails(task(), 'TimeoutError');
    clock.now += 60_000;
    const probe = admission.enter(task({ execution_id: 'exec_b', frame: 'each[3]' }));
    if (!probe.admitted) throw new Error(probe.message);
    probe.leave();
    expect(told.map(({ event }) => event)).toMatchObject([
      { stream: 'exec_test_00000000', node_id: 'node', previous_state: 'closed', new_state: 'open' },
      { stream: 'exec_b', frame: 'each[3]', previous_state: 'open', new_state: 'half_open' },
      { stream: 'exec_b', previous_state: 'half_open', new_state: 'closed' },
    ]);
    expect(new Set(told.map(({ event }) => event.event_id)).size).toBe(3);
    expect(counted).toEqual(
      ['open', 'half_open', 'closed'].map((new_state) => [
        'holdfast_circuit_state_changes_total',
        1,
        { resource: 'exchange_api', new_state },
      ]),
    );
  });

  it('counts what a breaker refuses', () => {
    const { admission, counted, fails } = admissionWith({ default: { failures: 1 } });
    fails(task(), 'TimeoutError');
    admission.enter(task());
    expect(counted.at(-1)).toEqual(['holdfast_circuit_refusals_total', 1, { resource: 'exchange_api' }]);
  });

  it('refuses what the rate limit does not allow, without a mark on the breaker', () => {
    const { admission } = admissionWith({ default: { failures: 2 } });
    const of = task({ rate_limit: { calls: 1, per_ms: 60_000 } });
    expect(admission.enter(of)).toMatchObject({ admitted: true });
    for (let each = 0; each < 10; each += 1) {
      const entry = admission.enter(of);
      expect(entry).toMatchObject({ admitted: false, type: 'Throttled' });
      if (!entry.admitted) expect(entry.retry_in_ms).toBe(60_000 * (each + 1));
    }
    expect(admission.enter(task())).toMatchObject({ admitted: true });
  });

  it('does not count against the rate limit what the breaker refuses', () => {
    const { admission, fails, clock } = admissionWith({ default: { failures: 1 } });
    const of = task({ rate_limit: { calls: 2, per_ms: 600_000 } });
    fails(of, 'ServiceError');
    for (let each = 0; each < 10; each += 1) expect(admission.enter(of)).toMatchObject({ type: 'CircuitOpen' });
    clock.now += 60_000;
    expect(admission.enter(of)).toMatchObject({ admitted: true });
    expect(admission.enter(of)).toMatchObject({ type: 'Throttled' });
  });

  it('limits nodes that name a resource together, and others each by itself, in all items of a map', () => {
    const { admission } = admissionWith();
    const rate_limit = { calls: 1, per_ms: 60_000 };
    const admits = (rest: Partial<NodeTask>): boolean => admission.enter(task({ rate_limit, ...rest })).admitted;
    expect([admits({ node_id: 'a' }), admits({ node_id: 'b', workflow_id: 'other' })]).toEqual([true, false]);
    const { circuit_breaker, ...alone } = task({ rate_limit });
    expect(circuit_breaker).toBeDefined();
    const admitsAlone = (rest: Partial<NodeTask>): boolean => admission.enter({ ...alone, ...rest }).admitted;
    expect(admitsAlone({ frame: 'each[0]', node_id: 'a' })).toBe(true);
    expect(admitsAlone({ frame: 'each[1]', node_id: 'a' })).toBe(false);
    expect(admitsAlone({ node_id: 'a' })).toBe(true);
    expect(admitsAlone({ frame: 'each[1]', node_id: 'b' })).toBe(true);
    expect(admitsAlone({ frame: 'each[1]', node_id: 'b', workflow_id: 'other' })).toBe(true);
  });
});
