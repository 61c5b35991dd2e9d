import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import { RunCounter, Gate, failing, large, lengthOf, refusing, slow, slowPure } from '../support/test-kinds';
import { startTestWorker, type TestWorker } from '../support/test-worker';
import { until } from '../support/until';

const counter = new RunCounter();
const gate = new Gate();
let worker: TestWorker;

beforeAll(async () => {
  worker = await startTestWorker([failing(counter), slow(counter), slowPure, refusing, large, lengthOf, gate.kind]);
});
afterAll(() => worker.stop());

const constant = (after: string[] = [], rest: object = {}) => ({
  type: 'constant',
  params: { value: 1 },
  after,
  ...rest,
});
const temporalStatus = async (id: string) => (await worker.temporal.workflow.getHandle(id).describe()).status.name;
const statesOf = (nodes: Readonly<Record<string, { readonly state: string }>>) =>
  Object.fromEntries(Object.entries(nodes).map(([id, { state }]) => [id, state]));

/** Once per id: worker and workflow may both tell the same fact. */
function typesOf(id: string, nodeId: string): string[] {
  const events = worker.eventsOf(id).filter(({ node_id }) => node_id === nodeId);
  return [...new Map(events.map((event) => [event.event_id, event.type])).values()];
}

async function failureOf(id: string): Promise<ApplicationFailure> {
  const error: unknown = await worker.temporal.workflow
    .getHandle(id)
    .result()
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  return (error as WorkflowFailedError).cause as ApplicationFailure;
}

describe('a failure', () => {
  it('that nobody handles fails the execution in words, awaits what runs and skips the rest', async () => {
    const name = randomUUID();
    const id = await worker.start({
      runs: { type: 'test_gated', params: { gate: name } },
      breaks: { type: 'test_refusing', params: { code: 'DataUnavailable' } },
      behind: constant(['breaks']),
      later: constant(['runs']),
    });
    await worker.reaches(id, ({ nodes }) => nodes['breaks']?.state === 'failed');
    await until('the body runs', () => gate.isRunning(name));
    gate.open(name);
    const status = await worker.ended(id);
    expect(status).toMatchObject({ state: 'failed', error: 'breaks: as told', error_type: 'DataUnavailable' });
    expect(statesOf(status.nodes)).toEqual({
      runs: 'completed',
      breaks: 'failed',
      behind: 'skipped',
      later: 'skipped',
    });
    expect(await failureOf(id)).toMatchObject({
      type: 'NodeFailed',
      nonRetryable: true,
      message: 'breaks: as told',
      details: [{ node_id: 'breaks', error: 'as told', error_type: 'DataUnavailable' }],
    });
    expect((await worker.client.describeExecution(id)).closing).toMatchObject({
      status: 'failed',
      error_type: 'NodeFailed',
    });
  });

  it('that is handled goes on by its error branch, and the execution completes', async () => {
    const id = await worker.start({
      breaks: { type: 'test_refusing', params: { code: 'Unexpected' } },
      on_error: constant(['breaks.error']),
      either_way: constant(['breaks.finished']),
      on_success: constant(['breaks']),
      tolerated: { type: 'test_refusing', params: { code: 'Unexpected' }, on_error: 'continue' },
      behind: constant(['tolerated']),
    });
    const { state, nodes } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(statesOf(nodes)).toEqual({
      breaks: 'failed',
      on_error: 'completed',
      either_way: 'completed',
      on_success: 'skipped',
      tolerated: 'failed',
      behind: 'skipped',
    });
  });

  it('of a pure node is handled and told like any other', async () => {
    const id = await worker.start({
      breaks: { type: 'math', params: { op: 'divide', a: '1', b: '0' } },
      on_error: constant(['breaks.error']),
    });
    const handled = await worker.ended(id);
    expect(handled).toMatchObject({ state: 'completed', nodes: { breaks: { state: 'failed', attempt: 1 } } });
    expect(typesOf(id, 'breaks')).toEqual(['node_started', 'node_failed']);
    const alone = await worker.start({ breaks: { type: 'math', params: { op: 'divide', a: '1', b: '0' } } });
    expect(await failureOf(alone)).toMatchObject({ type: 'NodeFailed', details: [{ error_type: 'InvalidInput' }] });
  });

  it('that a retry cannot help is not retried, and one it can help is until the attempts are used up', async () => {
    const id = await worker.start({
      final: { type: 'test_refusing', params: { code: 'InvalidInput' }, on_error: 'continue' },
      flaky: { type: 'test_refusing', params: { code: 'ConnectionError' }, on_error: 'continue' },
    });
    const { nodes } = await worker.ended(id);
    expect(nodes['final']).toMatchObject({ state: 'failed', attempt: 1, error_type: 'InvalidInput' });
    expect(nodes['flaky']).toMatchObject({ state: 'failed', attempt: 3, error_type: 'ConnectionError' });
    const flaky = ['node_started', 'node_retrying', 'node_started', 'node_retrying', 'node_started', 'node_failed'];
    expect(typesOf(id, 'flaky')).toEqual(flaky);
    expect(typesOf(id, 'final')).toEqual(['node_started', 'node_failed']);
  });

  it('is a TimeoutError at the node’s timeout, counted per attempt; a body that ends later changes nothing', async () => {
    const id = await worker.start({
      late: {
        type: 'test_slow',
        params: { ms: 4_000, value: 1 },
        timeout: '150ms',
        retry: { max_attempts: 2, initial: '20ms' },
        on_error: 'continue',
      },
      pure: { type: 'test_slow_pure', params: { ms: 4_000 }, timeout: '100ms', on_error: 'continue' },
      nap: { type: 'wait', params: { for: '4600ms' } },
    });
    const failed = await worker.reaches(id, ({ nodes }) => nodes['late']?.state === 'failed');
    expect(failed.nodes['late']).toMatchObject({
      error_type: 'TimeoutError',
      attempt: 2,
      error: 'no end within 0.15 s',
    });
    const { state, nodes } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(nodes).toMatchObject({ late: { state: 'failed' }, pure: { state: 'failed', error_type: 'TimeoutError' } });
    expect(counter.of(`${id}/late/0`)).toBe(2);
  });

  it('is OutputTooLarge for a node that gives more than fits beside what others still read', async () => {
    const names = Array.from({ length: 18 }, (_, at) => `n${at}`);
    const gives = names.map((name, at): [string, object] => [
      name,
      { type: 'test_large', params: { size: 60_000 }, after: at === 0 ? [] : [`n${at - 1}`] },
    ]);
    const id = await worker.start({
      ...Object.fromEntries(gives),
      reads: { type: 'notify', params: { message: names.map((name) => `{{${name}.text}}`).join('') } },
    });
    const { state, nodes } = await worker.ended(id);
    expect(state).toBe('failed');
    const failed = names.find((name) => nodes[name]?.state === 'failed') ?? '';
    expect(nodes[failed]).toMatchObject({ error_type: 'OutputTooLarge' });
    expect(names.indexOf(failed)).toBeGreaterThan(12);
    expect(nodes['reads']).toMatchObject({ state: 'skipped' });
    expect(typesOf(id, failed).at(-1)).toBe('node_failed');
  });

  it('is none for a large value: it is stored, travels by reference, and its readers get all of it', async () => {
    const id = await worker.start({
      once: { type: 'test_large', params: { size: 300_000 } },
      passed: { type: 'test_slow', params: { ms: 1 }, inputs: { value: 'once.text' } },
      measured: { type: 'test_length', inputs: { text: 'passed.value' } },
      spelt: { type: 'test_length', params: { text: 'it says {{once.text}}!' } },
    });
    const { state, nodes } = await worker.ended(id);
    expect(state).toBe('completed');
    expect(nodes['passed']?.outputs).toEqual({ value: { $blob: expect.objectContaining({ bytes: 300_002 }) } });
    expect(nodes['measured']?.outputs).toEqual({ length: 300_000 });
    expect(nodes['spelt']?.outputs).toEqual({ length: 300_009 });
  });
});

