import { afterEach, describe, expect, it } from '@jest/globals';
import Fastify from 'fastify';
import { healthRoutes } from '../../src/gateway/api-health';
import { Counters } from '../../src/gateway/counters';
import { Recent } from '../../src/gateway/recent';
import { addRoutes } from '../../src/gateway/route';
import { until } from '../support/until';

const app = Fastify();
afterEach(() => app.close());

describe('what is asked without a token', () => {
  it('about readiness is asked of each service once, however many ask at once, and answers them all', async () => {
    let asked = 0;
    let answer: (says: boolean) => void = () => undefined;
    const slow = () => {
      asked += 1;
      return new Promise<boolean>((resolve) => (answer = resolve));
    };
    addRoutes(
      app,
      healthRoutes({ counters: new Counters(), checks: { slow, broken: () => Promise.reject(new Error('x')) } }),
    );
    await app.ready();
    const answers = Array.from({ length: 50 }, () => app.inject({ method: 'GET', url: '/readyz' }));
    const all = Promise.all(answers);
    await until('it is asked', () => asked > 0);
    answer(true);
    const bodies = (await all).map(({ statusCode, body }): unknown[] => [statusCode, JSON.parse(body)]);
    expect(bodies).toEqual(Array(50).fill([503, { ok: false, slow: true, broken: false }]));
    expect(asked).toBe(1);
  });
});

describe('a recent answer', () => {
  let now = 0;
  let reads = 0;
  const clock = () => now;

  it('is given for a second after it came, and asked for again then', async () => {
    const recent = new Recent(() => Promise.resolve(++reads), clock);
    expect(await recent.get()).toBe(1);
    now += 999;
    expect(await recent.get()).toBe(1);
    now += 1;
    expect(await recent.get()).toBe(2);
  });

  it('is waited for by all while it is under way, however long that takes', async () => {
    let finish: (value: string) => void = () => undefined;
    let begun = 0;
    const recent = new Recent(() => {
      begun += 1;
      return new Promise<string>((resolve) => (finish = resolve));
    }, clock);
    const first = recent.get();
    now += 60_000;
    const second = recent.get();
    finish('late');
    expect(await Promise.all([first, second, recent.get()])).toEqual(['late', 'late', 'late']);
    expect(begun).toBe(1);
  });

  it('is a failure for as long as any other, and no longer', async () => {
    let isBroken = true;
    let begun = 0;
    const recent = new Recent(async () => {
      begun += 1;
      if (isBroken) throw new Error('away');
      return Promise.resolve('back');
    }, clock);
    await expect(recent.get()).rejects.toThrow('away');
    isBroken = false;
    await expect(recent.get()).rejects.toThrow('away');
    expect(begun).toBe(1);
    now += 1_000;
    expect(await recent.get()).toBe('back');
  });
});
