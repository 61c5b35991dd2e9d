import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { field, defineNode, output, type NodeOutcome } from '../../src/activities/define-node';
import { createNodeActivities } from '../../src/activities/node-activities';
import { nodeSignal } from '../../src/activities/node-signal';
import { HoldfastError } from '../../src/errors';
import type { Publication } from '../../src/events/build';
import type { Effect } from '../../src/graph/kinds';
import type { NodeTask } from '../../src/graph/task';
import { cutOutputs } from '../../src/worker/cut-outputs';
import { NodeInterceptor } from '../../src/worker/node-interceptor';
import { nodeContext } from '../support/node-context';
import { until } from '../support/until';
import fc from 'fast-check';

const task = (rest: Partial<NodeTask> = {}): NodeTask => ({ ...nodeContext().task, node_type: 'sample', ...rest });

interface Attempt {
  readonly attempt?: number;
  readonly isLocal?: boolean;
  readonly activityType?: string;
}

/** The interceptor around one attempt, as a worker would build it. */
function interceptorFor({ attempt = 1, isLocal = false, activityType = 'sample' }: Attempt = {}) {
  const told: Publication[] = [];
  const beats: number[] = [];
  const context = {
    info: { attempt, isLocal, activityType },
    heartbeat: () => void beats.push(Date.now()),
  } as unknown as Context;
  const interceptor = new NodeInterceptor(context, {
    isNode: (type) => type === 'sample',
    publish: (publication) => void told.push(publication),
  });
  const run = (of: NodeTask, body: () => Promise<unknown>) => interceptor.execute({ args: [of], headers: {} }, body);
  return { run, told, beats, types: () => told.map(({ event }) => event.type) };
}

const outcome: NodeOutcome = { outputs: { value: 1 }, branch: 'pass' };

describe('the interceptor around a node', () => {
  it('tells start and end, and adds attempt and duration to the outcome', async () => {
    const { run, told, types } = interceptorFor({ attempt: 2 });
    expect(await run(task(), () => Promise.resolve(outcome))).toEqual({
      ...outcome,
      attempt: 2,
      duration_ms: expect.any(Number),
    });
    expect(types()).toEqual(['node_started', 'node_completed']);
    expect(told[1]?.event).toMatchObject({ status: 'success', outputs: { value: 1 }, attempt: 2 });
  });

  it('ends the attempt at the node’s timeout, aborts the body’s signal and ignores what it does later', async () => {
    const { run, types } = interceptorFor();
    let signal: AbortSignal | undefined;
    let late = false;
    const running = run(task({ timeout_ms: 20 }), async () => {
      signal = nodeSignal.getStore();
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

describe('a node’s activity', () => {
  const kind = (effect: Effect, size: number) =>
    defineNode({
      type: 'sample',
      family: 'test',
      effect,
      description: 'Gives a text of this size.',
      fields: { given: field.text('Passed through.', { default: '' }) },
      outputs: { text: output('text', 'Letters.') },
      run: (_, { idempotency_key, signal }) => ({
        outputs: { text: 'x'.repeat(size - '{"text":""}'.length), idempotency_key, aborted: signal.aborted },
      }),
    });
  const sized = (effect: Effect, size: number) => {
    const plain = kind(effect, size);
    const run: typeof plain.run = async (fields, context) => {
      const { outputs } = await plain.run(fields, context);
      return { outputs: { text: outputs['text'] } };
    };
    return createNodeActivities([{ ...plain, run }], () => nodeContext().log)['sample']!;
  };

  it.each([
    ['pure' as const, 16],
    ['read' as const, 256],
    ['notify' as const, 256],
  ])('of effect %s may give %d KiB and not a character more', async (effect, kib) => {
    expect(JSON.stringify((await sized(effect, kib * 1024)(task())).outputs)).toHaveLength(kib * 1024);
    await expect(sized(effect, kib * 1024 + 1)(task())).rejects.toMatchObject({ code: 'OutputTooLarge' });
  });

  it('has the same idempotency key at every attempt and dispatch, and another in another frame or generation', async () => {
    const activity = createNodeActivities([kind('read', 20)], () => nodeContext().log)['sample']!;
    const keyOf = async (of: NodeTask) => (await activity(of)).outputs['idempotency_key'];
    expect(await keyOf(task())).toBe('exec_test_00000000/node/1');
    expect(await keyOf(task({ dispatch: 9 }))).toBe('exec_test_00000000/node/1');
    expect(await keyOf(task({ generation: 2 }))).toBe('exec_test_00000000/node/2');
    expect(await keyOf(task({ frame: 'each[3]' }))).toBe('exec_test_00000000/each[3]/node/1');
  });

  it('refuses fields its kind does not accept, and control kinds have none', async () => {
    const activity = createNodeActivities([kind('read', 20)], () => nodeContext().log)['sample']!;
    await expect(activity(task({ fields: { given: 7 } }))).rejects.toMatchObject({ code: 'InvalidInput' });
    expect(createNodeActivities([kind('control', 20)], () => nodeContext().log)).toEqual({});
  });
});

describe('outputs in an event', () => {
  const LARGEST = 16 * 1024;

  it('are whole up to 16 KiB', () => {
    const outputs = { text: 'x'.repeat(LARGEST - '{"text":""}'.length) };
    expect(cutOutputs(outputs)).toEqual({ outputs });
    expect(cutOutputs({ text: `${outputs.text}y` })).toEqual({ outputs: { text: null }, truncated: true });
  });

  it('keep their smallest members, in their order, with null for the rest', () => {
    const cut = cutOutputs({ a: 'small', rows: 'x'.repeat(20_000), b: 7, gone: undefined });
    expect(cut).toEqual({ outputs: { a: 'small', rows: null, b: 7, gone: undefined }, truncated: true });
  });

  it('are empty when not even the names fit', () => {
    const names = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`member${at}`, at]));
    expect(cutOutputs(names)).toEqual({ outputs: {}, truncated: true });
  });

  it('never take more than 16 KiB', () => {
    const member = fc.oneof(
      fc.string({ maxLength: 50 }),
      fc.nat(9_000).map((size) => '"'.repeat(size)),
      fc.constant(null),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), member, { maxKeys: 40 }), fc.nat(2_000), (some, more) => {
        const outputs = { ...some, ...Object.fromEntries(Array.from({ length: more }, (_, at) => [`m${at}`, at])) };
        const cut = cutOutputs(outputs);
        expect(JSON.stringify(cut.outputs).length).toBeLessThanOrEqual(LARGEST);
        expect(cut.truncated).toBe(JSON.stringify(outputs).length > LARGEST ? true : undefined);
      }),
    );
  });
});
