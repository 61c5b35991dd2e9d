import { describe, expect, it } from '@jest/globals';
import { createLogger } from '../../src/logging';
import { Refusals } from '../../src/gateway/refusals';

describe('refusals', () => {
  it('reach the desk, but not so many that whoever may do nothing keeps it busy', () => {
    const told: unknown[] = [];
    const client = {
      recordRefusal: (...what: readonly unknown[]) => {
        told.push(what);
        return Promise.reject(new Error('no desk'));
      },
    };
    const refusals = new Refusals(client, createLogger('test', { level: 'silent', pretty: false }));
    const command = { action: 'halt', scope: 'global', actor: 'vic' };
    for (let at = 0; at < 1_000; at += 1) refusals.record('Forbidden', command);
    expect(told.length).toBeGreaterThanOrEqual(20);
    expect(told.length).toBeLessThan(40);
    expect(told[0]).toEqual(['Forbidden', command]);
  });
});
