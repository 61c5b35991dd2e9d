/** What the desk tells the journal of orders, while the journal fails, is slow and comes back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openJournal, type Journal } from '../../src/journal/journal';
import { LiveDesk } from '../support/live-desk';
import { startOwnPglite, type OwnPostgresql } from '../support/own-postgresql';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

type Way = 'up' | 'slow' | 'down';

describe('orders of the emergency desk', () => {
  let database: OwnPostgresql;
  let journal: Journal;
  let worker: TestWorker;
  let way: Way = 'up';
  let most = 0;

  beforeAll(async () => {
    database = await startOwnPglite();
    journal = openJournal(database.url);
    const recordOrders: Journal['recordOrders'] = async (desk_id, facts) => {
      most = Math.max(most, facts.length);
      if (way === 'down') throw new Error('the journal is down');
      // Written and not confirmed: the same facts come again.
      await journal.recordOrders(desk_id, facts);
      if (way === 'slow') await sleep(300);
      if (way === 'slow' && Math.random() < 0.3) throw new Error('no answer');
    };
    worker = await startTestWorker([], { desk: { journal: { ...journal, recordOrders } } });
  });
  afterAll(async () => {
    await worker.stop();
    await journal.close();
    await database.stop();
  });

  const rowsOf = async (desk: LiveDesk) => (await journal.orders({ desk_id: desk.id, limit: 1_000 })).orders;

  it('are in the journal within moments, and in the stream of their execution', async () => {
    const desk = await LiveDesk.begin(worker);
    await desk.order('never', { execution_id: desk.id });
    await desk.order('one', { client_order_id: 'c-1', execution_id: desk.id });
    await desk.settle({ permit_id: 'never', outcome: 'unused' });
    await desk.settle({ permit_id: 'one', outcome: 'acknowledged' });
    const half = { filled_quantity: '0.5', filled_notional: '50' };
    await desk.fill({ order_id: 'c-1', permit_id: 'one', ...half });
    await desk.settle({ permit_id: 'one', outcome: 'closed', filled_quantity: '0.5' });
    const rows = await until('it is there as it ended', async () => {
      const all = await rowsOf(desk);
      return all[0]?.status === 'cancelled' && all;
    });
    expect(rows.map(({ permit_id, filled_quantity }) => [permit_id, filled_quantity])).toEqual([['one', '0.5']]);
    const seen = worker.events.filter(({ stream }) => stream === desk.id);
    expect([...new Set(seen.map(({ type }) => type))].sort()).toEqual([
      'order_cancelled',
      'order_partially_filled',
      'order_submitted',
    ]);
    expect(new Set(seen.map(({ event_id }) => event_id)).size).toBe(3);
  });

  it('wait while it is down, until nothing that increases is granted; and none is missing once it is back', async () => {
    const desk = await LiveDesk.begin(worker, { events_per_run: 120, orders_waiting: 40 });
    await desk.limits({ max_position_notional: '1000000' });
    const first = await desk.runId();
    const expected = new Map<string, string>();
    const trade = async (permit_id: string, over = {}): Promise<string> => {
      const answer = await desk.order(permit_id, over);
      if (answer?.granted !== true) return answer?.code ?? 'none';
      await desk.settle({ permit_id, outcome: 'acknowledged' });
      const quantity = '1';
      await desk.fill({ order_id: permit_id, permit_id, filled_quantity: quantity, filled_notional: '100', ...over });
      expected.set(permit_id, `filled ${quantity}`);
      return 'granted';
    };
    await desk.order('resting');
    await desk.settle({ permit_id: 'resting', outcome: 'acknowledged' });
    way = 'down';
    let answer = 'granted';
    let count = 0;
    for (; answer === 'granted' && count < 200; count += 1) answer = await trade(`p${count}`);
    expect({ answer, enough: count > 20 }).toEqual({ answer: 'AuditUnavailable', enough: true });
    expect(await trade('reducing', { side: 'sell' })).toBe('granted');
    await desk.settle({ permit_id: 'resting', outcome: 'closed' });
    expected.set('resting', 'cancelled 0');
    expect(await desk.raise('alert', 'symbol:X')).toMatchObject({ ok: true });
    expect(await desk.runId()).not.toBe(first);
    expect(await trade('still')).toBe('AuditUnavailable');

    way = 'slow';
    for (let round = 0; round < 15; round += 1) await trade(`slow${round}`);
    way = 'up';
    await until('it grants again', async () => (await trade(`again${(count += 1)}`)) === 'granted');
    const shown = async () =>
      new Map(
        (await rowsOf(desk)).map(({ permit_id, status, filled_quantity }) => [
          permit_id ?? '',
          `${status} ${filled_quantity}`,
        ]),
      );
    await until('all are there', async () => (await shown()).size === expected.size);
    await until('as they stand', async () => [...(await shown()).values()].every((each) => !each.startsWith('open')));
    const sorted = (map: ReadonlyMap<string, string>) => [...map].sort();
    expect(sorted(await shown())).toEqual(sorted(expected));
    for (const row of await rowsOf(desk)) {
      const parts = await journal.fillsOf(row);
      expect(parts.map(({ filled_quantity }) => filled_quantity).at(-1) ?? '0').toBe(row.filled_quantity);
    }
  });

  it('that may never be denied are handed on when the desk cannot carry them, and none is missing', async () => {
    const desk = await LiveDesk.begin(worker, { events_per_run: 150, orders_text: 6_000 });
    await desk.limits({ max_position_notional: '1000000' });
    const ends = async (permit_id: string, over = {}): Promise<string> => {
      const answer = await desk.order(permit_id, { quantity: '0.1', ...over });
      await desk.settle({ permit_id, outcome: 'acknowledged' }, { permit_id, outcome: 'closed' });
      return answer?.granted === true ? 'granted' : (answer?.code ?? 'none');
    };
    await desk.fill({ filled_quantity: '10', filled_notional: '1000' });
    way = 'down';
    let bought = 0;
    while ((await ends(`up${bought}`)) === 'granted') bought += 1;
    expect(bought).toBeGreaterThan(5);
    for (let n = 0; n < 60; n += 1) expect(await ends(`down${n}`, { side: 'sell' })).toBe('granted');
    const exports = async () => {
      const found: string[] = [];
      const query = `WorkflowType = 'deskOrderExport' AND WorkflowId STARTS_WITH 'desk/${desk.id}/'`;
      for await (const { workflowId } of worker.temporal.workflow.list({ query })) found.push(workflowId);
      return found;
    };
    await until('some were handed on', async () => (await exports()).length > 1);
    expect(await ends('still')).toBe('AuditUnavailable');
    way = 'up';
    const permits = async () => (await rowsOf(desk)).flatMap(({ permit_id }) => permit_id ?? []);
    await until('all are there', async () => (await permits()).length >= bought + 60, 60_000);
    const expected = [
      ...Array.from({ length: bought }, (_, n) => `up${n}`),
      ...Array.from({ length: 60 }, (_, n) => `down${n}`),
    ];
    expect((await permits()).sort()).toEqual(expected.sort());
    expect(
      (await rowsOf(desk)).filter(({ permit_id, status }) => permit_id !== null && status !== 'cancelled'),
    ).toEqual([]);
    await until('it grants again', async () => (await ends(`again${Date.now()}`)) === 'granted');
  });

  it('that are asked for by the hundred and given back cost the journal nothing', async () => {
    const desk = await LiveDesk.begin(worker);
    most = 0;
    for (let round = 0; round < 10; round += 1) {
      const ids = Array.from({ length: 100 }, (_, n) => `u${round}-${n}`);
      const over = { quantity: '0.0001' };
      await Promise.all(ids.map((id) => desk.order(id, over)));
      await desk.settle(...ids.map((permit_id) => ({ permit_id, outcome: 'unused' as const })));
    }
    await desk.order('last');
    await desk.settle({ permit_id: 'last', outcome: 'rejected' });
    await until('the last is there', async () => (await rowsOf(desk)).some(({ permit_id }) => permit_id === 'last'));
    expect((await rowsOf(desk)).length).toBeLessThan(100);
  });
});
