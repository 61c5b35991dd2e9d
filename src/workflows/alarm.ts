/** One durable timer for all deadlines of an execution: a timer for each would cost three events of history each. */
import { CancellationScope, CancelledFailure, sleep } from '@temporalio/workflow';

export class Alarm {
  readonly #ring: (until: number) => void;
  readonly #broken: (error: unknown) => void;
  /** Not ended by a cancel of the execution: that takes back what waits by itself. */
  readonly #parent = new CancellationScope({ cancellable: false });
  #until = Infinity;
  #scope: CancellationScope | undefined;

  constructor(ring: (until: number) => void, broken: (error: unknown) => void) {
    this.#ring = ring;
    this.#broken = broken;
  }

  /** Rings, with its `until`, then or earlier, in milliseconds since 1970; an earlier one is kept, for whoever is rung sets it anew. */
  set(until: number): void {
    if (until >= this.#until) return;
    this.#scope?.cancel();
    this.#until = until;
    const scope = new CancellationScope({ cancellable: true, parent: this.#parent });
    this.#scope = scope;
    scope
      .run(() => sleep(Math.max(1, until - Date.now())))
      .then(
        () => {
          this.#until = Infinity;
          this.#scope = undefined;
          this.#ring(until);
        },
        (error: unknown) => {
          if (!(error instanceof CancelledFailure)) this.#broken(error);
        },
      );
  }

  clear(): void {
    this.#scope?.cancel();
    this.#scope = undefined;
    this.#until = Infinity;
  }
}
