/**
 * Around every node's activity, in this order:
 *   - ends an attempt that a closed gate forbids with `EmergencyHalted`, which costs no attempt, and tells nothing; one that the desk
 *     or the gate refuses later, before anything was sent, ends in the same way;
 *   - ends an attempt that must not be made now with a deferral, and tells nothing; an attempt that is made reports how it ended;
 *   - tells that it started, how it ended, or that it will be tried again; telling never delays or fails it;
 *   - ends the attempt at the node's own timeout with `TimeoutError`: a body that ends later is ignored;
 *   - heartbeats every second, so that a killed worker is noticed in seconds and not at the node's timeout;
 *   - turns whatever was thrown into a failure of the catalogue, retryable or not.
 * A cancel request is not passed on: it comes from a halt, and what runs is left to its end.
 */
import { performance } from 'node:perf_hooks';
import type { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { classifyError, type ClassifiedError } from '../activities/classify-error';
import type { NodeOutcome } from '../activities/define-node';
import { nodeAttempt } from '../activities/node-attempt';
import { OrderPending } from '../activities/order-pending';
import { HoldfastError } from '../errors';
import { nodeEvent, type Publication } from '../events/build';
import { cutOutputs } from '../events/cut-outputs';
import type { NodeFact } from '../events/envelope';
import { retryDelay } from '../graph/back-off';
import type { Deferral, DeferralType, EmergencyRefusal, NodeResult, NodeTask, TimedOut } from '../graph/task';
import { present } from '../json';
import type { NodeEntry } from './admission';
import type { OpenSpan, SpanFailure } from '../tracing/tracer';
import type { GateVerdict } from './gate';
import type { BeginSpan } from './node-spans';

const HEARTBEAT_INTERVAL_MS = 1_000;
/** Beyond this `setTimeout` fires at once; no worker lives that long either (24.8 days). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface NodeInterceptorOptions {
  /** Activity types that are nodes; all others pass untouched. */
  readonly isNode: (activityType: string) => boolean;
  /** What the desk's gate says; without it all are open. */
  readonly verdict?: (task: NodeTask) => GateVerdict;
  /** Whether the attempt may be made now. */
  readonly enter: (task: NodeTask) => NodeEntry;
  readonly publish: (publication: Publication) => void;
  /** Without it nothing is traced. */
  readonly span?: BeginSpan;
  /** An attempt ends while its order is open; returns at once. */
  readonly keepWatch?: (task: NodeTask, pending: OrderPending) => void;
}

interface DeferralWords {
  readonly type: DeferralType;
  readonly message: string;
  readonly retry_in_ms: number;
  readonly memo?: unknown;
}

