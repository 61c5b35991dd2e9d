/**
 * The guards of one worker: one for each desk whose nodes it was given, made at the first of them. One that can ask venues has one for
 * every desk that runs: of a halted one no node comes, and its permits are to be swept all the same.
 */
import { messageOf } from '../errors';
import { DEFAULT_DESK, type HoldfastClient } from '../temporal-client/holdfast-client';
import { clientDeskPort } from './client-desk-port';
import { DeskGuard, type DeskGuardOptions } from './desk-guard';

export interface DeskGuardsOptions extends Pick<DeskGuardOptions, 'redis_url' | 'closing_key' | 'log' | 'lookups'> {
  readonly client: HoldfastClient;
}

const SEARCH_EVERY_MS = 10_000;

export class DeskGuards {
  readonly #options: DeskGuardsOptions;
  readonly #guards = new Map<string, DeskGuard>();

  #search: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: DeskGuardsOptions) {
    this.#options = options;
    // The one nearly all executions have is listened to from the first moment.
    this.of(DEFAULT_DESK);
    if ((options.lookups ?? []).length > 0) void this.#findAll();
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
    this.#isClosed = true;
    clearTimeout(this.#search);
    const untold = await Promise.all([...this.#guards.values()].map((guard) => guard.close()));
    return untold.reduce((sum, each) => sum + each, 0);
  }

  async #findAll(): Promise<void> {
    const { client, log } = this.#options;
    try {
      for (const id of await client.listDesks()) if (!this.#isClosed) this.of(id);
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'desks_not_listed');
    }
    if (this.#isClosed) return;
    this.#search = setTimeout(() => void this.#findAll(), SEARCH_EVERY_MS);
    this.#search.unref();
  }
}
