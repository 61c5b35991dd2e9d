/**
 * Whether what an instance of a workflow has done is in the history, or went ahead of it.
 *
 * A query that comes while no workflow task is out waits at the server for a worker, and that worker is given all events there are by then:
 * also those no workflow task has brought yet. The SDK (its core, in 1.20 to 1.24) runs the code upon them, keeps what it commands, and keeps
 * the instance for the next workflow task. What that brings first, signals and updates, then comes behind what the events brought, and is
 * recorded so; every replay has it before. And all of it was decided by the clock of the task before. So an activity that ended while no worker
 * was left, a query, and an update made a history that no other worker could ever go on with.
 *
 * The SDK does not say whom an activation is for, but clock and size are those of the start of a workflow task: where neither is another, none
 * had begun. Where one had begun, at another worker, events are counted: when the next activation does not come behind its end and everything
 * that was commanded, it came to nothing. The counts are the least there can be, so an instance in doubt is kept. Not seen is therefore one that
 * commanded nothing upon the task of another worker, and was given it when it failed.
 *
 * What ran without a task goes no further, so the next task begins from the history. But where that brings nothing more, the SDK completes it
 * without asking, with what was commanded by the older clock. A desk, which looks at the clock for much, therefore does not even run: the query
 * fails, and is answered when it is asked again. An execution runs, for one that was terminated could otherwise never say how it stood.
 */
type Members<T> = { readonly [K in keyof T]?: T[K] | null };

/** What an activation brings, of the SDK's own shape. */
export type Job = Members<{
  doUpdate: object;
  signalWorkflow: object;
  fireTimer: object;
  cancelWorkflow: object;
  resolveActivity: Members<{ isLocal: boolean; result: Members<{ completed: object; failed: object }> }>;
  resolveChildWorkflowExecutionStart: Members<{ succeeded: object }>;
  resolveChildWorkflowExecution: Members<{ result: Members<{ completed: object; failed: object }> }>;
}>;

/** What it commands. */
export type Command = Members<{
  scheduleActivity: object;
  startTimer: object;
  startChildWorkflowExecution: object;
  updateResponse: Members<{ rejected: object }>;
  requestCancelActivity: object;
  cancelTimer: object;
  cancelChildWorkflowExecution: object;
}>;

/** How far the history reached when code was run: in events, and in bytes and milliseconds as of the last workflow task. */
interface Place {
  readonly length: number;
  readonly size: number;
  readonly at: number;
}

interface Account {
  readonly place: Place;
  /** The code ran without a workflow task. */
  readonly isTaskless: boolean;
  /** Events that must be in the history if what was commanded here is. */
  readonly commanded: number;
}

/** In what it says of itself, by which a client knows it. */
export const AHEAD_OF_HISTORY = 'ran ahead of its history';

/** The id of a query that came by itself; one that came with a workflow task has another. */
const BY_ITSELF = 'legacy_query';
/** A workflow task's end, and the schedule and the start of the next. */
const BETWEEN_TASKS = 3;

export class TaskAccount {
  #last: Account = { place: { length: 0, size: -1, at: 0 }, isTaskless: false, commanded: 0 };
  #before: Account = this.#last;
  #mayBeDropped = false;
  #wasAsked = false;
  #now = 0;
  readonly #waits: boolean;

  /** `waits` for a task: nothing is run where none had begun. */
  constructor(waits = false) {
    this.#waits = waits;
  }

  /** A query runs no code. */
  asked(queryId: string | null | undefined): void {
    if (queryId === BY_ITSELF) this.#wasAsked = true;
  }

  /** False when nothing may be done: what was done last is not in the history and never will be, or this would not be. */
  begin(place: Place, jobs: readonly Job[]): boolean {
    const isTaskless = place.size > 0 && place.size === this.#last.place.size && place.at === this.#now;
    this.#now = place.at;
    // A worker that had to fetch the history of its task first may answer a query meanwhile, and run ahead upon the events of that very task.
    if (place.length === this.#last.place.length) return !this.#wasAsked;
    if ((this.#waits && isTaskless) || (this.#wasAsked && this.#isAhead(place, jobs))) return false;
    this.#wasAsked = false;
    this.#before = this.#last;
    this.#mayBeDropped = jobs.every(({ doUpdate }) => doUpdate != null);
    this.#last = { place, isTaskless, commanded: 0 };
    return true;
  }

  end(commands: readonly Command[]): void {
    // A task of nothing but refused updates leaves no trace in the history, and its places are taken by the next.
    const isDropped = this.#mayBeDropped && commands.every(({ updateResponse }) => updateResponse?.rejected != null);
    this.#mayBeDropped = false;
    if (isDropped) this.#last = this.#before;
    else this.#last = { ...this.#last, commanded: commands.reduce(withEvents, this.#last.commanded) };
  }

  #isAhead({ length }: Place, jobs: readonly Job[]): boolean {
    const { place, isTaskless, commanded } = this.#last;
    const brought = jobs.reduce((sum, job) => sum + eventsOfJob(job), 0);
    return isTaskless || length - place.length < BETWEEN_TASKS + Math.max(0, commanded) + brought;
  }
}

function eventsOfJob(job: Job): number {
  if (job.resolveActivity != null) return eventsOfActivity(job.resolveActivity);
  const child = job.resolveChildWorkflowExecution?.result;
  const started = job.resolveChildWorkflowExecutionStart?.succeeded;
  const single = [job.signalWorkflow, job.fireTimer, job.cancelWorkflow, started, child?.completed, child?.failed];
  return single.some(isThere) ? 1 : 0;
}

/** Its start is written with its end, but one that was never taken has none. A local one is written by the workflow's own task. */
function eventsOfActivity({ isLocal, result }: NonNullable<Job['resolveActivity']>): number {
  if (isLocal === true) return 0;
  if (isThere(result?.completed)) return 2;
  return isThere(result?.failed) ? 1 : 0;
}

/** What takes another back may leave both without a trace. */
function withEvents(sum: number, command: Command): number {
  const { scheduleActivity, startTimer, startChildWorkflowExecution, updateResponse } = command;
  const { requestCancelActivity, cancelTimer, cancelChildWorkflowExecution } = command;
  if ([requestCancelActivity, cancelTimer, cancelChildWorkflowExecution].some(isThere)) return sum - 1;
  const isAnswer = updateResponse != null && updateResponse.rejected == null;
  return isAnswer || [scheduleActivity, startTimer, startChildWorkflowExecution].some(isThere) ? sum + 1 : sum;
}

function isThere(value: unknown): boolean {
  return value !== null && value !== undefined;
}
