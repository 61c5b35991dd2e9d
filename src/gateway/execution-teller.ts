/**
 * Says of one execution what the log lacks, from what Temporal knows.
 *
 * R1. A terminal event follows a `describe` that shows the run closed.
 * R2. It comes after all node events: those the log lacks are told first, under the ids the worker would have used.
 * R3. Several gateways may do this at once: ids are the same, and the log takes each once. What costs a worker something, its account of an
 *     execution, one of them asks for.
 * R4. An execution that a reset made run again begins a new log: what the old one says was undone, and comes again under the same ids.
 */
import { randomUUID } from 'node:crypto';
import { HoldfastError, messageOf } from '../errors';
import { orderOf, type Cursor, type EventPublisher, type EventReader, type Snapshot } from '../event-log';
import { executionEvent, type Publication } from '../events/build';
import type { Logger } from '../logging';
import { isNotFound } from '../temporal-client/executions';
import type { ExecutionDescription, HoldfastClient } from '../temporal-client/holdfast-client';
import type { ExecutionStatus } from '../workflows/messages';
import { closeTime, contextOf, endEvent, nodeCount, startEvent, type ClosedDescription } from './execution-events';
import { isComplete, isEnd, missingEvents } from './missing-events';
import { ownerOf } from './subscriptions';

export interface TellerOptions {
  readonly client: HoldfastClient;
  readonly reader: EventReader;
  readonly publisher: EventPublisher;
  readonly log: Logger;
}

export interface Told {
  readonly isEnded: boolean;
  /** False while what its nodes did is not all told: no worker says it, or has just said it. */
  readonly isWhole: boolean;
}

/** `partly`: something is left, which its worker may tell yet. `elsewhere`: another gateway is at it. */
export type Repaired = 'whole' | 'partly' | 'elsewhere';

/** An execution Temporal does not know is given up after this long without an event. */
const LOST_AFTER_MS = 60_000;
/** A log that knows of an execution from its start was begun this soon after it; later it may have lost what came before. */
const BORN_WITHIN_MS = 2_000;
/** A worker's own word of an end, with outputs the execution may have dropped by now, is on its way for so long. */
const ON_ITS_WAY_MS = 2_000;
/** After so many in a row that no worker answered for, none is asked for a while: each question takes five seconds. */
const MOST_SILENT = 3;
const SILENCE_MS = 10_000;

export class ExecutionTeller {
  readonly #options: TellerOptions;
  /** Who it is among the gateways. */
  readonly #name = randomUUID();
  /** By execution: how it and its log stood when they agreed; empty when they did not. */
  readonly #agreed = new Map<string, string>();
  #silent = 0;
  #silentUntil = 0;

  constructor(options: TellerOptions) {
    this.#options = options;
  }

  /** No worker has answered for the last ones, so for a while none is asked. */
  get isSilent(): boolean {
    return Date.now() < this.#silentUntil;
  }

