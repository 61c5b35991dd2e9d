import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { field, defineNode, output, type NodeOutcome } from '../../src/activities/define-node';
import { createNodeActivities } from '../../src/activities/node-activities';
import { nodeAttempt } from '../../src/activities/node-attempt';
import { OrderPending } from '../../src/activities/order-pending';
import { FileBlobStore } from '../../src/blobs/file-blob-store';
import { HoldfastError } from '../../src/errors';
import type { Publication } from '../../src/events/build';
import type { Effect } from '../../src/graph/kinds';
import type { NodeTask } from '../../src/graph/task';
import { NodeInterceptor } from '../../src/worker/node-interceptor';
import type { NodeEntry } from '../../src/worker/admission';
import { nodeContext } from '../support/node-context';
import { until } from '../support/until';

const task = (rest: Partial<NodeTask> = {}): NodeTask => ({ ...nodeContext().task, node_type: 'sample', ...rest });

interface Attempt {
  readonly attempt?: number;
  readonly isLocal?: boolean;
  readonly activityType?: string;
  /** Instead of admission. */
  readonly refusal?: NodeEntry;
}

/** The interceptor around one attempt, as a worker would build it. */
function interceptorFor({ attempt = 1, isLocal = false, activityType = 'sample', refusal }: Attempt = {}) {
  const told: Publication[] = [];
  const beats: number[] = [];
  const left: (string | undefined)[] = [];
  const watched: [NodeTask, OrderPending][] = [];
  const admitted: NodeEntry = { admitted: true, leave: (errorType) => void left.push(errorType) };
  const context = {
    info: { attempt, isLocal, activityType },
    heartbeat: () => void beats.push(Date.now()),
  } as unknown as Context;
  const interceptor = new NodeInterceptor(context, {
    isNode: (type) => type === 'sample',
    enter: () => refusal ?? admitted,
    publish: (publication) => void told.push(publication),
    keepWatch: (...words) => void watched.push(words),
  });
  const run = (of: NodeTask, body: () => Promise<unknown>) => interceptor.execute({ args: [of], headers: {} }, body);
  return { run, told, beats, left, watched, types: () => told.map(({ event }) => event.type) };
}

const outcome: NodeOutcome = { outputs: { value: 1 }, branch: 'pass' };

