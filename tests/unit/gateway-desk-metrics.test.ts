/** What Prometheus reads of a desk, from the status of desks that were driven there. */
import { describe, expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { statusOf } from '../../src/emergency/decide';
import type { DeskStatus } from '../../src/emergency/status';
import { DeskMetrics } from '../../src/gateway/desk-metrics';
import { DeskAtWork, orderRequest } from '../support/desk-at-work';

async function told(read: () => Promise<DeskStatus>): Promise<Record<string, number>> {
  const registry = new Registry();
  const metrics = new DeskMetrics(registry);
  metrics.watch(read);
  await metrics.look();
  return linesOf(await registry.metrics());
}

function linesOf(text: string): Record<string, number> {
  const lines = text.matchAll(/^holdfast_desk_(\S+) (\S+)$/gm);
  return Object.fromEntries(
    [...lines].map(([, name = '', value = '']) => [name, Number(value.replace('+Inf', 'Infinity'))]),
  );
}

const of = (desk: DeskAtWork) => told(() => Promise.resolve(statusOf(desk.state, desk.now)));

describe('the metrics of a desk', () => {
  it('of which nothing is wrong say that of every kind of scope and every state', async () => {
    const figures = await of(new DeskAtWork());
    expect(figures).toMatchObject({
      ...{ answering: 1, open_permits: 0, unknown_permits: 0, unsettled_permits: 0, unsealed_scopes: 0 },
      'scopes{kind="global",state="halt"}': 0,
      'scopes{kind="bot",state="alert"}': 0,
    });
    expect(Object.keys(figures).filter((name) => name.startsWith('scopes{'))).toHaveLength(15);
    expect(Object.entries(figures).filter(([name, value]) => name.startsWith('scopes{') && value > 0)).toEqual([]);
  });

  it('count scopes by kind and state, and name none of them', async () => {
    const desk = new DeskAtWork();
    for (const id of ['ann_secret', 'bob_secret', 'cyd_secret']) desk.bot(id);
    for (const id of ['ann_secret', 'bob_secret']) desk.raise('halt', `bot:${id}`);
    desk.raise('alert', 'symbol:BTC/USDT');
    desk.raise('shutdown');
    const figures = await of(desk);
    expect(figures).toMatchObject({
      'scopes{kind="bot",state="halt"}': 2,
      'scopes{kind="symbol",state="alert"}': 1,
      'scopes{kind="global",state="shutdown"}': 1,
      'scopes{kind="global",state="halt"}': 0,
      epoch: desk.state.epoch,
    });
    expect(JSON.stringify(figures)).not.toMatch(/secret|BTC/);
  });

  it('tell permits, and the halted scopes whose seal has not come until it has', async () => {
    const desk = new DeskAtWork();
    desk.bot('b');
    desk.permits([orderRequest('p1', { bot_id: 'b' }), orderRequest('p2')]);
    desk.raise('halt', 'bot:b');
    expect(await of(desk)).toMatchObject({ open_permits: 2, unsettled_permits: 2, unsealed_scopes: 1 });
    desk.settle('p1', 'rejected');
    expect(await of(desk)).toMatchObject({ open_permits: 1, unsettled_permits: 1, unsealed_scopes: 0 });
  });

  it('tell of each limit the most that is used of it in a scope of a kind', async () => {
    const desk = new DeskAtWork();
    desk.bot('b', {}, { max_position_notional: '1000' });
    desk.bot('c', {}, { max_position_notional: '400' });
    for (const bot_id of ['b', 'c']) desk.fill({ bot_id, filled_quantity: '1', filled_notional: '100' });
    const figures = await of(desk);
    expect(figures).toHaveProperty(['limit_utilization_ratio{kind="bot",limit="max_position_notional"}'], 0.25);
  });

  it('tell a share too large for a number as endless', async () => {
    const status = statusOf(new DeskAtWork().state, 0);
    const limits = [{ limit: 'daily_loss', allowed: '1', used: '1', utilization: `1${'0'.repeat(20)}` } as const];
    const [scope] = status.scopes;
    const figures = await told(() => Promise.resolve({ ...status, scopes: [{ ...scope!, limits }] }));
    expect(figures).toHaveProperty(['limit_utilization_ratio{kind="global",limit="daily_loss"}'], Infinity);
  });

  it('of a desk that fails to answer say that alone, whatever was known of it', async () => {
    expect(await told(() => Promise.reject(new Error('away')))).toEqual({ answering: 0 });
  });
});

describe('the metrics of a desk that falls silent', () => {
  it('forget what it said', async () => {
    const registry = new Registry();
    const metrics = new DeskMetrics(registry);
    const desk = new DeskAtWork();
    desk.raise('halt');
    metrics.watch(() => Promise.resolve(statusOf(desk.state, desk.now)));
    await metrics.look();
    expect(linesOf(await registry.metrics())).toMatchObject({ answering: 1, epoch: desk.state.epoch });
    metrics.watch(() => Promise.reject(new Error('away')));
    await metrics.look();
    expect(linesOf(await registry.metrics())).toEqual({ answering: 0 });
  });
});
