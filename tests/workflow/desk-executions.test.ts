import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { by, LiveDesk } from '../support/live-desk';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { RunCounter, slow } from '../support/test-kinds';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

describe('what the emergency desk makes of executions', () => {
  let worker: TestWorker;

  beforeAll(async () => {
    worker = await startTestWorker([slow(new RunCounter())]);
  });
  afterAll(() => worker.stop());

  const waiting = { nap: { type: 'wait', params: { for: '1h' } } };
  const newDesk = () => LiveDesk.begin(worker);
  const start = async (desk: LiveDesk, of: Record<string, unknown> = {}): Promise<string> => {
    const id = await worker.start(waiting, { desk: desk.id, ...of });
    await worker.reaches(id, ({ state }) => state === 'waiting');
    return id;
  };
  /** How often its history says that it heard of a halt of the desk, and how often that it was left word of one. */
  const haltsIn = async (id: string) => {
    const { events } = await worker.temporal.workflow.getHandle(id).fetchHistory();
    const tellsOne = (payloads: readonly { readonly data?: Uint8Array | null }[] | null | undefined) =>
      Buffer.from(payloads?.[0]?.data ?? [])
        .toString()
        .includes('"state":"halt"');
    const updates = events?.map(
      (event) => event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input,
    );
    const signals = events?.map((event) => event.workflowExecutionSignaledEventAttributes);
    return {
      heard: updates?.filter((input) => input?.name === 'emergency' && tellsOne(input.args?.payloads)).length,
      left: signals?.filter((signal) => signal?.signalName === 'emergency' && tellsOne(signal.input?.payloads)).length,
    };
  };
  /** The broadcast of the desk's first change, with both of its rounds. */
  const firstIsTold = (desk: LiveDesk) =>
    worker.temporal.workflow.getHandle(`desk/${desk.id}/told/${desk.born + 1}`).result();
  const halted = (id: string) => worker.reaches(id, ({ state }) => state === 'halted');
  const goesOn = (id: string) => worker.reaches(id, ({ state }) => state === 'waiting');
  const stateOf = async (id: string) => (await worker.client.executionStatus(id)).state;
  const end = (ids: readonly string[]) =>
    Promise.all(ids.map((id) => worker.temporal.workflow.getHandle(id).terminate()));

  it('tells all that run of a halt and of its end, each once, and no other desk’s', async () => {
    const [desk, other] = [await newDesk(), await newDesk()];
    const mine = await Promise.all(Array.from({ length: 25 }, () => start(desk)));
    const theirs = await start(other);
    await worker.client.haltDesk(by('fire'), desk.id);
    for (const id of mine) expect((await halted(id)).halts).toMatchObject([{ scope: 'global', reason: 'fire' }]);
    expect(await stateOf(theirs)).toBe('waiting');
    expect(await worker.client.resumeDesk(by('out'), desk.id)).toMatchObject({ state: 'normal' });
    for (const id of mine) await goesOn(id);
    for (const id of mine) {
      const changes = worker.eventsOf(id).filter(({ type }) => /^execution_(halted|resumed)$/.test(type));
      expect(changes).toMatchObject([
        { type: 'execution_halted', scope: 'global', reason: 'fire' },
        { type: 'execution_resumed', scope: 'global', reason: 'out' },
      ]);
    }
    await end([...mine, theirs]);
  });

  it.each([
    ['bot:b1', { bot_id: 'b1' }, { bot_id: 'b2' }],
    ['strategy:s1', { strategy_id: 's1' }, { strategy_id: 's2' }],
  ])('halts those of %s alone, and refuses its starts alone', async (scope, of, others) => {
    const desk = await newDesk();
    for (const bot_id of ['b1', 'b2']) {
      const bot = { bot_id, name: bot_id, venues: ['paper'], starting_equity: '1000', time_zone: 'UTC' };
      await desk.command({ action: 'register_bot', bot });
    }
    const [concerned, unconcerned, nobodys] = [await start(desk, of), await start(desk, others), await start(desk)];
    expect(await desk.raise('halt', scope, by('fire'))).toMatchObject({ ok: true, scope, state: 'halt' });
    expect((await halted(concerned)).halts).toMatchObject([{ scope, reason: 'fire' }]);
    await expect(worker.start(waiting, { desk: desk.id, ...of })).rejects.toMatchObject({
      code: 'EmergencyHalted',
      message: `${scope} is halted by ann: fire`,
    });
    await end([await start(desk, others)]);
    expect(await Promise.all([unconcerned, nobodys].map(stateOf))).toEqual(['waiting', 'waiting']);
    await desk.raise('halt');
    await Promise.all([unconcerned, nobodys].map(halted));
    await desk.resume();
    await Promise.all([unconcerned, nobodys].map(goesOn));
    expect((await worker.client.executionStatus(concerned)).halts).toMatchObject([{ scope }]);
    await desk.resume(scope);
    await goesOn(concerned);
    await end([concerned, unconcerned, nobodys]);
  });

  it('leaves them alone when a symbol or a venue is halted, and when there is an alert', async () => {
    const desk = await newDesk();
    const id = await start(desk);
    await desk.raise('halt', 'symbol:BTC/USDT');
    await desk.raise('halt', 'venue:paper');
    await desk.raise('alert');
    expect(await desk.status()).toMatchObject({ state: 'alert', can_trade: true });
    const later = await start(desk);
    // Notices go out in order, so once a later one has arrived the earlier would have.
    await desk.raise('halt');
    await Promise.all([id, later].map(halted));
    for (const each of [id, later]) {
      expect((await worker.client.executionStatus(each)).halts).toMatchObject([{ scope: 'global' }]);
      expect(worker.eventsOf(each).filter(({ type }) => type === 'execution_halted')).toHaveLength(1);
    }
    await end([id, later]);
  });

  it('cancels them at a shutdown, after what runs', async () => {
    const desk = await newDesk();
    const nodes = {
      runs: { type: 'test_slow', params: { ms: 1_500, value: 'done' } },
      never: { type: 'constant', params: { value: 1 }, after: ['runs'] },
    };
    const id = await worker.start(nodes, { desk: desk.id });
    await worker.reaches(id, ({ nodes: of }) => of['runs']?.state === 'running');
    const idle = await start(desk);
    expect(await desk.raise('shutdown')).toMatchObject({ ok: true, state: 'shutdown' });
    const { state, nodes: ended } = await worker.ended(id);
    expect([state, ended['runs']?.state, ended['never']?.state]).toEqual(['cancelled', 'completed', 'skipped']);
    expect((await worker.ended(idle)).state).toBe('cancelled');
    await expect(worker.start(nodes, { desk: desk.id })).rejects.toMatchObject({ code: 'EmergencyHalted' });
  });

  it('does not let a resume lift an execution’s own halt, nor the other way round', async () => {
    const desk = await newDesk();
    const id = await start(desk);
    const halts = (count: number) => worker.reaches(id, (status) => status.halts.length === count);
    await worker.client.haltExecution(id, 'mine');
    await worker.client.haltDesk(by('theirs'), desk.id);
    await halts(2);
    await worker.client.resumeExecution(id, 'mine is over');
    expect(await halts(1)).toMatchObject({ state: 'halted', halts: [{ scope: 'global' }] });
    await worker.client.haltExecution(id, 'mine again');
    await worker.client.resumeDesk(by('theirs is over'), desk.id);
    expect(await halts(1)).toMatchObject({ state: 'halted', halts: [{ scope: 'execution' }] });
    await end([id]);
  });

  it('halts none that started after the resume', async () => {
    const desk = await newDesk();
    const first = await start(desk);
    await desk.raise('halt');
    await halted(first);
    await desk.resume();
    await goesOn(first);
    const second = await start(desk);
    // The second round of a halt’s notices goes out five seconds after the first: at its end nobody is left to be told.
    await firstIsTold(desk);
    expect(worker.eventsOf(second).filter(({ type }) => type === 'execution_halted')).toEqual([]);
    expect(await stateOf(second)).toBe('waiting');
    await end([first, second]);
  });

  it('leaves word for executions no worker hears, and is not held up by them', async () => {
    const desk = await newDesk();
    const nobody = await HoldfastClient.connect({ ...worker.config.temporal, task_queue: `nobody-${desk.id}` });
    const graph = worker.prepare(waiting, { desk: desk.id });
    // More than are told at once.
    const deaf = await Promise.all(Array.from({ length: 25 }, () => nobody.startExecution(graph)));
    const deafIds = deaf.map(({ execution_id }) => execution_id);
    const listed = async () => (await worker.client.listExecutions({ desk_id: desk.id, open: true })).executions.length;
    await until('all are listed', async () => (await listed()) === 25);
    const hears = await start(desk);
    await desk.raise('halt', 'global', by('fire'));
    await halted(hears);
    await firstIsTold(desk);
    for (const id of deafIds) expect((await haltsIn(id)).left).toBeGreaterThanOrEqual(1);
    await end([...deafIds, hears]);
    await nobody.close();
  });

  it('tells an execution once; the second round is for those that began around the change', async () => {
    const desk = await newDesk();
    const old = await start(desk);
    const began = Date.now();
    await until('it began long before', () => Date.now() - began > 21_000, 30_000);
    const young = await start(desk);
    await desk.raise('halt', 'global', by('fire'));
    await Promise.all([old, young].map(halted));
    await firstIsTold(desk);
    expect((await haltsIn(old)).heard).toBe(1);
    expect((await haltsIn(young)).heard).toBeGreaterThanOrEqual(1);
    for (const each of [old, young]) {
      expect(worker.eventsOf(each).filter(({ type }) => type === 'execution_halted')).toHaveLength(1);
    }
    await end([old, young]);
  });

  it('waits for no execution that has ended, and takes no refusal for an answer', async () => {
    const desk = await newDesk();
    const notice = { state: 'halt', scope: 'global', epoch: 1, reason: 'x' } as const;
    const id = await start(desk);
    await end([id]);
    expect(await worker.client.notifyExecution(id, notice, 20_000)).toBe(true);
    // No graph runs there, and as little does it know the word as an execution of an earlier release.
    expect(await worker.client.notifyExecution(`desk/${desk.id}`, notice, 20_000)).toBe(false);
    expect(await haltsIn(`desk/${desk.id}`)).toEqual({ heard: 0, left: 1 });
  });
});
