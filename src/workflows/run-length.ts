/**
 * When an execution continues in a new run: history is replayed whole whenever a worker takes an execution over, and a server
 * refuses more than 51,200 events. Nothing starts that could take the history past its share.
 */
import { workflowInfo } from '@temporalio/workflow';
import type { ExecutionSettings } from './messages';

const EVENTS = 3_500;
const TASKS = 250;
/** What an activity adds: scheduled, started, ended. */
const EVENTS_PER_ACTIVITY = 3;
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

  constructor({ events_per_run = EVENTS, tasks_per_run = TASKS }: ExecutionSettings = {}) {
    this.#events = events_per_run;
    this.#tasks = tasks_per_run;
  }

  started(): void {
    this.#note();
    this.#startedNow += 1;
  }

  /** `out`: activities whose end is still to be written. */
  isSpent(out: number): boolean {
    this.#note();
    const { continueAsNewSuggested } = workflowInfo();
    const events = this.#seen + this.#startedNow + EVENTS_PER_ACTIVITY * out;
    return continueAsNewSuggested || events >= this.#events || this.#tasksSeen >= this.#tasks;
  }

  /** Lets the run go on for a while; false when it must not. */
  extend(): boolean {
    if (this.#seen >= MOST_EVENTS || workflowInfo().continueAsNewSuggested) return false;
    this.#events = Math.max(this.#events, this.#seen) + MORE_EVENTS;
    this.#tasks = Math.max(this.#tasks, this.#tasksSeen) + MORE_TASKS;
    return true;
  }

  #note(): void {
    const { historyLength } = workflowInfo();
    if (historyLength === this.#seen) return;
    this.#seen = historyLength;
    this.#tasksSeen += 1;
    this.#startedNow = 0;
  }
}