describe('the interceptor around a node', () => {
  it('tells start and end, and adds attempt and duration to the outcome', async () => {
    const { run, told, types } = interceptorFor({ attempt: 2 });
    expect(await run(task(), () => Promise.resolve(outcome))).toEqual({
      ...outcome,
      attempt: 2,
      duration_ms: expect.any(Number),
      ended_at: expect.any(Number),
    });
    expect(types()).toEqual(['node_started', 'node_completed']);
    expect(told[1]?.event).toMatchObject({ status: 'success', outputs: { value: 1 }, attempt: 2 });
  });

  it('has watch kept over an order that is open when the attempt ends, and over no other', async () => {
    const { run, watched } = interceptorFor();
    const pending = new OrderPending({ type: 'OrderOpen', message: 'it rests', retry_in_ms: 500, memo: 1 });
    await expect(run(task(), () => Promise.reject(pending))).rejects.toMatchObject({ type: 'OrderOpen' });
    await expect(run(task(), () => Promise.reject(new Error('odd')))).rejects.toMatchObject({ type: 'Unexpected' });
    expect(watched).toEqual([[task(), pending]]);
  });

  it('ends the attempt at the node’s timeout, aborts the body’s signal and ignores what it does later', async () => {
    const { run, types } = interceptorFor();
    let signal: AbortSignal | undefined;
    let late = false;
    const running = run(task({ timeout_ms: 20 }), async () => {
      signal = nodeAttempt.getStore()?.signal;
      await sleep(60);
      late = true;
      throw new Error('too late to matter');
    });
    await expect(running).rejects.toMatchObject({
      type: 'TimeoutError',
      message: 'no end within 0.02 s',
      nonRetryable: false,
    });
    expect(signal?.aborted).toBe(true);
    await until('the body has ended', () => late);
    expect(types()).toEqual(['node_started', 'node_failed']);
  });

  it('does not end an attempt early whose timeout is longer than a timer can be', async () => {
    const { run } = interceptorFor();
    const days = 100 * 86_400_000;
    expect(await run(task({ timeout_ms: days }), () => sleep(20, outcome))).toMatchObject(outcome);
  });

  it('tells that it will be tried again, and after how long, while attempts are left', async () => {
    const retry = { max_attempts: 3, initial_ms: 1_000, backoff: 10, max_ms: 5_000 };
    const refuse = () => Promise.reject(new HoldfastError('ConnectionError', 'refused'));
    const first = interceptorFor({ attempt: 1 });
    await expect(first.run(task({ retry }), refuse)).rejects.toMatchObject({
      type: 'ConnectionError',
      nonRetryable: false,
      details: [{ attempt: 1 }],
    });
    expect(first.told[1]?.event).toMatchObject({
      type: 'node_retrying',
      error_type: 'ConnectionError',
      next_attempt_ms: 1_000,
    });
    const second = interceptorFor({ attempt: 2 });
    await expect(second.run(task({ retry }), refuse)).rejects.toThrow('refused');
    expect(second.told[1]?.event).toMatchObject({ type: 'node_retrying', next_attempt_ms: 5_000 });
    const last = interceptorFor({ attempt: 3 });
    await expect(last.run(task({ retry }), refuse)).rejects.toThrow('refused');
    expect(last.told[1]?.event).toMatchObject({ type: 'node_failed', attempt: 3, error: 'refused' });
  });

  it('says of a failure that cannot be helped that it is final, whatever attempts are left', async () => {
    const { run, types } = interceptorFor();
    const retry = { max_attempts: 5, initial_ms: 1, backoff: 1, max_ms: 1 };
    const running = run(task({ retry }), () => Promise.reject(new TypeError('a mistake in the body')));
    const failure = await running.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApplicationFailure);
    expect(failure).toMatchObject({ type: 'Unexpected', nonRetryable: true });
    expect(types()).toEqual(['node_started', 'node_failed']);
  });

  it('counts attempts on from those of earlier dispatches, in what it tells, gives back and decides', async () => {
    const of = task({ used_attempts: 2, retry: { max_attempts: 5, initial_ms: 1_000, backoff: 2, max_ms: 60_000 } });
    const refuse = () => Promise.reject(new HoldfastError('ConnectionError', 'refused'));
    const third = interceptorFor({ attempt: 1 });
    await expect(third.run(of, refuse)).rejects.toMatchObject({ details: [{ attempt: 3 }], nextRetryDelay: 4_000 });
    expect(third.told.map(({ event }) => [event.type, event.attempt])).toEqual([
      ['node_started', 3],
      ['node_retrying', 3],
    ]);
    expect(third.told[1]?.event).toMatchObject({ next_attempt_ms: 4_000 });
    const fourth = interceptorFor({ attempt: 2 });
    expect(await fourth.run(of, () => Promise.resolve(outcome))).toMatchObject({ attempt: 4 });
    const fifth = interceptorFor({ attempt: 3 });
    const failure: unknown = await fifth.run(of, refuse).catch((error: unknown) => error);
    expect(failure).toMatchObject({ details: [{ attempt: 5 }] });
    expect(failure).not.toHaveProperty('nextRetryDelay', expect.anything());
    expect(fifth.types()).toEqual(['node_started', 'node_failed']);
  });

  it('counts from the first attempt where the task, handed out by an earlier release, says nothing of others', async () => {
    const { used_attempts, ...earlier } = task();
    expect(used_attempts).toBe(0);
    const { run, told } = interceptorFor({ attempt: 2 });
    expect(await run(earlier as NodeTask, () => Promise.resolve(outcome))).toMatchObject({ attempt: 2 });
    expect(told[0]?.event).toMatchObject({ attempt: 2 });
  });

  it.each(['CircuitOpen', 'Throttled'] as const)(
    'ends an attempt that is refused as %s with the moment to come again, and tells and runs nothing',
    async (type) => {
      const refusal: NodeEntry = { admitted: false, type, message: 'not now', retry_in_ms: 60_000.4 };
      const { run, types, beats } = interceptorFor({ attempt: 2, refusal });
      const before = Date.now();
      let ran = false;
      const running = run(task({ used_attempts: 1 }), () => Promise.resolve((ran = true)));
      const failure = await running.catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(ApplicationFailure);
      const { details, ...rest } = failure as ApplicationFailure;
      expect(rest).toMatchObject({ type, nonRetryable: true, category: 'BENIGN' });
      expect(details).toEqual([{ attempt: 3, retry_at: expect.stringMatching(/^\d{4}-.*Z$/), retry_in_ms: 60_001 }]);
      const { retry_at } = details?.[0] as { retry_at: string };
      expect(Date.parse(retry_at) - before).toBeGreaterThanOrEqual(60_001);
      expect(Date.parse(retry_at) - Date.now()).toBeLessThanOrEqual(60_001);
      expect([types(), beats, ran]).toEqual([[], [], false]);
    },
  );

  it('reports how each admitted attempt ended, its own timeout included, once', async () => {
    const well = interceptorFor();
    await well.run(task(), () => Promise.resolve(outcome));
    expect(well.left).toEqual([undefined]);
    const badly = interceptorFor();
    await badly.run(task(), () => Promise.reject(new HoldfastError('InvalidInput', 'no'))).catch(() => undefined);
    expect(badly.left).toEqual(['InvalidInput']);
    const late = interceptorFor();
    let ended = false;
    const body = async () => {
      await sleep(40);
      ended = true;
      return outcome;
    };
    await late.run(task({ timeout_ms: 10 }), body).catch(() => undefined);
    await until('the body has ended', () => ended);
    expect(late.left).toEqual(['TimeoutError']);
  });

  it('heartbeats while the body runs, and no longer', async () => {
    const { run, beats } = interceptorFor();
    let end = (): void => undefined;
    const running = run(
      task({ timeout_ms: 30_000 }),
      () =>
        new Promise(
          (resolve) =>
            (end = () => {
              resolve(outcome);
            }),
        ),
    );
    await until('it has beaten', () => beats.length > 0);
    end();
    await running;
    const beaten = beats.length;
    await sleep(1_100);
    expect(beats).toHaveLength(beaten);
  });

  it('passes activities that are no nodes untouched', async () => {
    const { run, types } = interceptorFor({ activityType: 'assertCanOperate' });
    await expect(run(task(), () => Promise.reject(new Error('as it is')))).rejects.toThrow(new Error('as it is'));
    expect(types()).toEqual([]);
  });
});

