/**
 * Keeps an execution and its desk of one mind when a word between them was lost: it asks the desk when a worker's gate refused a node, and
 * every half minute while the desk has halted it. What it hears counts like the desk's own notices, so the higher epoch holds.
 */
import { CancellationScope, log, proxyActivities, sleep } from '@temporalio/workflow';
import type { Scope } from '../emergency/model';
import type { EmergencyNotice } from './desk-messages';

const ASK_AGAIN_MS = 30_000;

const { readDesk } = proxyActivities<{
  /** How `global` and these scopes stand. */
  readDesk(deskId: string, scopes: readonly Scope[]): Promise<readonly EmergencyNotice[]>;
}>({
  startToCloseTimeout: '6s',
  scheduleToCloseTimeout: '20s',
  retry: { initialInterval: '250ms', backoffCoefficient: 2, maximumInterval: '5s' },
  summary: 'how the desk stands',
});

export interface Watched {
  readonly desk: string;
  readonly scopes: readonly Scope[];
  /** Whether the desk has halted it. */
  readonly isHalted: () => boolean;
  readonly hear: (notices: readonly EmergencyNotice[]) => void;
  readonly die: (error: unknown) => void;
}

export class DeskWatch {
  readonly #watched: Watched;
  #asking = false;
  #watching = false;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Something was asked of the server whose answer this execution will hear. */
  get isBusy(): boolean {
    return this.#asking || this.#watching;
  }

  /** A second question joins the first. */
  ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    const { desk, scopes, hear } = this.#watched;
    CancellationScope.nonCancellable(() => readDesk(desk, scopes)).then(
      (notices) => {
        this.#asking = false;
        hear(notices);
      },
      (error: unknown) => {
        this.#asking = false;
        log.warn('desk_not_read', { desk_id: desk, error: String(error) });
      },
    );
  }

  /** To be called after whatever may have halted it. */
  watch(): void {
    if (this.#watching || !this.#watched.isHalted()) return;
    this.#watching = true;
    CancellationScope.nonCancellable(() => sleep(ASK_AGAIN_MS)).then(
      () => {
        this.#watching = false;
        if (this.#watched.isHalted()) this.ask();
        this.watch();
      },
      (error: unknown) => {
        this.#watched.die(error);
      },
    );
  }
}
