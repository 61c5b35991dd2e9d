/**
 * When an execution continues in a new run: history is replayed whole whenever a worker takes an execution over, and a server
 * refuses more than 51,200 events. Nothing starts that could take the history past its share.
 */
import { workflowInfo } from '@temporalio/workflow';
import type { ExecutionSettings } from './messages';

/** Replay of a mixed graph took 2 s for 3,500 events and 0.9 to 1.3 s for 1,500, and shorter runs were not slower as a whole. */
const EVENTS = 1_500;
const TASKS = 200;
/** Whoever raises what may be out at once raises this with it: a run must have room for it. */
const EVENTS_PER_ROOM = 3.5;
/** What an activity that is out still adds: started, ended. */
const EVENTS_PER_ACTIVITY = 2;
/** By how much a run is lengthened whose activities do not end, and where that stops. */
const MORE_EVENTS = 1_000;
const MORE_TASKS = 100;
const MOST_EVENTS = 20_000;

export class RunLength {
  #events: number;
  #tasks: number;
  #seen = 0;
  #tasksSeen = 0;
  /** Started in this task, so not in the history yet. */
  #startedNow = 0;
  #suggested = false;

  constructor({ max_in_flight = 0, events_per_run, tasks_per_run = TASKS }: ExecutionSettings = {}) {
    this.#events = events_per_run ?? Math.max(EVENTS, Math.ceil(EVENTS_PER_ROOM * max_in_flight));
    this.#tasks = tasks_per_run;
  }

  started(): void {
    this.#startedNow += 1;
  }

  /** `out`: activities whose end is still to be written. */
  isSpent(out: number): boolean {
    const events = this.#seen + this.#startedNow + EVENTS_PER_ACTIVITY * out;
    return this.#suggested || events >= this.#events || this.#tasksSeen >= this.#tasks;
  }

  /** Lets the run go on for a while; false when it must not. */
  extend(): boolean {
    if (this.#seen >= MOST_EVENTS || this.#suggested) return false;
    this.#events = Math.max(this.#events, this.#seen) + MORE_EVENTS;
    this.#tasks = Math.max(this.#tasks, this.#tasksSeen) + MORE_TASKS;
    return true;
  }

  /**
   * Looks at the history; true in a new task. To be called for what the server brings, never for the end of a local activity: one that
   * outlasts its task does so in several, which a replay takes for one, and what was decided by them would be decided otherwise.
   */
  look(): boolean {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    this.#suggested ||= continueAsNewSuggested;
    if (historyLength === this.#seen) return false;
    this.#seen = historyLength;
    this.#tasksSeen += 1;
    this.#startedNow = 0;
    return true;
  }
}
