/** Node kinds only tests have: slow ones, failing ones, held ones, ones whose every run is counted at a receiver. */
import { setTimeout as sleep } from 'node:timers/promises';
import { defineNode, field, output, type NodeKind } from '../../src/activities/define-node';
import { HoldfastError } from '../../src/errors';

/** Counts how often each node's body ran. */
export class RunCounter {
  readonly #runs = new Map<string, number>();

  count(key: string): number {
    const runs = this.of(key) + 1;
    this.#runs.set(key, runs);
    return runs;
  }

  of(key: string): number {
    return this.#runs.get(key) ?? 0;
  }
}

/** Fails its first `times` runs with a retryable error, then succeeds. */
export function failing(counter: RunCounter): NodeKind {
  return defineNode({
    type: 'test_failing',
    family: 'test',
    effect: 'read',
    description: 'Fails a number of times.',
    fields: { times: field.integer('How often.', { min: 0, max: 1_000 }) },
    outputs: { runs: output('integer', 'Runs so far.') },
    run: ({ times }, { idempotency_key }) => {
      const runs = counter.count(idempotency_key);
      if (runs <= times) throw new HoldfastError('ConnectionError', `refused, run ${runs}`);
      return { outputs: { runs } };
    },
  });
}

/** Takes `ms` milliseconds, and counts its runs. */
export function slow(counter: RunCounter): NodeKind {
  return defineNode({
    type: 'test_slow',
    family: 'test',
    effect: 'read',
    description: 'Takes its time.',
    fields: { ms: field.integer('How long.', { min: 0, max: 60_000 }), value: field.any('Passed on.') },
    outputs: { value: output('any', 'What was given.') },
    run: async ({ ms, value }, { idempotency_key }) => {
      counter.count(idempotency_key);
      await sleep(ms);
      return { outputs: { value } };
    },
  });
}

/** Takes `ms` milliseconds as a pure node: as a local activity, that is. */
export const slowPure: NodeKind = defineNode({
  type: 'test_slow_pure',
  family: 'test',
  effect: 'pure',
  description: 'Takes its time inside the workflow task.',
  fields: { ms: field.integer('How long.', { min: 0, max: 60_000 }) },
  outputs: { ms: output('integer', 'As given.') },
  run: async ({ ms }) => {
    await sleep(ms);
    return { outputs: { ms } };
  },
});

/** Fails with the error of the catalogue it is told to. */
export const refusing: NodeKind = defineNode({
  type: 'test_refusing',
  family: 'test',
  effect: 'read',
  description: 'Fails.',
  fields: {
    code: field.choice(['InvalidInput', 'DataUnavailable', 'ConnectionError', 'Unexpected'], 'With this error.'),
  },
  outputs: {},
  retry: { max_attempts: 3, initial_ms: 20 },
  run: ({ code }) => {
    throw new HoldfastError(code, 'as told');
  },
});

/** Gives a text of `size` characters. */
export const large: NodeKind = defineNode({
  type: 'test_large',
  family: 'test',
  effect: 'read',
  description: 'Gives a lot.',
  fields: { size: field.integer('How much.', { min: 0, max: 1_000_000 }) },
  outputs: { text: output('text', 'Letters.') },
  run: ({ size }) => ({ outputs: { text: 'x'.repeat(size) } }),
});

/** Says how long a text is; pure, so what is stored must be fetched for it. */
export const lengthOf: NodeKind = defineNode({
  type: 'test_length',
  family: 'test',
  effect: 'pure',
  description: 'Counts characters.',
  fields: { text: field.text('What is counted.') },
  outputs: { length: output('integer', 'Characters.') },
  run: ({ text }) => ({ outputs: { length: text.length } }),
});

/** Bodies that run until a test lets them end. */
export class Gate {
  readonly #bodies = new Map<string, { end: () => void; fail: (error: Error) => void }>();

  /** True while a body of this name runs. */
  isRunning(name: string): boolean {
    return this.#bodies.has(name);
  }

  open(name: string): void {
    this.#take(name).end();
  }

  fail(name: string, error: Error): void {
    this.#take(name).fail(error);
  }

  #take(name: string) {
    const body = this.#bodies.get(name);
    if (body === undefined) throw new Error(`no body ${name} runs`);
    this.#bodies.delete(name);
    return body;
  }

  readonly kind: NodeKind = defineNode({
    type: 'test_gated',
    family: 'test',
    effect: 'read',
    description: 'Runs until the test lets it end.',
    fields: { gate: field.text('Its name at the gate; unique in a test file.') },
    outputs: { passed: output('text', 'The name.') },
    retry: { max_attempts: 2, initial_ms: 20 },
    run: ({ gate }) =>
      new Promise((resolve, reject) => {
        this.#bodies.set(gate, {
          end: () => {
            resolve({ outputs: { passed: gate } });
          },
          fail: reject,
        });
      }),
  });
}

/** Says at a receiver that it runs, then takes `ms` milliseconds. */
export const counted: NodeKind = defineNode({
  type: 'test_counted',
  family: 'test',
  effect: 'notify',
  description: 'Counts its runs at a receiver.',
  fields: {
    url: field.text('The receiver.'),
    ms: field.integer('How long it takes after that.', { min: 0, max: 60_000 }),
    value: field.any('Passed on.'),
  },
  outputs: { value: output('any', 'What was given.') },
  run: async ({ url, ms, value }, { task: { node_id, frame, execution_id }, idempotency_key }) => {
    const arrival = { node_id, frame, execution_id, idempotency_key, pid: process.pid };
    await fetch(url, { method: 'POST', body: JSON.stringify(arrival) });
    await sleep(ms);
    return { outputs: { value } };
  },
});