  /** Tells what the log lacks, but for what the nodes of an open one did: `repair` does. `isNewRun`: its run was not seen before. */
  async tell(executionId: string, isNewRun = false): Promise<Told> {
    const { client, reader } = this.#options;
    // Before: what had ended by then and is open after it runs again.
    const standing = await reader.snapshot(executionId);
    const description = await client.describeExecution(executionId).catch(unlessNotFound);
    if (description === undefined) return { isEnded: await this.#giveUp(executionId, standing), isWhole: true };
    const isAnew = await this.#beginAnew(description, standing, isNewRun);
    const snapshot = isAnew ? await reader.snapshot(executionId) : standing;
    const { started, ended } = snapshot;
    if (!started) await this.#tellStart(description);
    const { closing } = description;
    if (closing === undefined) return { isEnded: false, isWhole: started };
    if (started && ended) return { isEnded: true, isWhole: true };
    return this.#tellClosed({ ...description, closing }, snapshot);
  }

  /**
   * Tells of nodes and halts what the log lacks. `at`: when it closed; then all of it, else what has ended just now is left to its worker.
   * Throws `WorkerUnavailable`.
   */
  async repair(executionId: string, at?: number): Promise<Repaired> {
    if (!(await this.#options.publisher.claim(executionId, this.#name))) return 'elsewhere';
    const status = await this.#status(executionId);
    // After it: what was told meanwhile is newer than the account, and is not told again.
    const snapshot = await this.#options.reader.snapshot(executionId);
    const now = Date.now();
    const missing = missingEvents(contextOf(status), status, snapshot, at ?? timeOf(snapshot, now));
    const isOnItsWay = ({ event }: Publication) => isEnd(event) && now - Date.parse(event.timestamp) < ON_ITS_WAY_MS;
    const told = at === undefined && !snapshot.ended ? missing.filter((each) => !isOnItsWay(each)) : missing;
    for (const publication of told) this.#publish(publication);
    if (told.length > 0) {
      const { workflow_id, bot_id, strategy_id } = status;
      const entry = { execution_id: executionId, workflow_id, bot_id, strategy_id, events: told.length };
      this.#options.log.info(entry, 'events_told_again');
    }
    return told.length === missing.length ? 'whole' : 'partly';
  }

  /** Compares an open execution with its log, whose position is given, unless nothing happened to either since they agreed. */
  async audit(executionId: string, { log_epoch, seq }: Cursor): Promise<void> {
    const { client, publisher } = this.#options;
    const mark = await client.executionMark(executionId);
    const [runId = ''] = mark.split(' ');
    if (!this.#agreed.has(executionId) && (await client.runOrigin(executionId, runId)).was_reset) {
      if (await publisher.renew(executionId, runId)) await this.tell(executionId);
    }
    const stands = `${mark} ${log_epoch} ${seq}`;
    if (this.#agreed.get(executionId) === stands) return;
    this.#agreed.set(executionId, '');
    if ((await this.repair(executionId)) === 'whole') this.#agreed.set(executionId, stands);
  }

  /** Forgets what is none of these. */
  keepOnly(executionIds: ReadonlySet<string>): void {
    for (const id of this.#agreed.keys()) if (!executionIds.has(id)) this.#agreed.delete(id);
  }

  /** Only a reset opens what has ended; one of an open execution shows as another run, which going on in a new one does too. */
  async #beginAnew(
    { execution_id, run_id, closing }: ExecutionDescription,
    { ended }: Snapshot,
    isNewRun: boolean,
  ): Promise<boolean> {
    const { client, publisher } = this.#options;
    const isOpenAgain = ended && closing === undefined;
    if (!isOpenAgain && !(isNewRun && (await client.runOrigin(execution_id, run_id)).was_reset)) return false;
    return publisher.renew(execution_id, run_id);
  }

  async #tellClosed(description: ClosedDescription, snapshot: Snapshot): Promise<Told> {
    const at = closeTime(description);
    const isKnown = isComplete(snapshot) && isOfItsWholeLife(snapshot, description);
    const nodes = isKnown ? 'whole' : await this.#tellNodes(description.execution_id, at);
    // Whoever tells of the nodes tells the end after them.
    if (nodes === 'elsewhere') return { isEnded: false, isWhole: true };
    if (!snapshot.ended) this.#tellEnd(description);
    return { isEnded: true, isWhole: nodes === 'whole' };
  }

  async #tellStart(description: ExecutionDescription): Promise<void> {
    const { graph } = await this.#options.client.executionInput(description.execution_id);
    this.#publish(startEvent(description, nodeCount(graph)));
  }

  /** Without a worker nobody can say what the nodes did; start and end are told nevertheless. */
  async #tellNodes(execution_id: string, at: number): Promise<Repaired> {
    try {
      return await this.repair(execution_id, at);
    } catch (error) {
      if (!isSilence(error)) this.#options.log.warn({ execution_id, error: messageOf(error) }, 'node_states_unknown');
      return 'partly';
    }
  }

  #tellEnd(description: ClosedDescription): void {
    this.#publish(endEvent(description));
    const { status } = description.closing;
    const { execution_id, workflow_id, bot_id, strategy_id } = description;
    this.#options.log.info({ execution_id, workflow_id, bot_id, strategy_id, status }, 'execution_ended');
  }

  async #giveUp(executionId: string, snapshot: Snapshot): Promise<boolean> {
    const last = ownerOf(snapshot);
    if (last?.execution_id === undefined) return false;
    const newest = Math.max(...[last, ...Object.values(snapshot.nodes)].map((each) => Date.parse(each.timestamp)));
    // Facts may be told long after they came about.
    const moved = (await this.#options.reader.movedAt(executionId)) ?? newest;
    if (snapshot.ended || Date.now() - Math.max(moved, newest) < LOST_AFTER_MS) return snapshot.ended;
    const error = 'Temporal no longer knows this execution.';
    const fact = { type: 'execution_failed', status: 'terminated', duration_ms: 0, error } as const;
    const context = { ...last, execution_id: executionId };
    this.#publish(executionEvent(context, 'end', { ...fact, error_type: 'ExecutionNotFound' }, newest));
    return true;
  }

  async #status(executionId: string): Promise<ExecutionStatus> {
    if (this.isSilent) {
      throw new HoldfastError('WorkerUnavailable', 'No worker answered for other executions just now.');
    }
    try {
      const status = await this.#options.client.executionStatus(executionId);
      this.#silent = 0;
      return status;
    } catch (error) {
      if (isSilence(error)) this.#countSilence();
      throw error;
    }
  }

  #countSilence(): void {
    this.#silent += 1;
    if (this.#silent < MOST_SILENT) return;
    if (!this.isSilent) this.#options.log.warn({ for_ms: SILENCE_MS }, 'no_worker_answers');
    this.#silentUntil = Date.now() + SILENCE_MS;
  }

  #publish(publication: Publication): void {
    this.#options.publisher.publish(publication);
  }
}

function unlessNotFound(error: unknown): undefined {
  if (isNotFound(error)) return undefined;
  throw error;
}

export function isSilence(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'WorkerUnavailable';
}

/**
 * Whether the log has had the execution since it began. One that was emptied or put back may lack all of a loop's iteration, which nothing
 * in the log speaks of.
 */
function isOfItsWholeLife({ position }: Snapshot, { started_at }: ExecutionDescription): boolean {
  const [since, born] = orderOf(position.log_epoch);
  return since <= born && born - Date.parse(started_at) < BORN_WITHIN_MS;
}

/** Of what an account gives no time of: it was before the end. */
function timeOf({ ended, latest }: Snapshot, now: number): number {
  return ended && latest !== undefined ? Date.parse(latest.timestamp) : now;
}
