/**
 * Leaving a run for the next, by a timer: the SDK hands a task's signals over first, and lets what follows from them happen, before it
 * hands over a cancel of the same task, which then came too late for what is carried. With a timer's firing it comes in one go.
 */
import { CancellationScope, sleep } from '@temporalio/workflow';
import type { Engine } from './engine';

export interface Leaving {
  /** Whether nothing is out and nothing was asked. */
  readonly mayLeave: () => boolean;
  readonly leave: () => void;
}

export class Departure {
  readonly #engine: Engine;
  readonly #leaving: Leaving;
  #prepared = false;
  #underWay = false;

  constructor(engine: Engine, leaving: Leaving) {
    this.#engine = engine;
    this.#leaving = leaving;
  }

  /** What is heard from now on is carried along; nothing may start by it here. */
  get isUnderWay(): boolean {
    return this.#underWay;
  }

  prepare(): void {
    if (this.#prepared) return;
    this.#prepared = true;
    CancellationScope.nonCancellable(() => sleep(1)).then(
      () => {
        this.#engine.guard(() => {
          this.#go();
        });
      },
      (error: unknown) => {
        this.#engine.die(error);
      },
    );
  }

  #go(): void {
    this.#prepared = false;
    this.#engine.look();
    this.#underWay = this.#leaving.mayLeave();
    if (this.#underWay) this.#leaving.leave();
    else this.#engine.pump();
  }
}
