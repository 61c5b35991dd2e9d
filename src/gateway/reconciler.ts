/**
 * Keeps the log to what Temporal knows. A workflow's own word that it ended is only a hint, since the task it was said in may never be
 * recorded; an execution that is terminated, times out or is reset says nothing at all; and what a killed worker or a lost Redis took
 * with them nobody says again. What is told, and in which order, is the `ExecutionTeller`'s.
 *
 * - Every sweep compares the lists: what the log has not seen begin or end, or what is in another run, is told.
 * - When the log may have lost something (its server is another process, it was emptied, a publisher had to drop), every open execution is
 *   asked how it stands; and some are in every sweep, those first that were asked longest ago.
 * - Of one execution at most one question is under way, of all so many; each has a deadline, and no sweep waits for an answer.
 */
import { messageOf } from '../errors';
import type { Gap, Progress } from '../event-log';
import { isNotFound } from '../temporal-client/executions';
import type { ExecutionSummary } from '../temporal-client/holdfast-client';
import { ExecutionTeller, isSilence, type Repaired, type TellerOptions } from './execution-teller';
import { Lanes } from './lanes';
import { takeSurvey, type Survey } from './survey';

export interface ReconcilerOptions extends TellerOptions {
  /** Between two sweeps, default 3,000 ms. */
  readonly sweep_ms?: number;
}

