/**
 * Around every node's activity, in this order:
 *   - tells that it started, how it ended, or that it will be tried again; telling never delays or fails it;
 *   - ends the attempt at the node's own timeout with `TimeoutError`: a body that ends later is ignored;
 *   - heartbeats every second, so that a killed worker is noticed in seconds and not at the node's timeout;
 *   - turns whatever was thrown into a failure of the catalogue, retryable or not.
 * A cancel request is not passed on: it comes from a halt, and what runs is left to its end.
 */
import { performance } from 'node:perf_hooks';
import type { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { classifyError, type ClassifiedError } from '../activities/classify-error';
import type { NodeOutcome } from '../activities/define-node';
import { nodeSignal } from '../activities/node-signal';
import { HoldfastError } from '../errors';
import { nodeEvent, type Publication } from '../events/build';
import type { NodeFact } from '../events/envelope';
import type { RetryTraits } from '../graph/kinds';
import type { NodeResult, NodeTask } from '../graph/task';
import { cutOutputs } from './cut-outputs';

const HEARTBEAT_INTERVAL_MS = 1_000;
/** Beyond this `setTimeout` fires at once; no worker lives that long either (24.8 days). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface NodeInterceptorOptions {
  /** Activity types that are nodes; all others pass untouched. */
  readonly isNode: (activityType: string) => boolean;
  readonly publish: (publication: Publication) => void;
}

export class NodeInterceptor implements ActivityInboundCallsInterceptor {
  readonly #context: Context;
  readonly #options: NodeInterceptorOptions;

  constructor(context: Context, options: NodeInterceptorOptions) {
    this.#context = context;
    this.#options = options;
  }

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    if (!this.#options.isNode(this.#context.info.activityType)) return next(input);
    const task = input.args[0] as NodeTask;
    const startedAt = performance.now();
    const elapsed = () => Math.round(performance.now() - startedAt);
    const stopHeartbeat = this.#startHeartbeat();
    this.#tell(task, { type: 'node_started' });
    try {
      const outcome = await withinTimeout(task, () => next(input) as Promise<NodeOutcome>);
      return this.#completed(task, outcome, elapsed());
    } catch (error) {
      throw this.#failed(task, classifyError(error), elapsed());
    } finally {
      stopHeartbeat();
    }
  }

  #completed(task: NodeTask, outcome: NodeOutcome, duration_ms: number): NodeResult {
    this.#tell(task, { type: 'node_completed', status: 'success', duration_ms, ...cutOutputs(outcome.outputs) });
    return { ...outcome, attempt: this.#attempt, duration_ms };
  }

  #failed(task: NodeTask, failure: ClassifiedError, duration_ms: number): ApplicationFailure {
    const { message, type, retryable } = failure;
    const described = { error: message, error_type: type };
    if (retryable && this.#attempt < task.retry.max_attempts) {
      this.#tell(task, { type: 'node_retrying', ...described, next_attempt_ms: retryDelay(task.retry, this.#attempt) });
    } else {
      this.#tell(task, { type: 'node_failed', ...described, duration_ms });
    }
    return ApplicationFailure.create({
      message,
      type,
      nonRetryable: !retryable,
      details: [{ attempt: this.#attempt }],
    });
  }

  get #attempt(): number {
    return this.#context.info.attempt;
  }

  #startHeartbeat(): () => void {
    if (this.#context.info.isLocal) return () => undefined;
    const timer = setInterval(() => {
      this.#context.heartbeat();
    }, HEARTBEAT_INTERVAL_MS);
    return () => {
      clearInterval(timer);
    };
  }

  #tell(task: NodeTask, fact: NodeFact): void {
    const { node_id, node_type, frame, generation, dispatch } = task;
    const turn = { node_id, node_type, frame, generation, dispatch, attempt: this.#attempt };
    this.#options.publish(nodeEvent(task, turn, fact, Date.now()));
  }
}

/** Temporal's own back-off after this attempt, in milliseconds. */
function retryDelay({ initial_ms, backoff, max_ms }: RetryTraits, attempt: number): number {
  return Math.min(initial_ms * backoff ** (attempt - 1), Math.max(max_ms, initial_ms));
}

async function withinTimeout(task: NodeTask, body: () => Promise<NodeOutcome>): Promise<NodeOutcome> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const timedOut = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => {
        const error = new HoldfastError('TimeoutError', `no end within ${task.timeout_ms / 1_000} s`);
        controller.abort(error);
        reject(error);
      },
      Math.min(task.timeout_ms, LONGEST_TIMER_MS),
    );
  });
  try {
    return await Promise.race([nodeSignal.run(controller.signal, body), timedOut]);
  } finally {
    clearTimeout(timer);
  }
}
