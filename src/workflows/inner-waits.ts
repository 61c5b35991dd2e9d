/** Nodes that wait inside the workflow: for a time, a message, a decision, a breaker. One alarm serves all their deadlines. */
import { Alarm } from './alarm';
import { outcomeOfTimeout } from './control';
import type { Engine } from './engine';
import type { Delivery, Wait } from './messages';

type Deferral = Extract<Wait, { kind: 'deferral' }>;
type Due = Exclude<Wait, { kind: 'child' | 'deferral' }>;

export interface WhenDue {
  /** The node may be tried again. */
  readonly deferral: (id: number, wait: Deferral) => void;
  readonly children: (ids: readonly number[]) => void;
}

export class InnerWaits {
  readonly #engine: Engine;
  readonly #whenDue: WhenDue;
  readonly #alarm: Alarm;

  constructor(engine: Engine, whenDue: WhenDue) {
    this.#engine = engine;
    this.#whenDue = whenDue;
    this.#alarm = new Alarm(
      (until) => {
        engine.guard(() => {
          this.#ring(until);
        });
      },
      (error) => {
        engine.die(error);
      },
    );
  }

  begin(id: number, wait: Wait, reason: string): void {
    const { mail, waits } = this.#engine.books;
    const message = wait.kind === 'signal' ? mail.take(wait.name) : undefined;
    if (message !== undefined) {
      this.#engine.settleWait(id, { kind: 'completed', branch: 'received', outputs: message });
      return;
    }
    waits.set(id, wait);
    this.#engine.teller.waits(id, reason);
    if (wait.kind === 'approval') this.#engine.teller.approvalRequested(id, wait);
  }

  /** Takes a message; says why not. */
  deliver(delivery: Delivery): string | undefined {
    const { mail, waits } = this.#engine.books;
    const id = waits.waitingFor(delivery.name);
    if (id === undefined) return mail.keep(delivery) ? undefined : 'no room is left for messages nobody waits for';
    const outputs = { payload: delivery.payload ?? null };
    this.#engine.settleWait(id, { kind: 'completed', branch: 'received', outputs });
    return undefined;
  }

  /** Sets the alarm for the next deadline. */
  arm(): void {
    this.#alarm.set(this.#engine.books.waits.next);
  }

  disarm(): void {
    this.#alarm.clear();
  }

  #ring(until: number): void {
    this.#engine.look();
    this.#engine.together(() => {
      const now = Math.max(until, this.#engine.books.clock.now);
      const due = this.#engine.books.waits.due(now);
      for (const [id, wait] of due) this.#due(id, wait, now);
      this.#whenDue.children(due.flatMap(([id, { kind }]) => (kind === 'child' ? [id] : [])));
    });
  }

  #due(id: number, wait: Wait, now: number): void {
    const { waits } = this.#engine.books;
    // What rang first can have ended this one.
    if (waits.get(id) !== wait || wait.kind === 'child') return;
    if (wait.kind === 'deferral') {
      waits.delete(id);
      this.#whenDue.deferral(id, wait);
    } else this.#timedOut(id, wait, now);
  }

  #timedOut(id: number, wait: Due, now: number): void {
    const outcome = outcomeOfTimeout(wait, now);
    if (wait.kind === 'approval' && outcome.kind === 'completed') {
      this.#engine.teller.approvalGiven(id, 'deadline', outcome.branch === 'approved' ? 'approved' : 'rejected');
    }
    this.#engine.settleWait(id, outcome);
  }
}
