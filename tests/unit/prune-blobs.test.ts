import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { loadConfig } from '../../src/config/config';
import { pruneDaily } from '../../src/worker/prune-blobs';

const DAY_MS = 86_400_000;

describe('the blob store of a worker', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('is pruned at once and every day, also after a day on which it failed', async () => {
    const outcomes = [() => 3, () => Promise.reject(new Error('no such disk')), () => 0];
    const lines: unknown[] = [];
    const write = (fields: unknown, message: unknown) => void lines.push([message, fields]);
    let runs = 0;
    pruneDaily(async () => outcomes[runs++]!(), { info: write, warn: write });
    for (let day = 1; day < outcomes.length; day += 1) {
      expect(runs).toBe(day);
      await jest.advanceTimersByTimeAsync(DAY_MS);
    }
    expect(runs).toBe(3);
    expect(lines).toEqual([
      ['blobs_pruned', { removed: 3 }],
      ['blobs_not_pruned', { error: 'no such disk' }],
    ]);
  });

  it('lies where the environment says, and in the stack’s home otherwise', () => {
    expect(loadConfig({ HOLDFAST_HOME: '/srv/stack' }).blobs).toEqual({
      directory: join('/srv/stack', 'blobs'),
      retention_days: 30,
    });
    const given = loadConfig({ HOLDFAST_BLOB_DIRECTORY: '/mnt/blobs', HOLDFAST_BLOB_RETENTION_DAYS: '0' });
    expect(given.blobs).toEqual({ directory: '/mnt/blobs', retention_days: 0 });
    expect(() => loadConfig({ HOLDFAST_BLOB_RETENTION_DAYS: '-1' })).toThrow('HOLDFAST_BLOB_RETENTION_DAYS');
  });
});
