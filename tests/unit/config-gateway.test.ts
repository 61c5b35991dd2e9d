import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/config';

describe('the settings of the gateway', () => {
  it('are loopback and bounded, with one user of Redis, where nothing is said', () => {
    const { gateway, redis } = loadConfig({ REDIS_URL: 'redis://redis:6379' });
    expect(gateway).toMatchObject({ host: '127.0.0.1', limits: { clients: 1_000, clients_per_address: 200 } });
    expect(redis).toEqual({ url: 'redis://redis:6379', reader_url: 'redis://redis:6379', event_partitions: 1 });
  });

  it('take other limits and a user of Redis who only reads', () => {
    const { gateway, redis } = loadConfig({
      ...{ HOLDFAST_MAX_CLIENTS: '50', HOLDFAST_MAX_CLIENTS_PER_ADDRESS: '5' },
      ...{ HOLDFAST_REDIS_READER_URL: 'rediss://reader:word@redis:6379', HOLDFAST_EVENT_PARTITIONS: '8' },
    });
    expect(gateway.limits).toEqual({ clients: 50, clients_per_address: 5 });
    expect(redis).toMatchObject({ reader_url: 'rediss://reader:word@redis:6379', event_partitions: 8 });
  });

  it('name Temporal’s Web UI where there is one', () => {
    expect(loadConfig({}).gateway.temporal_ui_url).toBeUndefined();
    const address = 'https://temporal.example/ui';
    expect(loadConfig({ HOLDFAST_TEMPORAL_UI_URL: address }).gateway.temporal_ui_url).toBe(address);
  });

  it.each([
    { HOLDFAST_MAX_CLIENTS: '0' },
    { HOLDFAST_MAX_CLIENTS_PER_ADDRESS: 'many' },
    { HOLDFAST_REDIS_READER_URL: 'http://redis' },
    { HOLDFAST_EVENT_PARTITIONS: '0' },
    { HOLDFAST_EVENT_PARTITIONS: '65' },
    { HOLDFAST_TEMPORAL_UI_URL: 'javascript:alert(1)' },
    { HOLDFAST_TEMPORAL_UI_URL: 'temporal:8080' },
  ])('refuse %j', (environment) => {
    expect(() => loadConfig(environment)).toThrow(Object.keys(environment)[0]!);
  });
});
