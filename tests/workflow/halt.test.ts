import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { UnnumberedEvent } from '../../src/events/envelope';
import { RunCounter, Gate, failing, slow, slowPure } from '../support/test-kinds';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

/** No node may start later than this after Temporal accepted the halt. */
const BOUND_MS = 500;

interface RawPayload {
  readonly metadata?: Record<string, Uint8Array>;
  readonly data?: Uint8Array;
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const encoded = (encoding: string, data: string): RawPayload => ({
  metadata: { encoding: bytes(encoding) },
  data: bytes(data),
});

describe('a halted execution', () => {
  const counter = new RunCounter();
  const gate = new Gate();
  let worker: TestWorker;

  beforeAll(async () => {
    worker = await startTestWorker([failing(counter), slow(counter), slowPure, gate.kind]);
  });
  afterAll(() => worker.stop());

  const signal = (id: string, name: string, ...args: unknown[]) =>
    worker.temporal.workflow.getHandle(id).signal(name, ...args);

  /** As `temporal workflow signal` or a foreign program could send it. */
  async function signalRaw(id: string, signalName: string, payloads: RawPayload[]): Promise<void> {
    await worker.temporal.workflowService.signalWorkflowExecution({
      namespace: worker.config.temporal.namespace,
      workflowExecution: { workflowId: id },
      signalName,
      requestId: randomUUID(),
      input: { payloads },
    });
  }

  const gated = (name: string) => ({
    held: { type: 'test_gated', params: { gate: name } },
    after: { type: 'constant', params: { value: 1 }, after: ['held'] },
  });

  /** An execution whose first node runs until its gate is opened. */
  async function startGated(): Promise<{ id: string; open: () => void }> {
    const name = randomUUID();
    const id = await worker.start(gated(name));
    await until(`the body ${name} runs`, () => gate.isRunning(name));
    return {
      id,
      open: () => {
        gate.open(name);
      },
    };
  }

  const changes = (id: string) =>
    worker.eventsOf(id).filter(({ type }) => type === 'execution_halted' || type === 'execution_resumed');
  const startsOf = (id: string) => worker.eventsOf(id).filter(({ type }) => type === 'node_started');
  const startedAfter = (id: string, at: number): UnnumberedEvent[] =>
    startsOf(id).filter(({ timestamp }) => Date.parse(timestamp) > at + BOUND_MS);

  const halts: [string, (id: string) => Promise<void>, string][] = [
    ['without a payload', (id) => signal(id, 'halt'), 'unspecified'],
    ['with a text', (id) => signal(id, 'halt', 'spread looks wrong'), 'spread looks wrong'],
    ['with a reason', (id) => signal(id, 'halt', { reason: 'by the book' }), 'by the book'],
    ['with an object of other keys', (id) => signal(id, 'halt', { why: 'no reason' }), 'unspecified'],
    ['with a number', (id) => signal(id, 'halt', 42), 'unspecified'],
    ['with null', (id) => signal(id, 'halt', null), 'unspecified'],
    ['with two payloads', (id) => signal(id, 'halt', 'the first', 'the second'), 'the first'],
    ['with broken JSON', (id) => signalRaw(id, 'halt', [encoded('json/plain', '{"reason": ')]), 'unspecified'],
    ['in an unknown encoding', (id) => signalRaw(id, 'halt', [encoded('binary/secret', 'zzz')]), 'unspecified'],
    ['without metadata', (id) => signalRaw(id, 'halt', [{ data: bytes('"text"') }]), 'unspecified'],
    ['with an empty payload', (id) => signalRaw(id, 'halt', [{}]), 'unspecified'],
    ['with bytes', (id) => signalRaw(id, 'halt', [encoded('binary/plain', '\u0000\u0001')]), 'unspecified'],
  ];
  it.each(halts)('is halted by a signal %s, and can still be resumed', async (_, halt, reason) => {
    const { id, open } = await startGated();
    await halt(id);
    const halted = await worker.reaches(id, ({ state }) => state === 'halted');
    expect(halted.halts).toMatchObject([{ scope: 'execution', reason }]);
    open();
    await worker.reaches(id, ({ nodes }) => nodes['held']?.state === 'completed');
    await worker.client.resumeExecution(id, 'go on');
    expect(await worker.ended(id)).toMatchObject({ state: 'completed', nodes: { after: { state: 'completed' } } });
  });

  it('ignores a resume it cannot read, and any signal it does not know', async () => {
    const { id, open } = await startGated();
    await signal(id, 'halt', 'stop');
    await signal(id, 'resume', 42);
    await signal(id, 'resume', { reason: 7 });
    await signal(id, 'resume', ['now']);
    await signalRaw(id, 'resume', [encoded('json/plain', '{{{')]);
    await signal(id, 'emergency', 'lift everything');
    await signalRaw(id, 'emergency', [encoded('none', 'x')]);
    await signal(id, 'unheard_of', { reason: 'x' });
    open();
    const status = await worker.reaches(id, ({ nodes }) => nodes['held']?.state === 'completed');
    expect(status).toMatchObject({ state: 'halted', ordinal: 1, nodes: { after: { state: 'pending' } } });
    await signal(id, 'resume');
    expect((await worker.ended(id)).state).toBe('completed');
  });

  it('takes every halt and resume as an event of its own, and a repeated one as none', async () => {
    const { id, open } = await startGated();
    for (const round of ['one', 'two']) {
      await signal(id, 'halt', `halt ${round}`);
      await signal(id, 'halt', 'again');
      await signal(id, 'resume', `resume ${round}`);
      await signal(id, 'resume', 'again');
    }
    open();
    const { ordinal } = await worker.ended(id);
    expect(ordinal).toBe(4);
    expect(changes(id)).toMatchObject([
      { type: 'execution_halted', reason: 'halt one', scope: 'execution' },
      { type: 'execution_resumed', reason: 'resume one', scope: 'execution' },
      { type: 'execution_halted', reason: 'halt two', scope: 'execution' },
      { type: 'execution_resumed', reason: 'resume two', scope: 'execution' },
    ]);
    expect(new Set(changes(id).map(({ event_id }) => event_id)).size).toBe(4);
  });

  it('starts no node of a long pure chain after the halt, until it is resumed', async () => {
    const length = 150;
    const chain = Object.fromEntries(
      Array.from({ length }, (_, at) => [
        `n${at}`,
        { type: 'test_slow_pure', params: { ms: 20 }, after: at === 0 ? [] : [`n${at - 1}`] },
      ]),
    );
    const id = await worker.start(chain);
    await until('the chain is under way', () => startsOf(id).length > 20);
    await worker.client.haltExecution(id, 'enough');
    const haltedAt = Date.now();
    const halted = await worker.reaches(id, ({ state }) => state === 'halted');
    const done = Object.values(halted.nodes).filter(({ state }) => state === 'completed').length;
    expect(done).toBeLessThan(length);
    await until('more than the bound has passed', () => Date.now() > haltedAt + 2 * BOUND_MS);
    expect(startedAfter(id, haltedAt)).toEqual([]);
    await worker.client.resumeExecution(id, 'go on');
    expect((await worker.ended(id)).state).toBe('completed');
    expect(startsOf(id)).toHaveLength(length);
  });

  it('is halted within the bound while many pure nodes stand side by side', async () => {
    const wide = Object.fromEntries(
      Array.from({ length: 200 }, (_, at) => [`n${at}`, { type: 'test_slow_pure', params: { ms: 30 } }]),
    );
    const id = await worker.start(wide);
    await until('the first ones run', () => startsOf(id).length > 0);
    await worker.client.haltExecution(id, 'enough');
    const haltedAt = Date.now();
    await worker.reaches(id, ({ state }) => state === 'halted');
    await until('more than the bound has passed', () => Date.now() > haltedAt + 2 * BOUND_MS);
    expect(startedAfter(id, haltedAt)).toEqual([]);
    expect(startsOf(id).length).toBeLessThan(200);
    await worker.client.resumeExecution(id, 'go on');
    expect((await worker.ended(id)).state).toBe('completed');
  });

  it('makes no further attempt of a node that waits for its retry, and gives it all its attempts again', async () => {
    const id = await worker.start({
      flaky: { type: 'test_failing', params: { times: 2 }, retry: { max_attempts: 2, initial: '60s' } },
    });
    const runs = () => counter.of(`${id}/flaky/0`);
    await until('its first attempt has failed', () => worker.eventsOf(id).some(({ type }) => type === 'node_retrying'));
    await worker.client.haltExecution(id, 'it flaps');
    const halted = await worker.reaches(
      id,
      ({ state, nodes }) => state === 'halted' && nodes['flaky']?.state === 'pending',
    );
    expect(halted.nodes['flaky']).toMatchObject({ dispatch: 1 });
    expect(runs()).toBe(1);
    await worker.client.resumeExecution(id, 'once more');
    await until('its second dispatch has failed once', () => runs() === 2);
    await worker.client.haltExecution(id, 'it still flaps');
    await worker.reaches(id, ({ state, nodes }) => state === 'halted' && nodes['flaky']?.state === 'pending');
    await worker.client.resumeExecution(id, 'and again');
    const { state, nodes } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(nodes['flaky']).toMatchObject({ dispatch: 3, attempt: 1, outputs: { runs: 3 } });
    const ids = worker.eventsOf(id).map(({ event_id }) => event_id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('starts no attempt of a pure node that would be tried again', async () => {
    const id = await worker.start({
      late: { type: 'test_slow_pure', params: { ms: 5_000 }, timeout: '100ms', retry: { max_attempts: 5, initial: 1 } },
    });
    await until('its first attempt has failed', () => worker.eventsOf(id).some(({ type }) => type === 'node_retrying'));
    await worker.client.haltExecution(id, 'too slow');
    const haltedAt = Date.now();
    await worker.reaches(id, ({ state, nodes }) => state === 'halted' && nodes['late']?.state === 'pending');
    await until('its back-off has passed', () => Date.now() > haltedAt + 2_000);
    expect(startedAfter(id, haltedAt)).toEqual([]);
    await worker.client.cancelExecution(id);
    expect((await worker.ended(id)).state).toBe('cancelled');
  });

  it('keeps the result of what ran when the halt came', async () => {
    const { id, open } = await startGated();
    await worker.client.haltExecution(id, 'look first');
    await worker.reaches(id, ({ state }) => state === 'halted');
    open();
    const halted = await worker.reaches(id, ({ nodes }) => nodes['held']?.state === 'completed');
    expect(halted).toMatchObject({ state: 'halted', nodes: { after: { state: 'pending', dispatch: 0 } } });
    await worker.client.resumeExecution(id, 'looked');
    expect(await worker.ended(id)).toMatchObject({ nodes: { held: { state: 'completed', dispatch: 1 } } });
  });

  it('hands a node out again that failed while halted with attempts left', async () => {
    const name = randomUUID();
    const id = await worker.start(gated(name));
    await until('the body runs', () => gate.isRunning(name));
    await worker.client.haltExecution(id, 'look first');
    await worker.reaches(id, ({ state }) => state === 'halted');
    gate.fail(name, Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
    const halted = await worker.reaches(id, ({ nodes }) => nodes['held']?.state === 'pending');
    expect(halted.state).toBe('halted');
    expect(gate.isRunning(name)).toBe(false);
    await worker.client.resumeExecution(id, 'looked');
    await until('the body runs again', () => gate.isRunning(name));
    gate.open(name);
    expect(await worker.ended(id)).toMatchObject({ state: 'completed', nodes: { held: { dispatch: 2, attempt: 1 } } });
  });

  it('stays halted across a restart of the worker', async () => {
    const id = await worker.start({
      nap: { type: 'wait', params: { for: '500ms' } },
      after: { type: 'constant', params: { value: 1 }, after: ['nap'] },
    });
    await worker.reaches(id, ({ state }) => state === 'waiting');
    await worker.client.haltExecution(id, 'night');
    await worker.stopWorker();
    await worker.startWorker();
    const halted = await worker.reaches(id, ({ nodes }) => nodes['nap']?.state === 'completed');
    expect(halted).toMatchObject({ state: 'halted', halts: [{ reason: 'night' }], nodes: { after: { dispatch: 0 } } });
    await worker.client.resumeExecution(id, 'morning');
    expect((await worker.ended(id)).state).toBe('completed');
  });

  it('starts nothing when the halt came before the emergency check ended', async () => {
    await worker.stopWorker();
    const id = `exec_test_${randomUUID()}`;
    await worker.temporal.workflow.signalWithStart('runGraph', {
      workflowId: id,
      taskQueue: worker.config.temporal.task_queue,
      args: [worker.prepare({ one: { type: 'constant', params: { value: 1 } } })],
      signal: 'halt',
      signalArgs: ['not yet'],
    });
    await worker.startWorker();
    const halted = await worker.reaches(id, ({ state }) => state === 'halted');
    expect(halted.nodes['one']).toMatchObject({ state: 'pending', dispatch: 0 });
    await worker.client.resumeExecution(id, 'now');
    expect((await worker.ended(id)).state).toBe('completed');
    expect(worker.eventsOf(id).map(({ type }) => type)).toEqual([
      'execution_started',
      'execution_halted',
      'execution_resumed',
      'node_started',
      'node_completed',
      'execution_ending',
    ]);
  });

  it('lets waits go on, and starts what follows only after the resume', async () => {
    const id = await worker.start({
      nap: { type: 'wait', params: { for: '300ms' } },
      after: { type: 'constant', params: { value: 1 }, after: ['nap'] },
    });
    await worker.reaches(id, ({ state }) => state === 'waiting');
    await worker.client.haltExecution(id, 'look');
    const halted = await worker.reaches(id, ({ nodes }) => nodes['nap']?.state === 'completed');
    expect(halted).toMatchObject({ state: 'halted', nodes: { after: { state: 'pending' } } });
    await worker.client.resumeExecution(id, 'looked');
    expect(await worker.ended(id)).toMatchObject({ state: 'completed', nodes: { nap: { dispatch: 1 } } });
  });

  it('is not halted by what arrives when all its nodes are settled', async () => {
    const { id, open } = await startGated();
    // Both signals are in the history before the last node's end is handled, or the execution is closed: never halted for good.
    open();
    await signal(id, 'halt', 'too late?').catch(() => undefined);
    await signal(id, 'resume').catch(() => undefined);
    expect((await worker.ended(id)).state).toBe('completed');
  });

  it('survives a flurry of halts and resumes', async () => {
    const wide = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [`n${at}`, { type: 'test_slow', params: { ms: 20 * at, value: at } }]),
    );
    const id = await worker.start({
      ...wide,
      flaky: { type: 'test_failing', params: { times: 1 }, retry: { initial: '30ms' } },
    });
    for (let round = 0; round < 15; round += 1) {
      await signal(id, 'halt', `${round}`);
      await signal(id, 'resume', `${round}`);
    }
    const { state, ordinal, nodes } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(ordinal).toBe(changes(id).length);
    expect(Object.values(nodes).every((node) => node.state === 'completed')).toBe(true);
    for (let at = 0; at < 20; at += 1) expect(counter.of(`${id}/n${at}/0`)).toBe(1);
  });
});
