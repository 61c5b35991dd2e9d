/** Commands that were refused before the desk heard them, put on its record all the same. */
import type { ErrorCode } from '../errors';
import { messageOf } from '../errors';
import type { Members } from '../json';
import type { Logger } from '../logging';
import type { HoldfastClient } from '../temporal-client/holdfast-client';
import { limiter } from './limiter';

/** Of all who are refused together: more are in the log alone, or whoever may do nothing could keep the desk busy. */
const RATE = { per_second: 0.5, burst: 20 };

export class Refusals {
  readonly #client: Pick<HoldfastClient, 'recordRefusal'>;
  readonly #log: Logger;
  readonly #mayPass = limiter(RATE);

  constructor(client: Pick<HoldfastClient, 'recordRefusal'>, log: Logger) {
    this.#client = client;
    this.#log = log;
  }

  /** Returns at once. */
  record(code: ErrorCode, command: Members): void {
    const { action, scope, actor } = command;
    this.#log.warn({ action, scope, actor, code }, 'emergency_command_refused');
    if (!this.#mayPass()) return;
    this.#client.recordRefusal(code, command).catch((error: unknown) => {
      this.#log.warn({ error: messageOf(error) }, 'refusal_not_recorded');
    });
  }
}
