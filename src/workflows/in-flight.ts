/** What of an execution is out now, by node instance. What waits inside the workflow is not out. */

/** How a node is out: as local activity, as activity, or while the execution it becomes is being started. */
export type Route = 'local' | 'activity' | 'child';

/**
 * More than 100 events that arrive during one workflow task fail it, and an activity that ends brings two. With 300 out on a
 * loaded machine, 10 of 44 tasks failed so. (2,000 pending activities would fail the task for ever.)
 */
const MOST_ACTIVITIES = 45;

export class InFlight {
  readonly #most: number;
  readonly #routes = new Map<number, Route>();
  #locals = 0;

  constructor(most = MOST_ACTIVITIES) {
    this.#most = most;
  }

  add(id: number, route: Route): void {
    this.#routes.set(id, route);
    if (route === 'local') this.#locals += 1;
  }

  remove(id: number): Route | undefined {
    const route = this.#routes.get(id);
    if (route === 'local') this.#locals -= 1;
    this.#routes.delete(id);
    return route;
  }

  get size(): number {
    return this.#routes.size;
  }

  get activities(): number {
    return this.#routes.size - this.#locals;
  }

  /** Whether one more activity may go out. */
  get hasRoom(): boolean {
    return this.activities < this.#most;
  }

  get ids(): Iterable<number> {
    return this.#routes.keys();
  }
}
