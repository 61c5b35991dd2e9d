/** The socket: subscribes to everything, goes on by itself after an outage, and says how current the page is. */
import type { Socket, io as connect } from 'socket.io-client';
import type { PageEvent, PageSnapshot } from './wire.js';

declare const io: typeof connect;

export type LiveState =
  { readonly state: 'connecting' | 'live' } | { readonly state: 'reconnecting' | 'stale'; readonly since: Date };

export interface LiveListeners {
  readonly onEvent: (event: PageEvent) => void;
  readonly onSnapshot: (snapshot: PageSnapshot) => void;
  /** Something may be missing: read what is shown again. */
  readonly onGap: () => void;
  readonly onState: (state: LiveState) => void;
  readonly onRefused: (reason: string) => void;
}

interface Answer {
  readonly ok: boolean;
  readonly recovered?: boolean;
  readonly cursors?: Readonly<Record<string, Cursor>>;
  readonly snapshot?: PageSnapshot;
}
interface Cursor {
  readonly log_epoch: string;
  readonly seq: number;
}

/** Not connected for longer than this, the page says so as loudly as it can. */
const STALE_AFTER_MS = 5_000;
const ANSWER_MS = 5_000;

const MOST_CURSORS = 200;

export class Live {
  readonly #socket: Socket;
  readonly #listeners: LiveListeners;
  readonly #cursors = new Map<string, Cursor>();
  #lostAt: Date | undefined;
  #timer: number | undefined;

  constructor(token: string, listeners: LiveListeners) {
    this.#listeners = listeners;
    const options = {
      auth: { token, batches: true },
      transports: ['websocket', 'polling'],
      reconnectionDelay: 250,
      reconnectionDelayMax: 2_000,
    };
    this.#socket = io(options);
    this.#socket.on('connect', () => void this.#subscribe());
    this.#socket.on('workflow_event', (event: PageEvent & Cursor) => {
      this.#hear(event);
    });
    this.#socket.on('workflow_event_batch', (events: readonly (PageEvent & Cursor)[]) => {
      for (const event of events) this.#hear(event);
    });
    this.#socket.on('snapshot', listeners.onSnapshot);
    this.#socket.on('gap', listeners.onGap);
    this.#socket.on('disconnect', () => {
      this.#lost();
    });
    this.#socket.on('connect_error', (error: Error & { data?: { code?: string } }) => {
      if (error.data?.code === 'Unauthenticated') {
        this.#socket.close();
        listeners.onRefused(error.message);
      } else this.#lost();
    });
  }

  async state(executionId: string): Promise<PageSnapshot | undefined> {
    if (!this.#socket.connected) return undefined;
    return (await this.#ask('request_state', { execution_id: executionId }))?.snapshot;
  }

  async #subscribe(): Promise<void> {
    const answer = await this.#ask('subscribe_all', { cursors: this.#recentCursors() });
    if (answer?.ok !== true) {
      this.#lost();
      setTimeout(() => void (this.#socket.connected && this.#subscribe()), 1_000);
      return;
    }
    for (const [stream, cursor] of Object.entries(answer.cursors ?? {})) this.#cursors.set(stream, cursor);
    clearTimeout(this.#timer);
    this.#lostAt = undefined;
    this.#listeners.onState({ state: 'live' });
    if (answer.recovered !== true) this.#listeners.onGap();
  }

  #hear(event: PageEvent & Cursor): void {
    // Anew at the end, so that the last two hundred are those that moved last.
    this.#cursors.delete(event.stream);
    this.#cursors.set(event.stream, { log_epoch: event.log_epoch, seq: event.seq });
    this.#forgetOldCursors();
    this.#listeners.onEvent(event);
  }

  #forgetOldCursors(): void {
    const [oldest] = this.#cursors.keys();
    if (this.#cursors.size > MOST_CURSORS && oldest !== undefined) this.#cursors.delete(oldest);
  }

  #recentCursors(): Record<string, Cursor> {
    return Object.fromEntries([...this.#cursors]);
  }

  async #ask(name: string, message: object): Promise<Answer | undefined> {
    try {
      return (await this.#socket.timeout(ANSWER_MS).emitWithAck(name, message)) as Answer;
    } catch {
      return undefined;
    }
  }

  #lost(): void {
    if (this.#lostAt !== undefined) return;
    const since = new Date();
    this.#lostAt = since;
    this.#listeners.onState({ state: 'reconnecting', since });
    this.#timer = setTimeout(() => {
      this.#listeners.onState({ state: 'stale', since });
    }, STALE_AFTER_MS);
  }
}
