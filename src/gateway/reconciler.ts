/**
 * Says how executions end, once Temporal says so. A workflow's own word is only a hint, since the task it was said in may
 * never be recorded; and an execution that is terminated, times out or loses its events says nothing at all.
 *
 * R1. A terminal event follows a `describe` that shows the run closed.
 * R2. It comes after all node events: those the log lacks are told first, under the ids the worker would have used.
 * R3. Several gateways may do this at once: ids are the same, and the log takes each once.
 */
import { HoldfastError, messageOf } from '../errors';
import type { EventPublisher, EventReader, Snapshot } from '../event-log';
import { executionEvent, type ExecutionContext } from '../events/build';
import type { Graph } from '../graph/schema';
import type { Logger } from '../logging';
import type { ExecutionDescription, ExecutionSummary, HoldfastClient } from '../temporal-client/holdfast-client';
import { isComplete, missingNodeEvents } from './missing-events';
import { ownerOf } from './subscriptions';

export interface ReconcilerOptions {
  readonly client: HoldfastClient;
  readonly reader: EventReader;
  readonly publisher: EventPublisher;
  readonly log: Logger;
  /** Between two sweeps, default 3,000 ms. */
  readonly sweep_ms?: number;
}

const SWEEP_MS = 3_000;
/** For Redis, before the first sweep. */
const FIRST_WAIT_MS = 1_000;
/** After a hint: when to look whether the run is closed by now. Later the sweep finds it. */
const LOOK_AGAIN_MS = [0, 15, 30, 60, 120, 250, 500, 1_000, 2_000];
/** Closed executions the log knows nothing of are told when they ended no longer ago than this. */
const RECENT_MS = 15 * 60_000;
/** An execution Temporal does not know is given up after this long without an event. */
const LOST_AFTER_MS = 60_000;
const LIST_LIMIT = 200;
const AT_ONCE = 8;

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #settling = new Map<string, Promise<boolean>>();
  readonly #stopping = new AbortController();
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#sweeping = this.#sweepForEver();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled([this.#sweeping, ...this.#settling.values()]);
  }

  /** An execution may have ended: look now, and again shortly. */
  wake(executionId: string): void {
    void this.#watch(executionId);
  }

  async #watch(executionId: string): Promise<void> {
    for (const delay of LOOK_AGAIN_MS) {
      await this.#pause(delay);
      if (this.#stopping.signal.aborted || (await this.#settle(executionId))) return;
    }
  }

  async #sweepForEver(): Promise<void> {
    await this.#options.reader.ready(FIRST_WAIT_MS).catch(() => undefined);
    while (!this.#stopping.signal.aborted) {
      await this.#sweep().catch((error: unknown) => {
        this.#options.log.warn({ error: messageOf(error) }, 'reconciler_sweep_failed');
      });
      await this.#pause(this.#options.sweep_ms ?? SWEEP_MS);
    }
  }

  async #sweep(): Promise<void> {
    const { client, reader } = this.#options;
    const { executions } = await client.listExecutions({ limit: LIST_LIMIT });
    const known = await reader.progressOf(executions.map(({ execution_id }) => execution_id));
    const suspects = new Set(
      executions.filter((each) => isSuspect(each, known)).map(({ execution_id }) => execution_id),
    );
    const runs = new Set(executions.filter(isOpen).map(({ execution_id }) => execution_id));
    for (const { execution_id } of await reader.openExecutions())
      if (!runs.has(execution_id)) suspects.add(execution_id);
    const queue = [...suspects];
    const work = async () => {
      for (let id = queue.pop(); id !== undefined && !this.#stopping.signal.aborted; id = queue.pop()) {
        await this.#settle(id);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  }

  /** Tells what the log lacks of one execution. True once its end has been told. */
  #settle(executionId: string): Promise<boolean> {
    const running = this.#settling.get(executionId);
    if (running !== undefined) return running;
    const settling = this.#tell(executionId)
      .catch((error: unknown) => {
        this.#options.log.warn({ execution_id: executionId, error: messageOf(error) }, 'reconciling_failed');
        return false;
      })
      .finally(() => this.#settling.delete(executionId));
    this.#settling.set(executionId, settling);
    return settling;
  }

  async #tell(executionId: string): Promise<boolean> {
    const { client, reader } = this.#options;
    const description = await client.describeExecution(executionId).catch(unlessNotFound);
    const snapshot = await reader.snapshot(executionId);
    if (description === undefined) return this.#giveUp(executionId, snapshot);
    if (snapshot.ended) return true;
    if (!snapshot.started) await this.#tellStart(description);
    if (description.closing === undefined) return false;
    if (!isComplete(snapshot)) await this.#tellNodes(description, snapshot);
    this.#tellEnd(description, description.closing);
    return true;
  }

  async #tellStart(description: ExecutionDescription): Promise<void> {
    const { graph } = await this.#options.client.executionInput(description.execution_id);
    const fact = { type: 'execution_started', node_count: nodeCount(graph) } as const;
    this.#publish(executionEvent(contextOf(description), 0, fact, Date.parse(description.started_at)));
  }

  /** Without a worker nobody can say what the nodes did; the end is told nevertheless. */
  async #tellNodes(description: ExecutionDescription, snapshot: Snapshot): Promise<void> {
    try {
      const status = await this.#options.client.executionStatus(description.execution_id);
      const missing = missingNodeEvents(contextOf(description), status, snapshot, closeTime(description));
      for (const publication of missing) this.#publish(publication);
    } catch (error) {
      const { execution_id } = description;
      this.#options.log.warn({ execution_id, error: messageOf(error) }, 'node_states_unknown');
    }
  }

  #tellEnd(description: ExecutionDescription, closing: NonNullable<ExecutionDescription['closing']>): void {
    const { status } = closing;
    const type =
      status === 'completed' || status === 'cancelled' ? (`execution_${status}` as const) : 'execution_failed';
    this.#publish(executionEvent(contextOf(description), 'end', { type, ...closing }, closeTime(description)));
    const { execution_id, workflow_id, bot_id, strategy_id } = description;
    this.#options.log.info({ execution_id, workflow_id, bot_id, strategy_id, status }, 'execution_ended');
  }

  #giveUp(executionId: string, snapshot: Snapshot): boolean {
    const last = ownerOf(snapshot);
    if (last?.execution_id === undefined) return false;
    const newest = Math.max(...[last, ...Object.values(snapshot.nodes)].map((each) => Date.parse(each.timestamp)));
    if (snapshot.ended || Date.now() - newest < LOST_AFTER_MS) return snapshot.ended;
    const error = 'Temporal no longer knows this execution.';
    const fact = { type: 'execution_failed', status: 'terminated', duration_ms: 0, error } as const;
    const context = { ...last, execution_id: executionId };
    this.#publish(executionEvent(context, 'end', { ...fact, error_type: 'ExecutionNotFound' }, newest));
    return true;
  }

  #publish(publication: Parameters<EventPublisher['publish']>[0]): void {
    this.#options.publisher.publish(publication);
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      const timer = setTimeout(finish, ms);
      function finish() {
        clearTimeout(timer);
        signal.removeEventListener('abort', finish);
        resolve();
      }
      signal.addEventListener('abort', finish);
      if (signal.aborted) finish();
    });
  }
}