const SWEEP_MS = 3_000;
/** How soon a log that was emptied or replaced is noticed. */
const NOTICE_MS = 500;
/** For Redis, before the first sweep. */
const FIRST_WAIT_MS = 1_000;
/** After a hint: when to look whether the run is closed by now. Later the sweep finds it. */
const LOOK_AGAIN_MS = [0, 15, 30, 60, 120, 250, 500, 1_000, 2_000];
const TOLD_AT_ONCE = 8;
/** Beside them, so that what waits for a worker's answer holds up nothing else. */
const ASKED_AT_ONCE = 4;
/** Of thousands of open executions a sweep lists the latest, and every so many sweeps all. */
const WHOLE_EVERY = 20;
/** Open executions a sweep compares with their own word although nothing speaks for it. */
const AUDITS = 20;
/** What is not wholly told is asked for so often: a worker may come. */
const MOST_TRIES = 100;

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #teller: ExecutionTeller;
  readonly #settling = new Map<string, Promise<boolean>>();
  readonly #told = new Lanes(TOLD_AT_ONCE);
  readonly #asked = new Lanes(ASKED_AT_ONCE);
  readonly #stopping = new AbortController();
  /** By execution: the run it was in when it was listed last. */
  #runs: ReadonlyMap<string, string> = new Map();
  /** Executions that are in another run than before, until that was looked at. */
  readonly #moved = new Set<string>();
  /** Executions whose log may lack something, and how often they were asked. */
  readonly #doubtful = new Map<string, number>();
  #doubtsAll = false;
  /** By open execution: the number of the sweep that compared it last. */
  readonly #audited = new Map<string, number>();
  #sweeps = 0;
  #logId: string | undefined;
  /** The log of the last sweep that began, whether or not it was finished. */
  #noticed: string | undefined;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#teller = new ExecutionTeller(options);
  }

  start(): void {
    this.#sweeping = this.#sweepForEver();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#sweeping;
    await Promise.allSettled([this.#told.clear(), this.#asked.clear(), ...this.#settling.values()]);
  }

  /** An execution may have ended: look now, and again shortly. */
  wake(executionId: string): void {
    void this.#watch(executionId);
  }

  /** Events of these were dropped: what they said is told again from the executions' own word. */
  doubt({ streams, complete }: Pick<Gap, 'streams' | 'complete'>): void {
    // The desk's stream is no execution's.
    for (const stream of streams) if (!stream.includes('/')) this.#doubtful.set(stream, 0);
    if (!complete) this.#doubtsAll = true;
  }

  async #watch(executionId: string): Promise<void> {
    for (const delay of LOOK_AGAIN_MS) {
      await this.#pause(delay);
      if (this.#isStopping || (await this.#settle(executionId))) return;
    }
  }

  get #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #sweepForEver(): Promise<void> {
    await this.#options.reader.ready(FIRST_WAIT_MS).catch(() => undefined);
    while (!this.#isStopping) {
      await this.#sweep().catch((error: unknown) => {
        this.#options.log.warn({ error: messageOf(error) }, 'reconciler_sweep_failed');
      });
      await this.#untilNextSweep();
    }
  }

  /** What a log lost that is another one now is told again at once. */
  async #untilNextSweep(): Promise<void> {
    const { reader, sweep_ms = SWEEP_MS } = this.#options;
    const next = Date.now() + sweep_ms;
    for (let rest = sweep_ms; rest > 0 && !this.#isStopping; rest = next - Date.now()) {
      await this.#pause(Math.min(rest, NOTICE_MS));
      const logId = await reader.logId().catch(() => undefined);
      if (logId !== undefined && logId !== this.#noticed) return;
    }
  }

  async #sweep(): Promise<void> {
    const { client, reader } = this.#options;
    const logId = await this.#currentLog();
    this.#noticed = logId;
    const isNew = logId !== this.#logId;
    const isWhole = isNew || this.#sweeps % WHOLE_EVERY === 0;
    this.#sweeps += 1;
    const survey = await takeSurvey(client, isWhole, Date.now());
    const all = [...survey.open, ...survey.closed];
    const known = await reader.progressOf(all.map(idOf));
    this.#lookAtRuns(all);
    for (const id of await this.#suspectsOf(survey, known)) this.#told.add(id, () => this.#settle(id));
    if (isNew || this.#doubtsAll) for (const { execution_id } of survey.open) this.#doubtful.set(execution_id, 0);
    this.#doubtsAll = false;
    this.#logId = logId;
    if (this.#teller.isSilent) return;
    for (const id of this.#doubtful.keys()) this.#asked.add(id, () => this.#repair(id));
    if (isWhole) this.#forgetAllBut(survey.open);
    this.#audit(survey.open.map(idOf), known);
  }

  /** Begun before anything is told: the first event told must not make it look like another log once more. */
  async #currentLog(): Promise<string> {
    const { reader, publisher } = this.#options;
    const found = await reader.logId();
    if (found === this.#logId) return found;
    // Where Redis or the layout forbids it, publishing says so; the log is then compared once more.
    await publisher.begin().catch(() => undefined);
    return reader.logId();
  }

  #lookAtRuns(all: readonly ExecutionSummary[]): void {
    for (const { execution_id, run_id } of all) {
      const before = this.#runs.get(execution_id);
      if (before !== undefined && before !== run_id) this.#moved.add(execution_id);
    }
    this.#runs = new Map(all.map(({ execution_id, run_id }) => [execution_id, run_id]));
  }

  /** What Temporal knows and the log does not, or the other way round. */
  async #suspectsOf({ open, closed }: Survey, known: ReadonlyMap<string, Progress>): Promise<Set<string>> {
    const isOdd = (id: string, isClosed: boolean) => {
      const progress = known.get(id);
      return progress?.started !== true || progress.ended !== isClosed;
    };
    const runs = new Set(open.map(idOf));
    const suspects = new Set([
      ...[...runs].filter((id) => isOdd(id, false)),
      ...closed.map(idOf).filter((id) => isOdd(id, true)),
      ...this.#moved,
    ]);
    for (const { execution_id } of await this.#options.reader.openExecutions())
      if (!runs.has(execution_id)) suspects.add(execution_id);
    return suspects;
  }

  #audit(open: readonly string[], known: ReadonlyMap<string, Progress>): void {
    const last = (id: string) => this.#audited.get(id) ?? 0;
    const next = open.toSorted((a, b) => last(a) - last(b)).slice(0, AUDITS);
    for (const id of next) {
      const position = known.get(id)?.position;
      this.#audited.set(id, this.#sweeps);
      if (position === undefined) continue;
      this.#asked.add(id, () => this.#teller.audit(id, position).catch(this.#report(id)));
    }
  }

  #forgetAllBut(open: readonly ExecutionSummary[]): void {
    const ids = new Set(open.map(idOf));
    for (const id of this.#audited.keys()) if (!ids.has(id)) this.#audited.delete(id);
    this.#teller.keepOnly(ids);
  }

  async #repair(executionId: string): Promise<void> {
    const tries = (this.#doubtful.get(executionId) ?? 0) + 1;
    const repaired = await this.#teller.repair(executionId).catch((error: unknown): Repaired => {
      this.#report(executionId)(error);
      // Of what Temporal does not know there is nothing to be told.
      return isNotFound(error) ? 'whole' : 'partly';
    });
    if (repaired !== 'partly' || tries >= MOST_TRIES) this.#doubtful.delete(executionId);
    else this.#doubtful.set(executionId, tries);
  }

  /** Tells what the log lacks of one execution. True once its end has been told. */
  #settle(executionId: string): Promise<boolean> {
    const running = this.#settling.get(executionId);
    if (running !== undefined) return running;
    const settling = this.#tell(executionId)
      .catch((error: unknown) => {
        this.#report(executionId)(error);
        return false;
      })
      .finally(() => this.#settling.delete(executionId));
    this.#settling.set(executionId, settling);
    return settling;
  }

  async #tell(executionId: string): Promise<boolean> {
    const hasMoved = this.#moved.has(executionId);
    const { isEnded, isWhole } = await this.#teller.tell(executionId, hasMoved);
    this.#moved.delete(executionId);
    if (isWhole) return isEnded;
    this.#doubtful.set(executionId, this.#doubtful.get(executionId) ?? 0);
    // What a reset undid is shown no longer than it must; of others the worker tells most by itself before the next sweep.
    if (hasMoved && !this.#teller.isSilent) this.#asked.add(executionId, () => this.#repair(executionId));
    return isEnded;
  }

  #report(execution_id: string): (error: unknown) => void {
    return (error) => {
      // The teller says once that no worker answers.
      if (!isSilence(error)) this.#options.log.warn({ execution_id, error: messageOf(error) }, 'reconciling_failed');
    };
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

function idOf({ execution_id }: ExecutionSummary): string {
  return execution_id;
}
