/**
 * Whether an attempt may be made now: the resource's circuit breaker and the node's rate limit, both of this worker process.
 * A change of a breaker is told into the stream of the execution whose attempt brought it.
 */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { MetricMeter } from '@temporalio/common';
import { circuitEvent, nodeKey, type Publication } from '../events/build';
import type { DeferralType, NodeTask } from '../graph/task';
import { CircuitBreakers, verdictOn, type BreakerSettingsGiven, type StateChange } from '../resilience/breakers';
import { RateLimiters } from '../resilience/rate-limiter';

/** `leave`: to be called once, with the type of the error when the attempt failed. */
export type NodeEntry =
  | { readonly admitted: true; readonly leave: (errorType?: string) => void }
  | { readonly admitted: false; readonly type: DeferralType; readonly message: string; readonly retry_in_ms: number };

export interface AdmissionOptions {
  readonly circuit_breakers: BreakerSettingsGiven;
  readonly publish: (publication: Publication) => void;
  readonly meter: Pick<MetricMeter, 'createCounter'>;
  /** Milliseconds of a clock that never goes back; default the process's own. */
  readonly now?: () => number;
}

export class NodeAdmission {
  /** Breakers of another process, this one's predecessor above all, count their changes anew. */
  readonly #workerId = randomUUID();
  readonly #breakers: CircuitBreakers<NodeTask>;
  readonly #limiters = new RateLimiters();
  readonly #metrics: ReturnType<typeof circuitMetrics>;
  readonly #publish: AdmissionOptions['publish'];
  readonly #now: () => number;

  constructor({ circuit_breakers, publish, meter, now = () => performance.now() }: AdmissionOptions) {
    this.#publish = publish;
    this.#now = now;
    this.#metrics = circuitMetrics(meter);
    this.#breakers = new CircuitBreakers({
      settings: circuit_breakers,
      now,
      onChange: (change, task) => {
        this.#tell(change, task);
      },
    });
  }

  enter(task: NodeTask): NodeEntry {
    const { circuit_breaker: resource } = task;
    if (resource === undefined) return this.#takeCall(task) ?? { admitted: true, leave: () => undefined };
    const entry = this.#breakers.enter(resource, task);
    if (!entry.admitted) {
      this.#metrics.refusals.add(1, { resource });
      const message = `the circuit breaker of ${resource} admits no call now`;
      return { admitted: false, type: 'CircuitOpen', message, retry_in_ms: entry.retry_in_ms };
    }
    const throttled = this.#takeCall(task);
    if (throttled === undefined) {
      return {
        admitted: true,
        leave: (errorType) => {
          entry.leave(errorType === undefined ? 'success' : verdictOn(errorType));
        },
      };
    }
    entry.leave('neutral');
    return throttled;
  }

  /** Asked last, so that a call the breaker refuses is not counted against the limit. */
  #takeCall(task: NodeTask): NodeEntry | undefined {
    if (task.rate_limit === undefined) return undefined;
    const now = this.#now();
    const retryAt = this.#limiters.take(limitedName(task), task.rate_limit, now);
    if (retryAt === undefined) return undefined;
    const message = `the rate limit of ${task.circuit_breaker ?? task.node_id} is used up`;
    return { admitted: false, type: 'Throttled', message, retry_in_ms: retryAt - now };
  }

  #tell({ ordinal, ...change }: StateChange, task: NodeTask): void {
    const { resource, new_state } = change;
    this.#metrics.changes.add(1, { resource, new_state });
    const origin = { worker_id: this.#workerId, ordinal };
    this.#publish(circuitEvent(task, { type: 'circuit_state_changed', ...change }, origin, Date.now()));
  }
}

/** A node is the same in every item of a `map` and every turn of a `repeat`. */
function limitedName({ circuit_breaker, workflow_id, frame, node_id }: NodeTask): string {
  return circuit_breaker ?? `${workflow_id}/${nodeKey(frame.replaceAll(/\[\d+\]/g, ''), node_id)}`;
}

function circuitMetrics(meter: AdmissionOptions['meter']) {
  return {
    changes: meter.createCounter('holdfast_circuit_state_changes_total', undefined, 'Changes of circuit breakers.'),
    refusals: meter.createCounter('holdfast_circuit_refusals_total', undefined, 'Attempts a breaker refused.'),
  };
}
