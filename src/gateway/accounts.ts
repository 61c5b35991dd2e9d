/**
 * How executions stand, asked of Temporal for any number of clients. Of one execution one question is under way, of all so many; a worker
 * has two seconds to say it, then the history answers.
 */
import { HoldfastError } from '../errors';
import type { Cursor, Snapshot } from '../event-log';
import type { Publication } from '../events/build';
import type { EventEnvelope } from '../events/envelope';
import { isNotFound } from '../temporal-client/executions';
import type { ExecutionDescription, HoldfastClient } from '../temporal-client/holdfast-client';
import { SharedReads } from '../temporal-client/shared-read';
import type { RunTimeline } from '../temporal-client/timelines';
import type { ExecutionStatus } from '../workflows/messages';
import { closeTime, contextOf, endEvent, nodeCount, startEvent } from './execution-events';
import { historyEvents } from './history-account';
import { missingEvents } from './missing-events';
import { Places } from './places';
import { soon } from './soon';

/** `worker`: its own word, as complete as the log's. `history`: what Temporal keeps of its last runs, without outputs. */
export type AccountSource = 'worker' | 'history';

export interface Account {
  readonly about: ExecutionDescription;
  readonly source: AccountSource;
  readonly node_count: number;
  /** In order: of each node the last one stands. */
  readonly events: readonly Publication[];
}

type Told = Pick<Account, 'source' | 'events'>;

const QUESTIONS_AT_ONCE = 8;
/** Each may be some thousand events long. */
const HISTORIES_AT_ONCE = 2;
/** As long as who asked waits for the answer. */
const PATIENCE_MS = 2_000;
/** After so many in a row that no worker answered for, the history is asked at once for a while. */
const MOST_SILENT = 3;
const SILENCE_MS = 10_000;
/** Of an execution that went on in new runs, how far back its history is read. */
const RUNS = 5;

export class Accounts {
  readonly #client: HoldfastClient;
  readonly #questions = new Places(QUESTIONS_AT_ONCE, PATIENCE_MS);
  readonly #histories = new Places(HISTORIES_AT_ONCE, PATIENCE_MS);
  readonly #statuses: SharedReads<ExecutionStatus>;
  readonly #accounts = new Map<string, Promise<Account | undefined>>();
  #silent = 0;
  #silentUntil = 0;

  constructor(client: HoldfastClient) {
    this.#client = client;
    this.#statuses = new SharedReads((id) => this.#questions.within(() => client.executionStatus(id)));
  }

  /** Its own word, asked for after the call; undefined where no worker says it within two seconds. */
  async status(executionId: string): Promise<ExecutionStatus | undefined> {
    return soon(this.#statuses.get(executionId));
  }

  /** Undefined where Temporal knows no such execution. Callers join the one under way. Throws `TemporalUnavailable`. */
  async of(executionId: string): Promise<Account | undefined> {
    const running = this.#accounts.get(executionId);
    if (running !== undefined) return running;
    const asking = this.#ask(executionId).finally(() => this.#accounts.delete(executionId));
    this.#accounts.set(executionId, asking);
    return asking;
  }

  async #ask(id: string): Promise<Account | undefined> {
    try {
      const about = await this.#client.describeExecution(id);
      const [{ graph }, status] = await Promise.all([this.#client.executionInput(id), this.#word(id)]);
      const node_count = nodeCount(graph);
      const told = status === undefined ? await this.#fromHistory(about) : fromWorker(about, status);
      const { closing } = about;
      const end = closing === undefined ? [] : [endEvent({ ...about, closing })];
      return {
        about,
        node_count,
        source: told.source,
        events: [startEvent(about, node_count), ...told.events, ...end],
      };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #word(executionId: string): Promise<ExecutionStatus | undefined> {
    if (Date.now() < this.#silentUntil) return undefined;
    const status = await this.status(executionId);
    this.#silent = status === undefined ? this.#silent + 1 : 0;
    if (this.#silent >= MOST_SILENT) this.#silentUntil = Date.now() + SILENCE_MS;
    return status;
  }

  async #fromHistory(about: ExecutionDescription): Promise<Told> {
    const { execution_id } = about;
    const runs = await soon(this.#histories.within(() => this.#runs(execution_id)));
    if (runs === undefined) {
      const message = `Neither a worker nor the history said in time how ${execution_id} stands; ask again.`;
      throw new HoldfastError('TemporalUnavailable', message);
    }
    return { source: 'history', events: historyEvents(contextOf(about), about, runs) };
  }

  /** The latest first. */
  async #runs(executionId: string): Promise<RunTimeline[]> {
    const runs: RunTimeline[] = [];
    let runId: string | undefined;
    do {
      const run = await this.#client.runTimeline(executionId, runId);
      runs.push(run);
      runId = run.earlier_run;
    } while (runId !== undefined && runs.length < RUNS);
    return runs;
  }
}

function fromWorker(about: ExecutionDescription, status: ExecutionStatus): Told {
  const at = about.closing === undefined ? Date.now() : closeTime(about);
  return { source: 'worker', events: missingEvents(contextOf(status), status, { nodes: {} }, at) };
}

/** As the log would tell it. `position`: the log's; the events of an account have no number of their own, so theirs is 0. */
export function snapshotOf({ about, node_count, events }: Account, position: Cursor): Snapshot {
  const placed = events.map(({ key = '', event }): [string, EventEnvelope] => [
    key,
    { ...event, log_epoch: position.log_epoch, seq: 0 },
  ]);
  const entries = new Map(placed);
  const latest = entries.get('');
  entries.delete('');
  return {
    ...{ stream: about.execution_id, position, started: true, ended: about.closing !== undefined, node_count },
    ...(latest === undefined ? {} : { latest }),
    nodes: Object.fromEntries(entries),
  };
}