describe('a join', () => {
  it('of any starts at the first edge, of a number at that many, and uneven branches never wait for each other', async () => {
    const name = randomUUID();
    const id = await worker.start({
      held: { type: 'test_gated', params: { gate: name } },
      a: constant(),
      b: constant(['a']),
      first: constant(['held', 'b'], { join: 'any' }),
      two: constant(['held', 'a', 'b'], { join: 2 }),
      all: constant(['held', 'a']),
    });
    const open = await worker.reaches(id, ({ nodes }) =>
      ['first', 'two'].every((each) => nodes[each]?.state === 'completed'),
    );
    expect(statesOf(open.nodes)).toMatchObject({ held: 'running', all: 'pending' });
    await until('the body runs', () => gate.isRunning(name));
    gate.open(name);
    expect((await worker.ended(id)).nodes['all']).toMatchObject({ state: 'completed' });
  });
});

describe('a cancelled execution', () => {
  it('awaits what runs, skips the rest, and is Canceled for Temporal', async () => {
    const name = randomUUID();
    const id = await worker.start({
      runs: { type: 'test_gated', params: { gate: name } },
      flaky: { type: 'test_failing', params: { times: 9 }, retry: { max_attempts: 10, initial: '60s' } },
      nap: { type: 'wait', params: { for: '1h' } },
      behind: constant(['runs']),
    });
    await until('the body runs', () => gate.isRunning(name));
    await worker.reaches(id, ({ nodes }) => nodes['nap']?.state === 'waiting');
    await until('the flaky one backs off', () => worker.eventsOf(id).some(({ type }) => type === 'node_retrying'));
    await worker.client.cancelExecution(id);
    const cancelling = await worker.reaches(
      id,
      ({ nodes }) => nodes['nap']?.state === 'skipped' && nodes['flaky']?.state === 'skipped',
    );
    expect(statesOf(cancelling.nodes)).toMatchObject({ runs: 'running', behind: 'skipped' });
    expect(await temporalStatus(id)).toBe('RUNNING');
    gate.open(name);
    const status = await worker.ended(id);
    expect(status).toMatchObject({ state: 'cancelled', nodes: { runs: { state: 'completed' } } });
    expect(await temporalStatus(id)).toBe('CANCELLED');
    expect(typesOf(id, 'behind')).toEqual(['node_skipped']);
    expect(counter.of(`${id}/flaky/0`)).toBe(1);
  });

  it('ends while it is halted', async () => {
    const id = await worker.start({ nap: { type: 'wait', params: { for: '1h' } }, behind: constant(['nap']) });
    await worker.reaches(id, ({ state }) => state === 'waiting');
    await worker.client.haltExecution(id, 'look');
    await worker.client.cancelExecution(id);
    expect(await worker.ended(id)).toMatchObject({ state: 'cancelled', nodes: { nap: { state: 'skipped' } } });
    expect(await temporalStatus(id)).toBe('CANCELLED');
  });

  it('ends before its first node, whose skip is told', async () => {
    await worker.stopWorker();
    const id = `exec_test_${randomUUID()}`;
    const handle = await worker.temporal.workflow.start('runGraph', {
      workflowId: id,
      taskQueue: worker.config.temporal.task_queue,
      args: [worker.prepare({ one: constant() })],
    });
    await handle.cancel();
    await worker.startWorker();
    expect(await worker.ended(id)).toMatchObject({ state: 'cancelled', nodes: { one: { state: 'skipped' } } });
    expect(typesOf(id, 'one')).toEqual(['node_skipped']);
  });
});

