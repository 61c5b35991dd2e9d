/** What waits inside the workflow, and until when. Deadlines are instants, so they hold across runs. */
import type { Wait } from './messages';

export class Waits {
  readonly #waits: Map<number, Wait>;
  /** Undefined when it must be looked for again. */
  #next: number | undefined;
  #children = 0;

  constructor(carried: readonly (readonly [number, Wait])[] = []) {
    this.#waits = new Map(carried);
    this.#children = this.children.length;
  }

  get(id: number): Wait | undefined {
    return this.#waits.get(id);
  }

  set(id: number, wait: Wait): void {
    this.delete(id);
    this.#waits.set(id, wait);
    if (wait.kind === 'child') this.#children += 1;
    if (this.#next !== undefined) this.#next = Math.min(this.#next, deadlineOf(wait));
  }

  delete(id: number): void {
    const wait = this.#waits.get(id);
    if (wait === undefined) return;
    this.#waits.delete(id);
    if (wait.kind === 'child') this.#children -= 1;
    if (deadlineOf(wait) === this.#next) this.#next = undefined;
  }

  get ids(): Iterable<number> {
    return this.#waits.keys();
  }

  get all(): readonly (readonly [number, Wait])[] {
    return [...this.#waits];
  }

  /** Those whose time has come, in the order they began to wait. */
  due(now: number): (readonly [number, Wait])[] {
    return this.all.filter(([, wait]) => deadlineOf(wait) <= now);
  }

  /** When the next one is due. */
  get next(): number {
    this.#next ??= this.all.reduce((next, [, wait]) => Math.min(next, deadlineOf(wait)), Infinity);
    return this.#next;
  }

  /** The first to wait for a message of this name. */
  waitingFor(name: string): number | undefined {
    return this.all.find(([, wait]) => wait.kind === 'signal' && wait.name === name)?.[0];
  }

  child(childId: string): number | undefined {
    return this.all.find(([, wait]) => wait.kind === 'child' && wait.child_id === childId)?.[0];
  }

  get hasChildren(): boolean {
    return this.#children > 0;
  }

  get children(): string[] {
    return this.all.flatMap(([, wait]) => (wait.kind === 'child' ? [wait.child_id] : []));
  }
}

function deadlineOf(wait: Wait): number {
  return (wait.kind === 'child' ? wait.check_at : wait.until) ?? Infinity;
}
