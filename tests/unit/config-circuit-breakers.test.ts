import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/config';

const breakers = (given: unknown) =>
  loadConfig({ HOLDFAST_CIRCUIT_BREAKERS: typeof given === 'string' ? given : JSON.stringify(given) }).worker
    .circuit_breakers;

describe('HOLDFAST_CIRCUIT_BREAKERS', () => {
  it('holds settings by resource, with durations as in the graph language', () => {
    expect(
      breakers({
        default: { open_for: '5m' },
        exchange_api: { failures: 3, window: 90, open_for: '500ms', probes: 1, successes: 4 },
      }),
    ).toEqual({
      default: { open_for_ms: 300_000 },
      exchange_api: { failures: 3, window_ms: 90_000, open_for_ms: 500, probes: 1, successes: 4 },
    });
  });

  it('is empty when it is not given', () => {
    expect(loadConfig({}).worker.circuit_breakers).toEqual({});
  });

  it('is refused with every mistake in it, beside those elsewhere', () => {
    const given = { a: { failures: 0, window: 'soon' }, b: { probes: 1.5, pause: 1 }, c: 7 };
    const environment = {
      HOLDFAST_CIRCUIT_BREAKERS: JSON.stringify(given),
      HOLDFAST_METRICS_ADDRESS: 'localhost:9464',
    };
    let mistakes: unknown;
    try {
      loadConfig(environment);
    } catch (error) {
      mistakes = (error as { details: { mistakes: string[] } }).details.mistakes;
    }
    expect(mistakes).toEqual([
      'HOLDFAST_CIRCUIT_BREAKERS.a.failures: Too small: expected number to be >=1',
      'HOLDFAST_CIRCUIT_BREAKERS.a.window: is not a duration: a number of seconds, or "500ms", "30s", "5m", "1h"',
      'HOLDFAST_CIRCUIT_BREAKERS.b.probes: Invalid input: expected int, received number',
      'HOLDFAST_CIRCUIT_BREAKERS.b: Unrecognized key: "pause"',
      'HOLDFAST_CIRCUIT_BREAKERS.c: Invalid input: expected object, received number',
      'HOLDFAST_METRICS_ADDRESS: must be an IP address and a port, such as 127.0.0.1:9464',
    ]);
  });

  it.each(['{', '[]', '7'])('is refused when it is %s', (text) => {
    expect(() => breakers(text)).toThrow(/HOLDFAST_CIRCUIT_BREAKERS: /);
  });
});

describe('HOLDFAST_METRICS_ADDRESS', () => {
  it('is an address a server can bind', () => {
    for (const given of ['127.0.0.1:9464', '0.0.0.0:0', '[::1]:65535']) {
      expect(loadConfig({ HOLDFAST_METRICS_ADDRESS: given }).worker.metrics_address).toBe(given);
    }
    for (const given of ['worker:9464', '127.0.0.1', '127.0.0.1:65536', ':9464', '1.2.3.4.5:1']) {
      expect(() => loadConfig({ HOLDFAST_METRICS_ADDRESS: given })).toThrow(/HOLDFAST_METRICS_ADDRESS/);
    }
  });
});
