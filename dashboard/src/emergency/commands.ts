/**
 * Commands to the desk, from the first click to the desk's answer.
 *
 * - K1. Each has an id of its own. Without an answer it is sent again under that id, so it is done once however often it is sent.
 * - K2. It is not sent for ever: after half a minute without an answer nobody knows whether it was taken, and the page says so. A halt that
 *   comes to hold minutes after somebody gave up on it would surprise; the command line halts meanwhile.
 *   What lowers, a change of limits among it, is given up sooner.
 * - K3. None waits for the feed: they go over REST.
 */
import type { EmergencyAnswer } from 'holdfast/client';
import { wordsOf, Refused, type Api } from '../api';
import { Observable } from '../observable';
import type { Action, Commanded, Order, Outcome } from './command';

const MOST_KEPT = 20;
const AGAIN_MS = 1_000;
const GIVE_UP_MS = 30_000;
/** The desk takes what lowers within ten seconds of when it was issued. */
const LOWERING_MS = 9_000;

export class Commands {
  /** Newest first. */
  readonly all = new Observable<readonly Commanded[]>([]);
  readonly #api: Api;
  readonly #onAnswer: () => void;

  constructor(api: Api, onAnswer: () => void) {
    this.#api = api;
    this.#onAnswer = onAnswer;
  }

  /** Resolves with how it went: answered, refused, or unanswered. */
  async send(order: Order): Promise<Commanded> {
    const requested_at = Date.now();
    const expires = order.action === 'resume' || order.action === 'approve';
    const more = expires ? { ...order.more, issued_at: requested_at } : order.more;
    let command: Commanded = {
      ...{ ...order, more, command_id: newId(), requested_at, tries: 1 },
      outcome: { kind: 'asked' },
    };
    this.all.set([command, ...this.all.get()].slice(0, MOST_KEPT));
    const lowers = expires || order.action === 'set_limits';
    const until = requested_at + (lowers ? LOWERING_MS : GIVE_UP_MS);
    for (;;) {
      const outcome = await this.#ask(command);
      const gaveUp = outcome.kind === 'asked' && Date.now() > until;
      command = this.#keep({ ...command, outcome: gaveUp ? { ...outcome, kind: 'unanswered' } : outcome });
      if (command.outcome.kind !== 'asked') return command;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      command = this.#keep({ ...command, tries: command.tries + 1 });
    }
  }

  async #ask({ scope, action, reason, command_id, more, requested_at }: Commanded): Promise<Outcome> {
    try {
      const answer = await this.#tell(scope, action, { reason, command_id, ...more });
      this.#onAnswer();
      return { kind: 'answered', answer, after_ms: Date.now() - requested_at };
    } catch (error) {
      // What was refused for good was not done; anything else says nothing.
      const isFinal = error instanceof Refused && !error.retryable;
      return { kind: isFinal ? 'refused' : 'asked', words: wordsOf(error) };
    }
  }

  #tell(scope: string, action: Action, body: object): Promise<EmergencyAnswer> {
    const path = `/api/emergency/${encodeURIComponent(scope)}`;
    if (action === 'set_limits') return this.#api.put(`${path}/limits`, body);
    return this.#api.post(`${path}/${action}`, body);
  }

  #keep(command: Commanded): Commanded {
    this.all.set(this.all.get().map((each) => (each.command_id === command.command_id ? command : each)));
    return command;
  }
}

/** `crypto.randomUUID` is there over HTTPS and on loopback alone. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `page_${[...bytes].map((each) => each.toString(16).padStart(2, '0')).join('')}`;
}
