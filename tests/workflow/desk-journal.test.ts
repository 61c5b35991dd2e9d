import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openJournal, type Journal } from '../../src/journal/journal';
import { by, codeOf, LiveDesk } from '../support/live-desk';
import { startOwnPglite, type OwnPostgresql } from '../support/own-postgresql';
import { SETTING } from '../support/ready-desk';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

describe('the emergency desk and the journal', () => {
  let database: OwnPostgresql;
  let journal: Journal;
  let worker: TestWorker;
  let desk: LiveDesk;

  beforeAll(async () => {
    database = await startOwnPglite();
    journal = openJournal(database.url);
    worker = await startTestWorker([], { desk: { journal } });
  });
  afterAll(async () => {
    await worker.stop();
    await journal.close();
    await database.stop();
  });
  beforeEach(async () => {
    desk = await LiveDesk.begin(worker);
  });

  const written = async (count: number) =>
    until(`${count} entries of the audit`, async () => {
      const rows = await journal.audit({ desk_id: desk.id });
      return rows.length >= count && rows;
    });
  const lowering = async () => ({
    resume: await desk.resume(),
    limits: await desk.limits({ daily_loss: '1' }),
    cash: await desk.command({ action: 'cash_flow', scope: 'global', amount: '1', currency: 'USDT' }),
  });

  it('records who commanded what, what it was answered, and what the desk did by itself', async () => {
    await desk.raise('halt', 'global', { command_id: 'one', ...by('fire') });
    await desk.raise('halt', 'global', { command_id: 'one', ...by('fire') });
    await desk.resume('global', { causes: [] });
    await desk.resume('global', by('out'));
    await worker.client.recordRefusal('Forbidden', { action: 'halt', scope: 'global', actor: 'vic' }, desk.id);
    await desk.workflow.signal('alert', 'odd prices');
    await desk.lose(550);
    await desk.reaches('halt');
    const rows = await written(8);
    expect(rows.map(({ action, actor, outcome }) => [action, actor, outcome])).toEqual([
      ['halt', 'desk', 'ok'],
      ['init', 'test', 'ok'],
      ['halt', 'ann', 'ok'],
      ['resume', 'ann', 'StaleResume'],
      ['resume', 'ann', 'ok'],
      ['halt', 'vic', 'Forbidden'],
      ['signal alert', 'signal', 'ok'],
      ['halt', 'desk', 'ok'],
    ]);
    expect(rows[2]).toMatchObject({ command_id: 'one', reason: 'fire', scope: 'global', epoch: desk.born + 1 });
    expect(rows[0]).toMatchObject({ reason: 'the desk began anew' });
    expect(await journal.verifyAudit(desk.id)).toMatchObject({ intact: true, desks: [{ desk_id: desk.id }] });
    expect((await journal.witness(desk.id))?.epoch).toBe((await desk.status()).epoch);
  });

  it('halts while the journal is down, refuses what lowers and loosens, and records it all once it is back', async () => {
    await desk.knowsAllPermits();
    await desk.raise('halt', 'symbol:X');
    await written(3);
    await database.kill();
    expect(await desk.raise('halt', 'global', by('fire'))).toMatchObject({ ok: true, state: 'halt' });
    expect(await desk.raise('shutdown', 'symbol:Y')).toMatchObject({ ok: true, state: 'shutdown' });
    const refused = { ok: false, error: { code: 'AuditUnavailable' }, state: 'halt' };
    expect(await lowering()).toMatchObject({ resume: refused, limits: refused, cash: refused });
    expect(await codeOf(worker.client.resumeDesk(by('please'), desk.id))).toBe('AuditUnavailable');
    const before = await desk.status();
    await database.start();
    const rows = await written(9);
    expect(rows.map(({ action, outcome }) => `${action} ${outcome}`).slice(3)).toEqual([
      'halt ok',
      'shutdown ok',
      'resume AuditUnavailable',
      'set_limits AuditUnavailable',
      'cash_flow AuditUnavailable',
      'resume AuditUnavailable',
    ]);
    expect((await desk.status()).scopes).toEqual(before.scopes);
    expect((await journal.verifyAudit(desk.id)).intact).toBe(true);
    expect(await desk.resume()).toMatchObject({ ok: true, state: 'normal' });
  });

  it('halts at once while the journal hangs, and answers what lowers within seconds', async () => {
    database.freeze();
    try {
      const asked = desk.limits({ daily_loss: '1' });
      const start = performance.now();
      for (let round = 0; round < 5; round += 1) await desk.raise('halt', `symbol:${round}`);
      expect(await desk.raise('halt')).toMatchObject({ ok: true, state: 'halt' });
      expect(performance.now() - start).toBeLessThan(2_000);
      expect(await asked).toMatchObject({ ok: false, error: { code: 'AuditUnavailable' } });
    } finally {
      database.thaw();
    }
    await written(9);
    expect((await journal.verifyAudit(desk.id)).intact).toBe(true);
  });

  it('is halted when the journal has seen more of it than it knows, and goes on above that once it is set up', async () => {
    const seen = desk.born + 1_000;
    await journal.recordWitness(desk.id, seen);
    expect(await desk.raise('alert', 'symbol:X')).toMatchObject({ ok: true });
    const { causes } = await desk.reaches('halt');
    expect(causes).toMatchObject([{ id: 'rewound', actor: 'desk', reason: expect.stringContaining(String(seen)) }]);
    expect(await desk.order('now')).toMatchObject({ granted: false, code: 'EmergencyHalted' });
    expect(await desk.resume()).toMatchObject({ ok: false, error: { code: 'DeskRewound' } });
    await worker.client.initDesk(by('compared it with the venue'), SETTING, desk.id);
    expect(await desk.status()).toMatchObject({ state: 'normal' });
    expect((await desk.status()).epoch).toBeGreaterThan(seen);
  });

  it('begins halted twice over after it was terminated, when its clock is behind what the journal saw', async () => {
    await journal.recordWitness(desk.id, Date.now() + 3_600_000);
    await desk.workflow.terminate('by hand in the Web UI');
    await worker.client.ensureDesk(desk.id);
    const both = async () => (await desk.scope())?.causes.length === 2 && desk.scope();
    const { causes } = await until('both causes', both);
    expect(causes).toMatchObject([{ id: 'uninitialised' }, { id: 'rewound' }]);
    await worker.client.initDesk(by('set up again'), SETTING, desk.id);
    expect((await desk.status()).state).toBe('normal');
  });

  it('keeps the chain of its audit from run to run, and from one desk to the next of its name', async () => {
    const short = await LiveDesk.begin(worker, { updates_per_run: 10 });
    const first = await short.runId();
    for (let at = 0; at < 40; at += 1) await short.raise('alert', `symbol:${at}`);
    expect(await short.runId()).not.toBe(first);
    const rows = () => journal.audit({ desk_id: short.id });
    await until('42 entries', async () => (await rows()).length === 42);
    await short.workflow.terminate('by hand in the Web UI');
    await worker.client.ensureDesk(short.id);
    await until('the next desk’s first', async () => (await rows()).length === 43);
    const all = await rows();
    expect(all.map(({ scope }) => scope).slice(2, 42)).toEqual(Array.from({ length: 40 }, (_, at) => `symbol:${at}`));
    expect((await journal.verifyAudit(short.id)).intact).toBe(true);
  });
});
