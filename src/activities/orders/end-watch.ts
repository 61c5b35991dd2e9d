/** Between two looks at an order: until it is time for the next one, or until the venue says that the order has ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TradingVenue } from '../../venues/venue';

export class EndWatch {
  readonly #venue: Pick<TradingVenue, 'watchEnd'>;
  readonly #heard = new AbortController();
  #stop: (() => void) | undefined;
  #isAnswered = false;

  constructor(venue: Pick<TradingVenue, 'watchEnd'>) {
    this.#venue = venue;
  }

  /** Whether the venue has said so. */
  get hasHeard(): boolean {
    return this.#heard.signal.aborted;
  }

  /** Whether it has said so, and nobody has looked since. */
  get isDue(): boolean {
    return this.hasHeard && !this.#isAnswered;
  }

  /**
   * True when the venue has said so, which ends one pause: where the order still reads as open it is looked at as if nothing had been said.
   * The venue is listened to from the first pause on. Rejects when the signal ends.
   */
  async pause(client_order_id: string, ms: number, signal: AbortSignal): Promise<boolean> {
    this.#stop ??= this.#venue.watchEnd?.(client_order_id, () => {
      this.#heard.abort();
    });
    const ends = this.#isAnswered ? [signal] : [signal, this.#heard.signal];
    try {
      await sleep(ms, undefined, { signal: AbortSignal.any(ends) });
      return false;
    } catch (error) {
      if (signal.aborted) throw error;
      this.#isAnswered = true;
      return true;
    }
  }

  close(): void {
    this.#stop?.();
  }
}
