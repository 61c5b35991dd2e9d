/** How much one workflow task sends along: the server takes 4 MiB in one message and 2 MiB for one value, and fails the task for ever beyond. */
const MOST_PER_TASK = 2_000_000;
const MOST_PER_NODE = 1_500_000;

export class TaskLoad {
  #sent = 0;

  /** `later`: the next task may send it; `never`: none may. */
  admit(size: number): 'fits' | 'later' | 'never' {
    if (size > MOST_PER_NODE) return 'never';
    if (this.#sent > 0 && this.#sent + size > MOST_PER_TASK) return 'later';
    this.#sent += size;
    return 'fits';
  }

  renew(): void {
    this.#sent = 0;
  }
}
