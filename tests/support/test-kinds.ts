/** Node kinds only tests have: slow ones, failing ones, ones whose every run is counted at a receiver. */
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
