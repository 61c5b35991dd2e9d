/** The guards of one worker: one for each desk whose nodes it was given, made at the first of them. */
import { DEFAULT_DESK, type HoldfastClient } from '../temporal-client/holdfast-client';
import { clientDeskPort } from './client-desk-port';
import { DeskGuard, type DeskGuardOptions } from './desk-guard';

export interface DeskGuardsOptions extends Pick<DeskGuardOptions, 'redis_url' | 'closing_key' | 'log' | 'lookups'> {
  readonly client: HoldfastClient;
}

export class DeskGuards {
  readonly #options: DeskGuardsOptions;
  readonly #guards = new Map<string, DeskGuard>();

  constructor(options: DeskGuardsOptions) {
    this.#options = options;
    // The one nearly all executions have is listened to from the first moment.
    this.of(DEFAULT_DESK);
  }

  readonly of = (deskId = DEFAULT_DESK): DeskGuard => {
    const known = this.#guards.get(deskId);
    if (known !== undefined) return known;
    const { client, ...rest } = this.#options;
    const guard = new DeskGuard({ ...rest, desk_id: deskId, port: clientDeskPort(client, deskId) });
    this.#guards.set(deskId, guard);
    return guard;
  };

  /** See `DeskGuard.close`. */
  async close(): Promise<number> {
    const untold = await Promise.all([...this.#guards.values()].map((guard) => guard.close()));
    return untold.reduce((sum, each) => sum + each, 0);
  }
}
