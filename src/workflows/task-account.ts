/**
 * Whether what an instance of a workflow has done is in the history, or went ahead of it.
 *
 * A query that comes while no workflow task is out waits at the server for a worker, and that worker is given all events there are by then:
 * also those no workflow task has brought yet. The SDK (its core, in 1.20 to 1.24) runs the code upon them, keeps what it commands, and keeps
 * the instance for the next workflow task. What that brings first, signals and updates, then comes behind what the events brought, and is
 * recorded so; every replay has it before. So an activity that ended while no worker was left, a query, and an update made a history that no
 * other worker could ever go on with.
 *
 * The SDK does not say whom an activation is for, so events are counted. Where the next activation does not come behind a completed workflow
 * task and everything that was commanded, there was no such task. The counts are the least there can be: an instance in doubt is kept. Not
 * seen is therefore one that went ahead to the start of a task of another worker, commanded nothing there, and was given that task when it
 * failed; and one whose next task brought nothing, so that the SDK ended it by itself: that one is given up by the task behind it.
 */
type Members<T> = { readonly [K in keyof T]?: T[K] | null };

/** What an activation brings, of the SDK's own shape. */
export type Job = Members<{
  queryWorkflow: Members<{ queryId: string }>;
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

/** How far the history reached when code was run: events, and bytes up to the last workflow task. */
interface Place {
  readonly length: number;
  readonly size: number;
}

interface Account {
  readonly place: Place;
  /** The code ran without a workflow task. */
  readonly isTaskless: boolean;
  /** Events that must be in the history if what was commanded here is. */
  readonly commanded: number;
}

/** The id of a query that came by itself; one that came with a workflow task has another. */
const BY_ITSELF = 'legacy_query';
/** A workflow task's end, and the schedule and the start of the next. */
const BETWEEN_TASKS = 3;

export class TaskAccount {
  #last: Account = { place: { length: 0, size: -1 }, isTaskless: false, commanded: 0 };
  #before: Account = this.#last;
  #mayBeDropped = false;
  #wasAsked = false;

  /** A query alone; it runs no code. */
  asked(queryId: string | null | undefined): void {
    if (queryId === BY_ITSELF) this.#wasAsked = true;
  }

  /** False when what was done last is not in the history and never will be: then nothing more may be done upon it. */
  begin(place: Place, jobs: readonly Job[]): boolean {
    if (place.length === this.#last.place.length) return true;
    if (this.#wasAsked && this.#isAhead(place, jobs)) return false;
    this.#wasAsked = false;
    this.#before = this.#last;
    this.#mayBeDropped = jobs.every(({ doUpdate }) => doUpdate != null);
    // A size is written down with the start of a workflow task alone.
    const isTaskless = place.size > 0 && place.size === this.#last.place.size;
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