/** As the workflow counts: a `when` is a node of its own. */
function nodeCount({ nodes }: Graph): number {
  const specs = Object.values(nodes);
  return specs.length + specs.filter((spec) => spec.when !== undefined).length;
}

type Progress = Awaited<ReturnType<EventReader['progressOf']>>;

function isOpen({ closed_at }: ExecutionSummary): boolean {
  return closed_at === undefined;
}

/** Something Temporal knows and the log does not. */
function isSuspect(summary: ExecutionSummary, known: Progress): boolean {
  const progress = known.get(summary.execution_id);
  if (isOpen(summary)) return progress?.started !== true;
  return progress?.ended !== true && Date.now() - Date.parse(summary.closed_at ?? '') < RECENT_MS;
}

function unlessNotFound(error: unknown): undefined {
  if (error instanceof HoldfastError && error.code === 'ExecutionNotFound') return undefined;
  throw error;
}

function closeTime({ closed_at, started_at }: ExecutionDescription): number {
  return Date.parse(closed_at ?? started_at);
}

function contextOf({ execution_id, workflow_id, graph_version, bot_id, strategy_id, mode }: ExecutionDescription) {
  const context: ExecutionContext = {
    execution_id,
    workflow_id,
    graph_version,
    mode,
    ...(bot_id === undefined ? {} : { bot_id }),
    ...(strategy_id === undefined ? {} : { strategy_id }),
  };
  return context;
}
