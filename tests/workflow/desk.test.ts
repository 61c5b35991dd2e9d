import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

jest.setTimeout(40_000);

describe('the emergency desk', () => {
  const firstEpochs = new Map<string, number>();
  let worker: TestWorker;

  beforeAll(async () => {
    worker = await startTestWorker();
  });
  afterAll(() => worker.stop());

  const waiting = { nap: { type: 'wait', params: { for: '1h' } } };
  const by = (reason: string) => ({ reason, actor: 'ann' });
  const newDesk = async (): Promise<string> => {
    const desk = `desk-${randomUUID()}`;
    await worker.client.ensureDesk(desk);
    firstEpochs.set(desk, (await worker.client.deskStatus(desk)).epoch);
    return desk;
  };
  const born = (desk: string) => firstEpochs.get(desk) ?? 0;
  const workflowOf = (desk: string) => worker.temporal.workflow.getHandle(`desk/${desk}`);
  const reaches = (desk: string, state: 'normal' | 'halt') =>
    until(`${desk} is ${state}`, async () => {
      const status = await worker.client.deskStatus(desk);
      return status.state === state && status;
    });
  const events = (desk: string) => worker.events.filter(({ stream }) => stream === `desk/${desk}`);

  it('is normal at its start, and says what may be done', async () => {
    const desk = await newDesk();
    expect(await worker.client.deskStatus(desk)).toMatchObject({
      desk_id: desk,
      scope: 'global',
      state: 'normal',
      epoch: born(desk),
      can_operate: true,
      can_trade: true,
    });
    await worker.client.ensureDesk(desk);
  });

  it.each<[string, unknown[], string, string]>([
    ['nothing', [], 'unspecified', 'signal'],
    ['a text', ['fire'], 'fire', 'signal'],
    ['a reason and an actor', [{ reason: 'fire', actor: 'ann' }], 'fire', 'ann'],
    ['nonsense', [[1, 2]], 'unspecified', 'signal'],
    ['an actor that is none', [{ reason: 'fire', actor: 7 }], 'fire', 'signal'],
  ])('is halted by a signal with %s', async (_, args, reason, actor) => {
    const desk = await newDesk();
    await workflowOf(desk).signal('halt', ...args);
    expect(await reaches(desk, 'halt')).toMatchObject({
      epoch: born(desk) + 1,
      reason,
      actor,
      can_operate: true,
      can_trade: false,
    });
  });

  it('is halted by a payload nobody can read, and ignores signals it does not know', async () => {
    const desk = await newDesk();
    await workflowOf(desk).signal('resume', { reason: 'please' });
    await worker.temporal.workflowService.signalWorkflowExecution({
      namespace: worker.config.temporal.namespace,
      workflowExecution: { workflowId: `desk/${desk}` },
      signalName: 'halt',
      requestId: randomUUID(),
      input: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{') }] },
    });
    expect(await reaches(desk, 'halt')).toMatchObject({ reason: 'unspecified' });
    await workflowOf(desk).signal('resume', { reason: 'please' });
    expect(await worker.client.deskStatus(desk)).toMatchObject({ state: 'halt', epoch: born(desk) + 1 });
  });

  it('refuses every start while it is halted, also one that went past the client', async () => {
    const desk = await newDesk();
    await worker.client.haltDesk(by('fire'), desk);
    await reaches(desk, 'halt');
    const input = worker.prepare(waiting, { desk });
    await expect(worker.client.startExecution(input)).rejects.toMatchObject({
      code: 'EmergencyHalted',
      message: 'global is halted by ann: fire',
      details: { scope: 'global', reason: 'fire', actor: 'ann', epoch: born(desk) + 1 },
    });
    const id = `exec_test_${randomUUID()}`;
    await worker.temporal.workflow.start('runGraph', {
      workflowId: id,
      taskQueue: worker.config.temporal.task_queue,
      args: [input],
    });
    expect(await worker.ended(id)).toMatchObject({
      state: 'failed',
      nodes: { nap: { state: 'skipped', reason: 'the execution was refused' } },
    });
    expect((await worker.client.describeExecution(id)).closing).toMatchObject({
      status: 'failed',
      error_type: 'EmergencyHalted',
    });
  });

  it('tells all running executions of a halt and of its end, each once, and no other desk’s', async () => {
    const [desk, other] = [await newDesk(), await newDesk()];
    const start = async (of: string) =>
      (await worker.client.startExecution(worker.prepare(waiting, { desk: of }))).execution_id;
    const mine = await Promise.all(Array.from({ length: 25 }, () => start(desk)));
    const theirs = await start(other);
    await Promise.all([...mine, theirs].map((id) => worker.reaches(id, ({ state }) => state === 'waiting')));
    await worker.client.haltDesk(by('fire'), desk);
    for (const id of mine) {
      const halted = await worker.reaches(id, ({ state }) => state === 'halted');
      expect(halted.halts).toMatchObject([{ scope: 'global', reason: 'fire' }]);
    }
    expect(await worker.client.executionStatus(theirs)).toMatchObject({ state: 'waiting' });
    expect(await worker.client.resumeDesk(by('out'), desk)).toMatchObject({ state: 'normal', epoch: born(desk) + 2 });
    for (const id of mine) await worker.reaches(id, ({ state }) => state === 'waiting');
    for (const id of mine) {
      const changes = worker
        .eventsOf(id)
        .filter(({ type }) => type === 'execution_halted' || type === 'execution_resumed');
      expect(changes).toMatchObject([
        { scope: 'global', reason: 'fire' },
        { scope: 'global', reason: 'out' },
      ]);
    }
    await Promise.all([...mine, theirs].map((id) => worker.temporal.workflow.getHandle(id).terminate()));
  });

  it('does not let a resume lift an execution’s own halt, nor the other way round', async () => {
    const desk = await newDesk();
    const { execution_id: id } = await worker.client.startExecution(worker.prepare(waiting, { desk }));
    await worker.reaches(id, ({ state }) => state === 'waiting');
    await worker.client.haltExecution(id, 'mine');
    await worker.client.haltDesk(by('theirs'), desk);
    await worker.reaches(id, ({ halts }) => halts.length === 2);
    await worker.client.resumeExecution(id, 'mine is over');
    expect(await worker.reaches(id, ({ halts }) => halts.length === 1)).toMatchObject({
      state: 'halted',
      halts: [{ scope: 'global' }],
    });
    await worker.client.haltExecution(id, 'mine again');
    await worker.client.resumeDesk(by('theirs is over'), desk);
    expect(await worker.reaches(id, ({ halts }) => halts.length === 1)).toMatchObject({
      state: 'halted',
      halts: [{ scope: 'execution' }],
    });
    await worker.client.cancelExecution(id);
  });

  it('is lowered by an update that can be read alone', async () => {
    const desk = await newDesk();
    await worker.client.haltDesk(by('fire'), desk);
    await reaches(desk, 'halt');
    const update = (command: unknown) => workflowOf(desk).executeUpdate('command', { args: [command] });
    for (const command of [
      undefined,
      'resume',
      { action: 'resume' },
      { action: 'resume', reason: '', actor: 'ann' },
      { action: 'lift', reason: 'x', actor: 'y' },
    ]) {
      await expect(update(command)).rejects.toMatchObject({ cause: { type: 'BadRequest' } });
    }
    await expect(worker.client.resumeDesk({ reason: '', actor: 'ann' }, desk)).rejects.toMatchObject({
      code: 'BadRequest',
      message: 'a reason is needed',
    });
    expect(await worker.client.deskStatus(desk)).toMatchObject({ state: 'halt', epoch: born(desk) + 1 });
    expect(await worker.client.resumeDesk(by('out'), desk)).toMatchObject({
      state: 'normal',
      epoch: born(desk) + 2,
      actor: 'ann',
    });
  });

  it('tells each change once, as an event with its own epoch', async () => {
    const desk = await newDesk();
    for (const round of [1, 2]) {
      await worker.client.haltDesk(by(`fire ${round}`), desk);
      await worker.client.haltDesk(by('again'), desk);
      await reaches(desk, 'halt');
      await worker.client.resumeDesk(by(`out ${round}`), desk);
    }
    const fact = { type: 'emergency_state_changed', controller_id: 'global', scope: 'global', actor: 'ann' };
    expect(events(desk)).toMatchObject([
      { ...fact, previous_state: 'normal', new_state: 'halt', reason: 'fire 1', desk_epoch: born(desk) + 1 },
      { ...fact, previous_state: 'halt', new_state: 'normal', reason: 'out 1', desk_epoch: born(desk) + 2 },
      { ...fact, previous_state: 'normal', new_state: 'halt', reason: 'fire 2', desk_epoch: born(desk) + 3 },
      { ...fact, previous_state: 'halt', new_state: 'normal', reason: 'out 2', desk_epoch: born(desk) + 4 },
    ]);
    expect(new Set(events(desk).map(({ event_id }) => event_id)).size).toBe(4);
  });

  it('is not ended by a cancel, which would lift the halt it holds', async () => {
    const desk = await newDesk();
    await worker.client.haltDesk(by('fire'), desk);
    await workflowOf(desk).cancel();
    await worker.client.resumeDesk(by('out'), desk);
    await worker.client.haltDesk(by('still here'), desk);
    expect(await reaches(desk, 'halt')).toMatchObject({ epoch: born(desk) + 3 });
    expect((await workflowOf(desk).describe()).status.name).toBe('RUNNING');
  });

  it('is obeyed as a new one after it was terminated: its epochs begin above those of the one before', async () => {
    const desk = await newDesk();
    const id = await worker.start({ nap: { type: 'wait', params: { for: '20s' } } }, { desk });
    await worker.reaches(id, ({ nodes }) => nodes['nap']?.state === 'waiting');
    await worker.client.haltDesk(by('fire'), desk);
    await worker.reaches(id, ({ state }) => state === 'halted');
    await worker.client.resumeDesk(by('out'), desk);
    await worker.reaches(id, ({ state }) => state !== 'halted');
    await workflowOf(desk).terminate();
    await worker.client.haltDesk(by('fire again'), desk);
    const { halts } = await worker.reaches(id, ({ state }) => state === 'halted');
    expect(halts).toMatchObject([{ scope: 'global', reason: 'fire again' }]);
    await worker.client.cancelExecution(id);
  });

  it('keeps a halt across a restart of its worker', async () => {
    const desk = await newDesk();
    await worker.client.haltDesk(by('night'), desk);
    await reaches(desk, 'halt');
    await worker.stopWorker();
    await worker.startWorker();
    expect(await worker.client.deskStatus(desk)).toMatchObject({
      state: 'halt',
      epoch: born(desk) + 1,
      reason: 'night',
    });
  });

  it('goes on in a new run with the state and the epoch of the one before', async () => {
    const desk = await newDesk();
    const { runId } = await workflowOf(desk).describe();
    await worker.client.haltDesk(by('for good'), desk);
    for (let batch = 0; batch < 8; batch += 1) {
      await Promise.all(Array.from({ length: 50 }, () => workflowOf(desk).signal('halt', 'again')));
    }
    await until('it goes on in another run', async () => (await workflowOf(desk).describe()).runId !== runId, 20_000);
    expect(await worker.client.deskStatus(desk)).toMatchObject({
      state: 'halt',
      epoch: born(desk) + 1,
      reason: 'for good',
      actor: 'ann',
    });
    expect(await worker.client.resumeDesk(by('over'), desk)).toMatchObject({ state: 'normal', epoch: born(desk) + 2 });
  });

  it('is started by a halt when it never ran', async () => {
    const desk = `desk-${randomUUID()}`;
    await expect(worker.client.deskStatus(desk)).rejects.toMatchObject({ code: 'EmergencyUnreachable' });
    await worker.client.haltDesk(by('first'), desk);
    expect(await reaches(desk, 'halt')).toMatchObject({ reason: 'first' });
  });
});
