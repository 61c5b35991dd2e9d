import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { by, codeOf, LiveDesk } from '../support/live-desk';
import { SETTING } from '../support/ready-desk';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

describe('the emergency desk', () => {
  let worker: TestWorker;

  beforeAll(async () => {
    worker = await startTestWorker();
  });
  afterAll(() => worker.stop());

  const newDesk = () => LiveDesk.begin(worker);
  const waiting = { nap: { type: 'wait', params: { for: '1h' } } };
  const unreadable = { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{') }] };

  it('is halted until it is set up and says why; then it is normal, and says what may be done', async () => {
    const desk = `desk-${randomUUID()}`;
    await worker.client.ensureDesk(desk);
    const halted = await worker.client.deskStatus(desk);
    expect(halted).toMatchObject({ desk_id: desk, state: 'halt', can_trade: false, can_operate: true });
    expect(halted.scopes[0]?.causes).toMatchObject([{ id: 'uninitialised', reason: 'the desk began anew' }]);
    expect(await codeOf(worker.client.resumeDesk(by('please'), desk))).toBe('DeskUninitialised');
    await worker.client.initDesk(by('a new account'), SETTING, desk);
    expect(await worker.client.deskStatus(desk)).toMatchObject({
      ...SETTING,
      state: 'normal',
      can_trade: true,
      can_operate: true,
      scopes: [{ scope: 'global', state: 'normal', causes: [] }],
    });
    expect(await codeOf(worker.client.initDesk(by('again'), SETTING, desk))).toBe('AlreadyInitialised');
    await worker.client.ensureDesk(desk);
    expect((await worker.client.deskStatus(desk)).state).toBe('normal');
  });

  it.each<[string, 'alert' | 'halt' | 'shutdown', unknown[], ...raised: [string, Record<string, unknown>]]>([
    ['nothing', 'halt', [], 'halt', { id: 'signal', actor: 'signal' }],
    ['a text', 'halt', ['fire'], 'halt', { id: 'signal', reason: 'fire', actor: 'signal' }],
    ['a reason and an actor', 'halt', [by('fire')], 'halt', { id: 'operator:ann', reason: 'fire', actor: 'ann' }],
    ['nonsense', 'halt', [[1, 2]], 'halt', { id: 'signal' }],
    ['an actor that is none', 'halt', [{ reason: 'fire', actor: 7 }], 'halt', { id: 'signal', reason: 'fire' }],
    ['a scope that is none', 'halt', [{ scope: 'moon', reason: 'fire' }], 'halt', { reason: 'fire' }],
    ['a text, of alert', 'alert', ['odd'], 'alert', { id: 'signal', reason: 'odd' }],
    ['nonsense, of alert', 'alert', [42], 'halt', { id: 'signal' }],
    ['nothing, of shutdown', 'shutdown', [], 'shutdown', { id: 'signal' }],
  ])('is raised by a signal with %s', async (_, signal, args, ...[state, cause]) => {
    const desk = await newDesk();
    await desk.workflow.signal(signal, ...args);
    const { causes, epoch } = await desk.reaches(state as 'halt');
    expect(causes).toMatchObject([{ ...cause, state, epoch: desk.born + 1 }]);
    expect(epoch).toBe(desk.born + 1);
    expect(await desk.status()).toMatchObject({ can_trade: state === 'alert', can_operate: state !== 'shutdown' });
  });

  it('halts the scope a signal names, and no other', async () => {
    const desk = await newDesk();
    await desk.workflow.signal('halt', { scope: 'symbol:ETH/USDT', reason: 'odd prices' });
    const halted = await desk.reaches('halt', 'symbol:ETH/USDT');
    expect(halted).toMatchObject({ can_trade: false, causes: [{ reason: 'odd prices' }] });
    expect(await desk.status()).toMatchObject({ state: 'normal', can_trade: true });
    expect(await desk.order('eth', { symbol: 'ETH/USDT' })).toMatchObject({ granted: false, code: 'EmergencyHalted' });
    expect(await desk.order('btc')).toMatchObject({ granted: true });
  });

  it('is halted by a payload nobody can read, and ignores signals it does not know', async () => {
    const desk = await newDesk();
    await desk.workflow.signal('resume', { reason: 'please' });
    await worker.temporal.workflowService.signalWorkflowExecution({
      namespace: worker.config.temporal.namespace,
      workflowExecution: { workflowId: `desk/${desk.id}` },
      signalName: 'halt',
      requestId: randomUUID(),
      input: unreadable,
    });
    await desk.reaches('halt');
    await desk.workflow.signal('resume', { reason: 'please' });
    await desk.workflow.signal('normal');
    expect(await desk.scope()).toMatchObject({ state: 'halt', epoch: desk.born + 1 });
  });

  it('refuses updates that nobody can read, and goes on', async () => {
    const desk = await newDesk();
    const names = ['command', 'set_limits', 'register_bot', 'cash_flow', 'record_fill', 'record_mark', 'record_price'];
    for (const name of names) {
      for (const args of [[], [null], ['nonsense'], [[1]], [{}]] as [unknown][]) {
        const answer: unknown = await desk.workflow.executeUpdate(name, { args });
        const isRefused = expect.objectContaining({ error: { code: expect.any(String), message: expect.any(String) } });
        expect(answer).toEqual(isRefused);
      }
    }
    for (const args of [[], [null], ['x'], [{}], [{ requests: 'x', settlements: 7 }], [{ requests: [] }]] as [
      unknown,
    ][]) {
      expect(await desk.workflow.executeUpdate('request_permits', { args })).toEqual([]);
    }
    const nonsense = { requests: [null, { permit_id: 'p' }], settlements: ['x'] };
    expect(await desk.workflow.executeUpdate('request_permits', { args: [nonsense] })).toMatchObject([
      { permit_id: '', granted: false, code: 'InvalidInput' },
      { permit_id: 'p', granted: false, code: 'InvalidInput' },
    ]);
    expect(await desk.status()).toMatchObject({ state: 'normal', epoch: desk.born });
  });

  it('refuses every start while it is halted, also one that went past the client', async () => {
    const desk = await newDesk();
    await worker.client.haltDesk(by('fire'), desk.id);
    await desk.reaches('halt');
    const input = worker.prepare(waiting, { desk: desk.id });
    await expect(worker.client.startExecution(input)).rejects.toMatchObject({
      code: 'EmergencyHalted',
      message: 'global is halted by ann: fire',
      details: { scope: 'global', reason: 'fire', actor: 'ann', epoch: desk.born + 1 },
    });
    const id = `exec_test_${randomUUID()}`;
    await worker.temporal.workflow.start('runGraph', {
      workflowId: id,
      taskQueue: worker.config.temporal.task_queue,
      args: [input],
    });
    expect(await worker.ended(id)).toMatchObject({ state: 'failed', nodes: { nap: { state: 'skipped' } } });
    expect((await worker.client.describeExecution(id)).closing).toMatchObject({
      status: 'failed',
      error_type: 'EmergencyHalted',
    });
  });

  it('is lowered by a resume that can be read and has seen what it lifts, and by nothing else', async () => {
    const desk = await newDesk();
    await desk.raise('halt');
    await worker.client.haltDesk({ reason: 'too', actor: 'bob' }, desk.id);
    const seen = await until('both', async () => (await desk.scope())?.causes.length === 2 && desk.resumption());
    const refused = async (over: Record<string, unknown>) =>
      (await desk.command({ ...seen, command_id: randomUUID(), ...over })).error?.code;
    expect(await refused({ reason: '' })).toBe('BadRequest');
    expect(await refused({ actor: undefined })).toBe('BadRequest');
    expect(await refused({ action: 'lift' })).toBe('BadRequest');
    expect(await refused({ scope: 'moon' })).toBe('UnknownScope');
    expect(await refused({ causes: ['operator:ann'] })).toBe('StaleResume');
    expect(await refused({ expected_epoch: desk.born + 1 })).toBe('StaleResume');
    expect(await refused({ expected_epoch: desk.born + 9 })).toBe('StaleResume');
    expect(await refused({ issued_at: Date.now() - 11_000 })).toBe('CommandExpired');
    expect(await codeOf(worker.client.resumeDesk({ reason: '', actor: 'ann' }, desk.id))).toBe('BadRequest');
    expect(await desk.scope()).toMatchObject({ state: 'halt', epoch: desk.born + 2 });
    expect(await desk.command(seen)).toEqual({ ok: true, scope: 'global', state: 'normal', epoch: desk.born + 3 });
  });

  it('needs a second person after a shutdown', async () => {
    const desk = await newDesk();
    await desk.raise('shutdown');
    const resume = await desk.resumption();
    const prepared = await desk.command(resume);
    expect(prepared).toMatchObject({ ok: true, state: 'shutdown', awaits_approval_until: expect.any(Number) });
    const { expected_epoch } = resume;
    const approval = { action: 'approve', scope: 'global', expected_epoch, issued_at: Date.now() };
    expect(await desk.command(approval)).toMatchObject({ ok: false, error: { code: 'NeedsSecondPerson' } });
    expect(await desk.command({ ...approval, actor: 'bob' })).toMatchObject({ ok: true, state: 'normal' });
  });

  it('answers a command that comes again as it did before, also by signal; under its id no other is obeyed', async () => {
    const desk = await newDesk();
    const halt = { action: 'halt', command_id: 'one', scope: 'global', ...by('fire') } as const;
    await worker.client.raiseAtDesk(halt, desk.id);
    const answer = await worker.client.commandDesk(halt, desk.id);
    expect(answer).toEqual({ ok: true, scope: 'global', state: 'halt', epoch: desk.born + 1 });
    expect(await worker.client.commandDesk(halt, desk.id)).toEqual(answer);
    await worker.client.raiseAtDesk(halt, desk.id);
    expect(await worker.client.deskKnowsCommand('one', desk.id)).toBe(true);
    expect(await worker.client.deskKnowsCommand('two', desk.id)).toBe(false);
    const other = await worker.client.commandDesk({ ...halt, reason: 'another' }, desk.id);
    expect(other).toMatchObject({ ok: false, error: { code: 'CommandConflict' }, epoch: desk.born + 1 });
  });

  it('tells each change as an event with its own epoch', async () => {
    const desk = await newDesk();
    await desk.knowsAllPermits();
    for (const round of [1, 2]) {
      await desk.raise('halt', 'global', by(`fire ${round}`));
      await desk.resume('global', by(`out ${round}`));
    }
    const fact = { type: 'emergency_state_changed', controller_id: 'global', scope: 'global' };
    const expected = [
      { previous_state: 'normal', new_state: 'halt', reason: 'the desk began anew', desk_epoch: desk.born - 1 },
      { previous_state: 'halt', new_state: 'normal', reason: 'a test begins', desk_epoch: desk.born },
      { previous_state: 'normal', new_state: 'halt', reason: 'fire 1', desk_epoch: desk.born + 1 },
      { previous_state: 'halt', new_state: 'normal', reason: 'out 1', desk_epoch: desk.born + 2 },
      { previous_state: 'normal', new_state: 'halt', reason: 'fire 2', desk_epoch: desk.born + 3 },
      { previous_state: 'halt', new_state: 'normal', reason: 'out 2', desk_epoch: desk.born + 4 },
    ];
    const changes = desk.events().filter((event) => event.type === 'emergency_state_changed' && !event.sealed);
    expect(changes).toMatchObject(expected.map((change) => ({ ...fact, ...change })));
    const sealed = desk.events().filter((event) => event.type === 'emergency_state_changed' && event.sealed);
    expect(sealed).toMatchObject([1, 3].map((later) => ({ desk_epoch: desk.born + later })));
  });

  it('is not ended by a cancel, which would lift the halt it holds', async () => {
    const desk = await newDesk();
    await desk.raise('halt');
    await desk.workflow.cancel();
    expect(await desk.resume()).toMatchObject({ ok: true, state: 'normal' });
    await worker.client.haltDesk(by('still here'), desk.id);
    expect(await desk.reaches('halt')).toMatchObject({ epoch: desk.born + 3 });
    expect((await desk.workflow.describe()).status.name).toBe('RUNNING');
  });

  it('begins halted after it was terminated, says why, and is obeyed: its epochs are above those of the one before', async () => {
    const desk = await newDesk();
    const id = await worker.start(waiting, { desk: desk.id });
    await worker.reaches(id, ({ state }) => state === 'waiting');
    await desk.raise('halt');
    await worker.reaches(id, ({ state }) => state === 'halted');
    await desk.resume();
    await worker.reaches(id, ({ state }) => state !== 'halted');
    await desk.workflow.terminate('by hand in the Web UI');
    await worker.client.ensureDesk(desk.id);
    const { causes, epoch } = await desk.reaches('halt');
    expect(causes).toMatchObject([{ id: 'uninitialised', reason: 'the desk began anew', actor: 'desk' }]);
    expect(epoch).toBeGreaterThan(desk.born + 2);
    expect(await desk.order('after')).toMatchObject({ granted: false, code: 'EmergencyHalted' });
    const { halts } = await worker.reaches(id, ({ state }) => state === 'halted');
    expect(halts).toMatchObject([{ scope: 'global', reason: 'the desk began anew' }]);
    await worker.client.initDesk(by('looked into it'), SETTING, desk.id);
    await worker.reaches(id, ({ state }) => state !== 'halted');
    await worker.client.cancelExecution(id);
  });

  it('keeps what it knows across a restart of its worker', async () => {
    const desk = await newDesk();
    await desk.limits({ max_order_notional: '77' });
    await desk.order('kept', { quantity: '0.5' });
    await worker.client.haltDesk(by('night'), desk.id);
    await desk.reaches('halt');
    const before = await desk.status();
    await worker.stopWorker();
    await worker.startWorker();
    const { clock, ...after } = await desk.status();
    expect(before).toMatchObject(after);
    expect(after.open_permits.listed).toMatchObject([{ permit_id: 'kept', status: 'granted' }]);
  });

  it('is started by a halt when it never ran, and hears one while no worker runs', async () => {
    const desk = `desk-${randomUUID()}`;
    expect(await codeOf(worker.client.deskStatus(desk))).toBe('EmergencyUnreachable');
    await worker.stopWorker();
    await worker.client.haltDesk(by('first'), desk);
    await worker.startWorker();
    const { scopes } = await until('it answers', () => worker.client.deskStatus(desk).catch(() => undefined));
    expect(scopes[0]?.causes).toMatchObject([{ id: 'uninitialised' }, { id: 'operator:ann', reason: 'first' }]);
  });
});
