import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { orderRequest } from '../support/desk-at-work';
import { codeOf, LiveDesk } from '../support/live-desk';
import { startTestWorker, type TestWorker } from '../support/test-worker';

describe('permits and limits of the emergency desk', () => {
  let worker: TestWorker;
  let second: HoldfastClient;

  beforeAll(async () => {
    worker = await startTestWorker();
    second = await HoldfastClient.connect(worker.config.temporal);
  });
  afterAll(async () => {
    await second.close();
    await worker.stop();
  });

  const newDesk = () => LiveDesk.begin(worker);
  const usedOf = async (desk: LiveDesk, limit: string) =>
    (await desk.scope())?.limits.find((each) => each.limit === limit);

  it('lets exactly ten of fifty orders of 100 pass a limit of 1,000, whoever asks, and says what stopped the others', async () => {
    const desk = await newDesk();
    await desk.limits({ max_position_notional: '1000' });
    const clients = [worker.client, second];
    const asked = await Promise.all(
      Array.from({ length: 50 }, (_, at) => desk.order(`order-${at}`, {}, clients[at % 2])),
    );
    const granted = asked.filter((answer) => answer?.granted === true);
    expect(granted).toHaveLength(10);
    expect(granted).toMatchObject(granted.map(() => ({ lifetime_ms: 1_000, reduces: false })));
    const denied = asked.filter((answer) => answer?.granted === false);
    expect(new Set(denied.map((answer) => 'code' in answer && answer.code))).toEqual(new Set(['LimitExceeded']));
    expect(await usedOf(desk, 'max_position_notional')).toMatchObject({ used: '1000', utilization: '1' });
    expect((await desk.status()).open_permits.count).toBe(10);
  });

  it('answers a batch in its order, after its settlements have made room', async () => {
    const desk = await newDesk();
    await desk.limits({ max_position_notional: '100' });
    expect(await desk.order('first')).toMatchObject({ granted: true });
    expect(await desk.order('second')).toMatchObject({ granted: false, code: 'LimitExceeded' });
    const requests = ['third', 'fourth'].map((id) => orderRequest(id));
    const settlements = [{ permit_id: 'first', outcome: 'unused' }];
    expect(await worker.client.requestPermits({ requests, settlements }, desk.id)).toMatchObject([
      { permit_id: 'third', granted: true },
      { permit_id: 'fourth', granted: false, code: 'LimitExceeded' },
    ]);
  });

  it('lets one of two full exits of a position pass, in a halt as well', async () => {
    const desk = await newDesk();
    await desk.fill({ filled_quantity: '1', filled_notional: '100' });
    await desk.raise('halt');
    const exit = { side: 'sell', purpose: 'operator' };
    const both = await Promise.all([desk.order('one', exit), desk.order('two', exit, second)]);
    expect(both.filter((answer) => answer?.granted === true)).toMatchObject([{ reduces: true }]);
    expect(both.filter((answer) => answer?.granted === false)).toMatchObject([{ code: 'EmergencyHalted' }]);
  });

  it('grants nothing once a halt was answered, however many ask at that moment', async () => {
    const desk = await newDesk();
    await desk.knowsAllPermits();
    await desk.limits({ max_position_notional: '1000000' });
    let answered = Number.POSITIVE_INFINITY;
    const late: unknown[] = [];
    let before = 0;
    const asks = async (name: string, client: HoldfastClient): Promise<void> => {
      for (let at = 0; before < 30 || at < 60; at += 1) {
        const sent = performance.now();
        const answer = await desk.order(`${name}-${at}`, {}, client);
        if (answer?.granted !== true) return;
        before += 1;
        if (sent > answered) late.push(answer);
      }
    };
    const halts = async (): Promise<void> => {
      while (before < 20) await new Promise((resolve) => setTimeout(resolve, 1));
      expect(await desk.raise('halt')).toMatchObject({ ok: true, state: 'halt' });
      answered = performance.now();
    };
    await Promise.all([asks('a', worker.client), asks('b', second), asks('c', second), halts()]);
    expect(late).toEqual([]);
    const { scopes, open_permits } = await desk.status();
    expect(scopes[0]?.sealed_at).toBeUndefined();
    for (const { permit_id } of open_permits.listed) await desk.settle({ permit_id, outcome: 'unused' });
    expect((await desk.scope())?.sealed_at).toBeGreaterThan(0);
  });

  it('halts by itself at a loss of 550 against 500, tells it, and is not resumed while it is past the limit', async () => {
    const desk = await newDesk();
    await desk.fill();
    await desk.fill({ side: 'sell', filled_notional: '500' });
    expect(await usedOf(desk, 'daily_loss')).toMatchObject({ used: '500', allowed: '500' });
    expect(await desk.scope()).toMatchObject({ state: 'alert', causes: [{ id: 'limit:daily_loss', state: 'alert' }] });
    await desk.lose(50);
    const { causes } = await desk.reaches('halt');
    expect(causes).toMatchObject([
      { id: 'limit:daily_loss', state: 'halt', actor: 'desk', reason: 'daily_loss of global: 550 of 500' },
    ]);
    expect(await desk.order('more')).toMatchObject({ granted: false, code: 'EmergencyHalted' });
    const told = desk
      .events()
      .map((event) => (event.type === 'emergency_state_changed' ? event.new_state : event.type));
    expect(told).toEqual(expect.arrayContaining(['risk_limit_approaching', 'alert', 'risk_limit_exceeded', 'halt']));
    expect(await desk.resume()).toMatchObject({ ok: false, error: { code: 'LimitBreached' }, state: 'halt' });
    await desk.limits({ daily_loss: '1000' });
    expect(await desk.resume()).toMatchObject({ ok: true, state: 'normal' });
  });

  it('halts at what a mark and a price say, too, and refuses what it cannot read', async () => {
    const desk = await newDesk();
    const mark = (equity: unknown) => ({ scope: 'global', at: Date.now(), equity, currency: 'USDT' });
    await worker.client.recordAtDesk('mark', mark('10000'), desk.id);
    await worker.client.recordAtDesk('mark', mark('9500'), desk.id);
    expect((await desk.scope())?.state).toBe('alert');
    for (const equity of [undefined, 9_000, 'NaN', '1e400', '']) {
      expect(await codeOf(worker.client.recordAtDesk('mark', mark(equity), desk.id))).toBe('InvalidInput');
    }
    const foreign = { ...mark('1'), currency: 'EUR' };
    expect(await codeOf(worker.client.recordAtDesk('mark', foreign, desk.id))).toBe('WrongCurrency');
    await desk.fill({ filled_quantity: '1', filled_notional: '100' });
    const price = { venue: 'paper', symbol: 'BTC/USDT', price: '99.99', at: Date.now() };
    await worker.client.recordAtDesk('price', price, desk.id);
    expect(await desk.reaches('halt')).toMatchObject({ causes: [{ reason: 'daily_loss of global: 500.01 of 500' }] });
  });

  it('keeps limits, books and open permits across a kill of its run’s cache and a restart of its worker', async () => {
    const desk = await newDesk();
    await desk.limits({ max_order_notional: '150', order_rate: '9' });
    await worker.client.recordAtDesk(
      'mark',
      { scope: 'global', at: Date.now(), equity: '5000', currency: 'USDT' },
      desk.id,
    );
    await desk.order('open');
    await desk.lose(100);
    const before = await desk.status();
    await worker.stopWorker();
    await worker.startWorker();
    const { clock, ...after } = await desk.status();
    expect(before).toMatchObject(after);
    expect(after.scopes[0]).toMatchObject({ day_start_equity: '5000', equity: '4900', high_water_mark: '5000' });
    expect(await desk.order('large', { quantity: '2' })).toMatchObject({ granted: false, code: 'LimitExceeded' });
    expect(await desk.order('open')).toMatchObject({ granted: false, code: 'AlreadyUsed' });
  });
});
