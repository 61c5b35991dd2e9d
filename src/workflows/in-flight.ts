/** What of an execution is out now, by the plan's index. */

/** How a node runs: as local activity, as activity, or as a timer of the workflow. */
export type Route = 'local' | 'activity' | 'control';

/**
 * More than 100 events that arrive during one workflow task fail it, and an activity that ends brings two. With 300 out on a
 * loaded machine, 10 of 44 tasks failed so. (2,000 pending activities would fail the task for ever.)
 */
const MAX_ACTIVITIES = 45;

export class InFlight {
  readonly #routes = new Map<number, Route>();
  readonly #counts: Record<Route, number> = { local: 0, activity: 0, control: 0 };

  add(index: number, route: Route): void {
    this.#routes.set(index, route);
    this.#counts[route] += 1;
  }

  remove(index: number): Route | undefined {
    const route = this.#routes.get(index);
    if (route !== undefined) this.#counts[route] -= 1;
    this.#routes.delete(index);
    return route;
  }

  waits(index: number): boolean {
    return this.#routes.get(index) === 'control';
  }

  /** True when something is out, and nothing but timers. */
  get onlyWaits(): boolean {
    return this.#routes.size > 0 && this.#routes.size === this.#counts.control;
  }

  /** How many more activities may go out. */
  get room(): number {
    return Math.max(0, MAX_ACTIVITIES - this.#counts.activity);
  }

  indexes(): Iterable<number> {
    return this.#routes.keys();
  }
}