describe('a wide graph', () => {
  it('of 1,000 nodes completes, pure ones beside many that are not', async () => {
    const pure = Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`p${at}`, constant([`s${at % 60}`])]));
    const side = Object.fromEntries(
      Array.from({ length: 599 }, (_, at) => [
        `s${at}`,
        { type: 'test_slow', params: { ms: at < 60 ? 0 : 1, value: at } },
      ]),
    );
    const id = await worker.start({ ...side, ...pure, sink: constant([...Object.keys(side), ...Object.keys(pure)]) });
    const { state, nodes } = await worker.ended(id, 60_000);
    expect(state).toBe('completed');
    expect(Object.values(nodes).every((node) => node.state === 'completed')).toBe(true);
    for (let at = 0; at < 599; at += 1) expect(counter.of(`${id}/s${at}/0`)).toBe(1);
  });

  it('has at most 45 activities out, however many could start, so that their ends never fail a workflow task', async () => {
    const side = Object.fromEntries(
      Array.from({ length: 150 }, (_, at) => [`s${at}`, { type: 'test_slow', params: { ms: 0, value: at } }]),
    );
    await worker.stopWorker();
    const input = worker.prepare(side);
    const id = `exec_test_${randomUUID()}`;
    await worker.temporal.workflow.start('runGraph', {
      workflowId: id,
      taskQueue: worker.config.temporal.task_queue,
      args: [input],
    });
    await worker.startWorker();
    expect((await worker.ended(id, 60_000)).state).toBe('completed');
    const { events = [] } = await worker.temporal.workflow.getHandle(id).fetchHistory();
    let out = 0;
    let most = 0;
    for (const event of events ?? []) {
      if (event.activityTaskScheduledEventAttributes) out += 1;
      if (event.activityTaskCompletedEventAttributes) out -= 1;
      most = Math.max(most, out);
    }
    expect(most).toBe(45);
    expect((events ?? []).filter(({ workflowTaskFailedEventAttributes: failed }) => failed)).toEqual([]);
  });
});

describe('input that is no prepared graph', () => {
  const sound = { type: 'constant' };
  const kinds = {
    constant: {
      effect: 'pure',
      branches: [],
      formulas: [],
      timeout_ms: 1,
      retry: { max_attempts: 1, initial_ms: 1, backoff: 1, max_ms: 1 },
    },
  };
  it.each<[string, unknown[]]>([
    ['nothing', []],
    ['null', [null]],
    ['a text', ['graph']],
    ['an empty object', [{}]],
    ['a graph without kinds', [{ graph: { id: 'x', nodes: { a: sound } } }]],
    ['an unknown kind', [{ graph: { id: 'x', nodes: { a: { type: 'unheard' } } }, kinds }]],
    ['a node that is null', [{ graph: { id: 'x', nodes: { a: null } }, kinds }]],
    ['traits that are none', [{ graph: { id: 'x', nodes: { a: sound } }, kinds: { constant: {} } }]],
    [
      'nodes that wait for each other',
      [{ graph: { id: 'x', nodes: { a: { ...sound, after: ['b'] }, b: { ...sound, after: ['a'] } } }, kinds }],
    ],
    ['a retry below one', [{ graph: { id: 'x', nodes: { a: { ...sound, retry: { max_attempts: -1 } } } }, kinds }]],
  ])('fails with BadRequest instead of trying for ever: %s', async (_, args) => {
    const id = `exec_test_${randomUUID()}`;
    await worker.temporal.workflow.start('runGraph', {
      workflowId: id,
      taskQueue: worker.config.temporal.task_queue,
      args,
    });
    expect(await failureOf(id)).toMatchObject({ type: 'BadRequest', nonRetryable: true });
  });
});