/** Nothing here is large enough for it. */
const unusedBlobs = new FileBlobStore('/nowhere');

describe('a node’s activity', () => {
  const kind = (effect: Effect) =>
    defineNode({
      type: 'sample',
      family: 'test',
      effect,
      description: 'Says what it was run with.',
      fields: { given: field.text('Passed through.', { default: '' }) },
      outputs: { idempotency_key: output('text', 'As told.') },
      run: (_, { idempotency_key }) => ({ outputs: { idempotency_key } }),
    });
  const activityOf = (effect: Effect) =>
    createNodeActivities([kind(effect)], { blobs: unusedBlobs, log: () => nodeContext().log })['sample'];

  it('has the same idempotency key at every attempt and dispatch, and another in another frame or generation', async () => {
    const activity = activityOf('read')!;
    const keyOf = async (of: NodeTask) => (await activity(of)).outputs['idempotency_key'];
    expect(await keyOf(task())).toBe('exec_test_00000000/node/1');
    expect(await keyOf(task({ dispatch: 9 }))).toBe('exec_test_00000000/node/1');
    expect(await keyOf(task({ generation: 2 }))).toBe('exec_test_00000000/node/2');
    expect(await keyOf(task({ frame: 'each[3]' }))).toBe('exec_test_00000000/each[3]/node/1');
  });

  it('refuses fields its kind does not accept, and control kinds have none', async () => {
    const activity = activityOf('read')!;
    await expect(activity(task({ fields: { given: 7 } }))).rejects.toMatchObject({ code: 'InvalidInput' });
    expect(activityOf('control')).toBeUndefined();
  });
});
