/** What waits inside an execution under test: for driven time, for a message, for a decision, for a child. */
import type { Outcome } from '../graph/scheduler';
import { outcomeOfTimeout } from '../workflows/control';
import { Mailbox } from '../workflows/mailbox';
import type { Delivery, Wait } from '../workflows/messages';
import { Waits } from '../workflows/waits';
import type { Timeline } from './timeline';

export class DrivenWaits {
  readonly waits = new Waits();
  readonly #timeline: Timeline;
  readonly #settle: (id: number, outcome: Outcome) => void;
  readonly #reasons = new Map<number, string>();
  readonly #mail = new Mailbox();

  constructor(timeline: Timeline, settle: (id: number, outcome: Outcome) => void) {
    this.#timeline = timeline;
    this.#settle = settle;
  }

  /** By node instance, in words. */
  get reasons(): Iterable<readonly [number, string]> {
    return this.#reasons;
  }

  begin(id: number, wait: Wait, reason: string): void {
    const message = wait.kind === 'signal' ? this.#mail.take(wait.name) : undefined;
    if (message !== undefined) {
      this.#settle(id, { kind: 'completed', branch: 'received', outputs: message });
      return;
    }
    this.waits.set(id, wait);
    this.#reasons.set(id, reason);
    if (wait.kind === 'child' || wait.kind === 'deferral' || wait.until === undefined) return;
    const ring = (): void => {
      this.#settle(id, outcomeOfTimeout(wait, this.#timeline.now));
    };
    this.#timeline.schedule(wait.until, ring, () => this.waits.get(id) === wait);
  }

  /** Takes a message; says why not. */
  deliver(delivery: Delivery): string | undefined {
    const id = this.waits.waitingFor(delivery.name);
    if (id === undefined)
      return this.#mail.keep(delivery) ? undefined : 'no room is left for messages nobody waits for';
    this.#settle(id, { kind: 'completed', branch: 'received', outputs: { payload: delivery.payload ?? null } });
    return undefined;
  }

  forget(id: number): void {
    this.waits.delete(id);
    this.#reasons.delete(id);
  }
}