interface Ending {
  readonly entry: Extract<NodeEntry, { admitted: true }>;
  readonly duration_ms: number;
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
    const verdict = this.#options.verdict?.(task);
    if (verdict?.open === false) throw this.#halted(task, verdict);
    const entry = this.#options.enter(task);
    if (!entry.admitted) throw this.#deferral(task, entry);
    const span = this.#begin(task);
    const startedAt = performance.now();
    const elapsed = () => Math.round(performance.now() - startedAt);
    const stopHeartbeat = this.#startHeartbeat();
    if (task.trail?.memo === undefined) this.#tell(task, { type: 'node_started' });
    try {
      const outcome = await this.#withinTimeout(task, () => next(input) as Promise<NodeOutcome>);
      const result = this.#completed(task, outcome, elapsed());
      entry.leave();
      span.end();
      return result;
    } catch (error) {
      const failure = this.#ended(task, error, { entry, duration_ms: elapsed() });
      span.end(isBenign(failure) ? undefined : wordsOf(failure));
      throw failure;
    } finally {
      stopHeartbeat();
    }
  }

  #begin(task: NodeTask): Pick<OpenSpan, 'end'> {
    return this.#options.span?.(task, this.#attemptOf(task)) ?? UNTRACED;
  }

  #ended(task: NodeTask, error: unknown, { entry, duration_ms }: Ending): ApplicationFailure {
    if (error instanceof OrderPending) {
      entry.leave();
      this.#options.keepWatch?.(task, error);
      return this.#deferral(task, error);
    }
    const failure = classifyError(error);
    entry.leave(failure.type);
    const refusal = refusalBeforeSending(error);
    if (refusal !== undefined) return this.#halted(task, refusal);
    if (task.trail !== undefined && error instanceof NodeTimedOut) return this.#unreported(task, failure);
    return this.#failed(task, failure, duration_ms);
  }

  #completed(task: NodeTask, outcome: NodeOutcome, duration_ms: number): NodeResult {
    this.#tell(task, { type: 'node_completed', status: 'success', duration_ms, ...cutOutputs(outcome.outputs) });
    return { ...outcome, attempt: this.#attemptOf(task), duration_ms, ended_at: Date.now() };
  }

  #failed(task: NodeTask, failure: ClassifiedError, duration_ms: number): ApplicationFailure {
    const { message, type, retryable } = failure;
    const attempt = this.#attemptOf(task);
    const described = { error: message, error_type: type };
    const again = retryable && attempt < task.retry.max_attempts;
    const delay = retryDelay(task.retry, attempt);
    this.#tell(
      task,
      again
        ? { type: 'node_retrying', ...described, next_attempt_ms: delay }
        : { type: 'node_failed', ...described, duration_ms },
    );
    return ApplicationFailure.create({
      message,
      type,
      nonRetryable: !retryable,
      // Temporal's own back-off begins anew with every dispatch.
      ...(again ? { nextRetryDelay: delay } : {}),
      details: [{ attempt }],
    });
  }

  #deferral(task: NodeTask, { type, message, retry_in_ms, memo }: DeferralWords) {
    const wait = Math.ceil(retry_in_ms);
    const retry_at = new Date(Date.now() + wait).toISOString();
    const deferral: Deferral = { attempt: this.#attemptOf(task), retry_at, retry_in_ms: wait, ...present({ memo }) };
    const category = ApplicationFailureCategory.BENIGN;
    return ApplicationFailure.create({ message, type, nonRetryable: true, category, details: [deferral] });
  }

  /** What it may have sent is followed by the next dispatch, so nothing of the node has ended. */
  #unreported(task: NodeTask, { message, type }: ClassifiedError): ApplicationFailure {
    const details: TimedOut = { attempt: this.#attemptOf(task), timed_out: true };
    return ApplicationFailure.create({ message, type, nonRetryable: true, details: [details] });
  }

  #halted(task: NodeTask, { scope, reason, epoch }: Omit<EmergencyRefusal, 'attempt'>): ApplicationFailure {
    const refusal: EmergencyRefusal = { attempt: this.#attemptOf(task), scope, reason, epoch };
    const category = ApplicationFailureCategory.BENIGN;
    const message = `${scope} is closed: ${reason}`;
    const type = 'EmergencyHalted';
    return ApplicationFailure.create({ message, type, nonRetryable: true, category, details: [refusal] });
  }

  /** Counted over all dispatches of the node's generation; a task that an earlier release handed out knows of none. */
  #attemptOf({ used_attempts = 0 }: Partial<NodeTask>): number {
    return used_attempts + this.#context.info.attempt;
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

  async #withinTimeout(task: NodeTask, body: () => Promise<NodeOutcome>): Promise<NodeOutcome> {
    const controller = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => {
          const error = new NodeTimedOut(`no end within ${task.timeout_ms / 1_000} s`);
          controller.abort(error);
          reject(error);
        },
        Math.min(task.timeout_ms, LONGEST_TIMER_MS),
      );
    });
    try {
      return await Promise.race([nodeAttempt.run({ signal: controller.signal, run_id: this.#runId }, body), timedOut]);
    } finally {
      clearTimeout(timer);
    }
  }

  get #runId(): string {
    return this.#context.info.workflowExecution?.runId ?? '';
  }

  #tell(task: NodeTask, fact: NodeFact): void {
    const { node_id, node_type, frame, generation, dispatch } = task;
    const turn = { node_id, node_type, frame, generation, dispatch, attempt: this.#attemptOf(task) };
    this.#options.publish(nodeEvent(task, turn, fact, Date.now()));
  }
}

const UNTRACED = { end: () => undefined };

function wordsOf({ message, type }: ApplicationFailure): SpanFailure {
  return { error: message, error_type: type ?? 'Unexpected' };
}

/** A deferral, or a gate's refusal: the attempt was not made. */
function isBenign({ category }: ApplicationFailure): boolean {
  return category === ApplicationFailureCategory.BENIGN;
}

/** What a body was refused with that had sent nothing, so that it can be run once more. */
function refusalBeforeSending(error: unknown): Omit<EmergencyRefusal, 'attempt'> | undefined {
  if (!(error instanceof HoldfastError) || error.code !== 'EmergencyHalted') return undefined;
  const { unsent, scope, reason, epoch } = error.details;
  if (unsent !== true || typeof scope !== 'string' || typeof reason !== 'string') return undefined;
  return { scope, reason, epoch: typeof epoch === 'number' ? epoch : 0 };
}

/** The node's own time-out, not one that its body met. */
class NodeTimedOut extends HoldfastError {
  constructor(message: string) {
    super('TimeoutError', message);
  }
}
