import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { by, codeOf, LiveDesk } from '../support/live-desk';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

describe('the emergency desk, from run to run', () => {
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

  /** Counts the runs that end while it works. */
  const continues = async (desk: LiveDesk, runs: number, work: (round: number) => Promise<void>): Promise<void> => {
    const seen = new Set([await desk.runId()]);
    for (let round = 0; seen.size <= runs; round += 1) {
      await work(round);
      seen.add(await desk.runId());
    }
  };

  it('goes on in a new run at the bounds it has by itself, with all it knew', async () => {
    const desk = await LiveDesk.begin(worker);
    const runId = await desk.runId();
    await worker.client.haltDesk(by('for good'), desk.id);
    await desk.reaches('halt');
    let heard = 1;
    while ((await desk.runId()) === runId) {
      heard += 50;
      await Promise.all(Array.from({ length: 50 }, () => desk.workflow.signal('halt', 'again')));
      await until('all were heard', async () => (await desk.status()).epoch === desk.born + heard);
    }
    expect(heard).toBeGreaterThan(200);
    expect((await desk.scope())?.causes).toMatchObject([
      { id: 'operator:ann', reason: 'for good' },
      { id: 'signal', reason: 'again' },
    ]);
    const { raw } = await desk.workflow.describe();
    expect(raw.executionConfig?.defaultWorkflowTaskTimeout?.seconds?.toString()).toBe('3');
    expect(raw.executionConfig?.taskQueue?.name).toBe(worker.config.temporal.desk_task_queue);
    expect(await desk.resume()).toMatchObject({ ok: true, state: 'normal' });
  });

  it('loses no update and does none twice, whoever sends them while it goes on in a new run', async () => {
    const desk = await LiveDesk.begin(worker, { updates_per_run: 60 });
    await desk.limits({ max_position_notional: '1000000' });
    const first = await desk.runId();
    const codes = new Map<string, number>();
    const sends = async (client: HoldfastClient, name: string): Promise<void> => {
      for (let at = 0; at < 150; at += 1) {
        const permit_id = `${name}-${at}`;
        const answer = await desk.order(permit_id, {}, client);
        const code = answer?.granted === true ? 'granted' : (answer?.code ?? 'none');
        codes.set(code, (codes.get(code) ?? 0) + 1);
        const flow = { action: 'cash_flow', scope: 'bot:b', command_id: permit_id, amount: '1', currency: 'USDT' };
        if (at % 3 === 0) await client.commandDesk({ ...flow, ...by('paid') }, desk.id);
      }
    };
    const bot = { bot_id: 'b', name: 'b', venues: ['paper'], starting_equity: '0', time_zone: 'UTC' };
    await desk.command({ action: 'register_bot', bot });
    await Promise.all([sends(worker.client, 'one'), sends(second, 'two')]);
    const { scopes, open_permits } = await desk.status();
    const [of, bots] = ['global', 'bot:b'].map((scope) => scopes.find((each) => each.scope === scope));
    expect(codes).toEqual(new Map([['granted', 300]]));
    expect(open_permits.count).toBe(300);
    expect(of).toMatchObject({ reserved: '30000', open_orders: 300 });
    expect(bots).toMatchObject({ equity: '100' });
    expect(await desk.runId()).not.toBe(first);
  });

  it('answers a command as before, and knows a conflict, in a later run', async () => {
    const desk = await LiveDesk.begin(worker, { updates_per_run: 20 });
    const halt = { action: 'halt', command_id: 'one', scope: 'global', ...by('fire') } as const;
    const answer = await worker.client.commandDesk(halt, desk.id);
    await desk.resume();
    await continues(desk, 2, async () => {
      await desk.order('again');
    });
    expect(await worker.client.commandDesk(halt, desk.id)).toEqual(answer);
    expect(await desk.command({ ...halt, scope: 'symbol:X' })).toMatchObject({ error: { code: 'CommandConflict' } });
    expect(await desk.order('again')).toMatchObject({ granted: false, code: 'AlreadyUsed' });
    expect((await desk.status()).state).toBe('normal');
  });

  it('is still halted when a resume comes again after a newer halt and a new run', async () => {
    const desk = await LiveDesk.begin(worker, { updates_per_run: 20 });
    await desk.raise('halt');
    const resume = await desk.resumption();
    const lifted = await desk.command(resume);
    expect(lifted).toMatchObject({ ok: true, state: 'normal' });
    await desk.raise('halt', 'global', { reason: 'newer' });
    await continues(desk, 1, async (round) => {
      await desk.raise('alert', 'symbol:X', { reason: `${round}` });
    });
    expect(await desk.command(resume)).toEqual(lifted);
    expect(await desk.command({ ...resume, command_id: 'another' })).toMatchObject({ error: { code: 'StaleResume' } });
    expect(await desk.scope()).toMatchObject({ state: 'halt', causes: [{ id: 'operator:ann' }] });
  });

  it('hears every signal that comes while it goes on in a new run', async () => {
    const desk = await LiveDesk.begin(worker, { events_per_run: 60 });
    const first = await desk.runId();
    const raises = async (name: string): Promise<void> => {
      for (let at = 0; at < 60; at += 1) {
        await desk.workflow.signal('halt', { scope: `symbol:${name}${at}`, reason: 'x' });
      }
    };
    await Promise.all([raises('a'), raises('b')]);
    const halted = async () => (await desk.status()).scopes.filter(({ state }) => state === 'halt').length === 120;
    await until('all 120 hold', halted, 40_000);
    expect(await desk.runId()).not.toBe(first);
    expect((await desk.status()).epoch).toBe(desk.born + 120);
  });

  it('goes on although what it tells hangs, refusing permits but no command meanwhile, and tells it in the end', async () => {
    let isOpen = false;
    let told: readonly unknown[] = [];
    const hanging = await startTestWorker([], {
      desk: {
        publishEvents: async (events) => {
          await until('it is let go', () => isOpen, 60_000);
          told = [...told, ...events];
        },
      },
    });
    try {
      const desk = await LiveDesk.begin(hanging, { updates_per_run: 20 });
      await desk.raise('halt', 'symbol:X');
      const codes = new Set<string>();
      const start = performance.now();
      await continues(desk, 2, async (round) => {
        codes.add(await codeOf(Promise.all(Array.from({ length: 12 }, (_, at) => desk.order(`p${round}-${at}`)))));
        expect(await desk.raise('alert', 'symbol:Y')).toMatchObject({ ok: true });
      });
      expect(performance.now() - start).toBeLessThan(9_000);
      expect(codes).toEqual(new Set(['none', 'DeskBusy']));
      isOpen = true;
      const scopes = () => told.map((each) => (each as { event: { scope?: string } }).event.scope);
      await until('it was told', () => scopes().includes('symbol:X'));
    } finally {
      await hanging.stop();
    }
  });
});
