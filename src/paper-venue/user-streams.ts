/** Who listens to the accounts of one profile. */
import type { Faults } from './faults';
import { StreamOutbox, type StreamSocket } from './stream-outbox';

interface Subscription {
  readonly account: string;
  /** Of the connection; counts from 0. */
  readonly id: number;
  readonly outbox: StreamOutbox;
}

export class UserStreams {
  readonly #faults: Faults;
  readonly #subscriptions = new Set<Subscription>();

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  /** How many listen, by account. */
  get listeners(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { account } of this.#subscriptions) counts[account] = (counts[account] ?? 0) + 1;
    return counts;
  }

  /** From now on, until the function that is returned is called. */
  subscribe(account: string, id: number, socket: StreamSocket): () => void {
    const subscription = { account, id, outbox: new StreamOutbox(socket, this.#faults) };
    this.#subscriptions.add(subscription);
    return () => {
      subscription.outbox.close();
      this.#subscriptions.delete(subscription);
    };
  }

  tell(account: string, events: readonly object[]): void {
    for (const subscription of this.#subscriptions) {
      if (subscription.account !== account) continue;
      for (const event of events) {
        subscription.outbox.push(JSON.stringify({ subscriptionId: subscription.id, event }));
      }
    }
  }

  /** After a change of the faults. */
  flush(): void {
    for (const { outbox } of this.#subscriptions) outbox.flush();
  }
}
