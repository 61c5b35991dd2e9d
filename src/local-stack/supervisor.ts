/** Looks after the parts of one stack: keeps the record, starts again what dies, stops all in order. */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../errors';
import { adopt, bringUp, end, type PartPlan, type Running } from './part';
import type { Progress } from './progress';
import { removeRecord, writeRecord, type Runs, type StackPaths, type StackRecord } from './record';

export type PartName = 'temporal' | 'redis' | 'postgresql' | 'worker' | 'gateway' | 'paper_venue';

/**
 * Commands of people come first, so the gateway goes first; the worker hands back its tasks while Temporal still runs, and the venue
 * is there for its last orders.
 */
const STOP_ORDER: readonly PartName[] = ['gateway', 'worker', 'paper_venue', 'postgresql', 'redis', 'temporal'];
/** The first death is answered at once; a part that keeps dying is tried ever less often. */
const BACK_OFF_MS = [0, 1_000, 2_000, 4_000, 8_000, 10_000];
/** A part that ran for so long is healthy, and its next death counts as the first. */
const STEADY_MS = 30_000;

export interface PartRequest {
  readonly name: PartName;
  readonly plan: PartPlan;
  readonly existing: Runs | undefined;
  /** What the record says about the part. */
  readonly describe: (runs: Runs) => Partial<StackRecord>;
}

interface Part {
  readonly request: PartRequest;
  running: Running;
}

export class Supervisor {
  readonly #paths: StackPaths;
  readonly #progress: Progress;
  readonly #parts = new Map<PartName, Part>();
  readonly #stopping = new AbortController();
  #record: StackRecord;
  #written: Promise<void> = Promise.resolve();

  constructor(paths: StackPaths, progress: Progress, record: StackRecord) {
    this.#paths = paths;
    this.#progress = progress;
    this.#record = record;
  }

  get record(): StackRecord {
    return this.#record;
  }

  /** Takes over or starts a part, waits until it is ready and looks after it from then on. */
  async add(request: PartRequest): Promise<void> {
    const existing = request.existing === undefined ? undefined : await adopt(request.existing);
    await this.#bringUp(request, existing);
    this.#stopping.signal.throwIfAborted();
    void this.#keep(request.name);
  }

  /** Stops every part, gateway first; without `graceful` they are killed. Safe to call again while it runs. */
  async stop(graceful: boolean): Promise<void> {
    this.#stopping.abort();
    // What cannot be written down must still be stopped.
    await this.#note({ stopping: true }).catch(() => undefined);
    for (const name of STOP_ORDER) {
      const part = this.#parts.get(name);
      if (part !== undefined) await end(part.request.plan, part.running, graceful ? Infinity : 0);
    }
    await this.#written;
    await removeRecord(this.#paths);
  }

  async #bringUp(request: PartRequest, existing: Running | undefined): Promise<void> {
    const hold = async (running: Running): Promise<void> => {
      this.#parts.set(request.name, { request, running });
      await this.#note(request.describe(running.runs));
      // A stop that began while the process was being started has not seen it.
      if (!this.#stopping.signal.aborted) return;
      await end(request.plan, running, 0);
      this.#stopping.signal.throwIfAborted();
    };
    if (existing !== undefined) await hold(existing);
    await bringUp(request.plan, existing, hold);
  }

  async #keep(name: PartName): Promise<void> {
    let deaths = 0;
    for (;;) {
      const begun = Date.now();
      const part = this.#parts.get(name);
      if (part === undefined) return;
      await part.running.exited;
      deaths = Date.now() - begun > STEADY_MS ? 0 : deaths;
      if (!(await this.#pause(BACK_OFF_MS[Math.min(deaths++, BACK_OFF_MS.length - 1)] ?? 0))) return;
      await this.#startAgain(part.request);
    }
  }

  async #startAgain(request: PartRequest): Promise<void> {
    const { name } = request.plan;
    this.#progress.say(`! ${name} ended unexpectedly and is started again`);
    try {
      await this.#progress.step(`${name} again`, () => this.#bringUp(request, undefined));
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#progress.say(messageOf(error));
    }
  }

  /** False when the stack is being stopped. */
  async #pause(ms: number): Promise<boolean> {
    const { signal } = this.#stopping;
    await delay(ms, undefined, { signal }).catch(() => undefined);
    return !signal.aborted;
  }

  /** Writes one after the other, so the file never goes back to an older state. */
  #note(change: Partial<StackRecord>): Promise<void> {
    this.#record = { ...this.#record, ...change };
    const record = this.#record;
    this.#written = this.#written.then(() => writeRecord(this.#paths, record));
    return this.#written;
  }
}
