/**
 * Follows a gateway from a browser or from Node.
 *
 * - C1. Each event is handed on at most once, and in the order of its stream, over any number of connections: the feed keeps its place in
 *   every stream and asks for what came after it.
 * - C2. What cannot be told event by event comes as a snapshot, which then stands in the view. After a gap the executions concerned are
 *   asked for anew. So a view may jump, but it is never silently wrong.
 * - C3. `live` means that every subscription was answered on the present connection; without one the feed says since when it is stale.
 */
import { io, type Socket } from 'socket.io-client';
import { isAfter, type Cursor } from '../event-log/cursor';
import type { Snapshot } from '../event-log/event-reader';
import type { EventEnvelope } from '../events/envelope';
import type { Answer, ClientToServer, GapNotice, Message, MessageName, ServerToClient } from '../gateway/protocol';
import { fromSnapshot, withEvent, type ExecutionView } from './execution-view';

/** What to follow: one id, or everything the token may see. */
export type Target =
  | { readonly execution_id: string }
  | { readonly workflow_id: string }
  | { readonly bot_id: string }
  | { readonly strategy_id: string }
  | { readonly desk_id: string }
  | { readonly all: true };

export type FeedStatus =
  | { readonly state: 'catching up' | 'live' | 'closed' }
  | { readonly state: 'stale'; readonly since: Date; readonly reason: string }
  /** The gateway takes the token no more; the feed does not try again by itself. */
  | { readonly state: 'refused'; readonly reason: string };

export interface FeedOptions {
  /** Scheme, host and port of a gateway. */
  readonly url: string;
  /** A function is asked again for every connection, so that it may give a fresh one. */
  readonly token: string | (() => string | Promise<string>);
  /** Milliseconds an answer may take, default 5,000. */
  readonly answer_ms?: number;
  /** Executions kept in view, default 1,000; of more the oldest that have ended are forgotten, open ones never. */
  readonly most_executions?: number;
}

export interface FeedEvents {
  readonly event: (event: EventEnvelope) => void;
  readonly execution: (view: ExecutionView) => void;
  readonly status: (status: FeedStatus) => void;
  /** Events of these streams may be missing from what `event` told; views are made right by the feed itself. */
  readonly gap: (gap: GapNotice) => void;
}

/** A gateway reads so many cursors of one subscription. */
const MOST_CURSORS = 500;
const AGAIN_MS = 1_000;
const ANSWER_MS = 5_000;
const MOST_EXECUTIONS = 1_000;
const REFUSALS: ReadonlySet<unknown> = new Set(['Unauthenticated', 'Forbidden']);

const ROOMS = {
  execution_id: 'subscribe_execution',
  workflow_id: 'subscribe_workflow',
  bot_id: 'subscribe_bot',
  strategy_id: 'subscribe_strategy',
  desk_id: 'subscribe_desk',
  all: 'subscribe_all',
} as const;

type Listeners = { readonly [N in keyof FeedEvents]: Set<FeedEvents[N]> };

export class Feed {
  readonly #socket: Socket<ServerToClient, ClientToServer>;
  readonly #options: FeedOptions;
  readonly #targets = new Map<string, Target>();
  /** What the gateway would not let in when it was asked on a new connection. */
  readonly #refusals = new Map<string, FeedError>();
  /** The last one that moved is the last. */
  readonly #cursors = new Map<string, Cursor>();
  readonly #views = new Map<string, ExecutionView>();
  readonly #listeners: Listeners = { event: new Set(), execution: new Set(), status: new Set(), gap: new Set() };
  #status: FeedStatus = { state: 'stale', since: new Date(), reason: 'not connected yet' };
  #again: ReturnType<typeof setTimeout> | undefined;
  /** Counts connections, so that what one of them was asked is not taken for an answer on the next. */
  #connection = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#socket = io(options.url, {
      auth: (give) => {
        void this.#token().then((token) => {
          give({ token });
        });
      },
      transports: ['websocket', 'polling'],
      forceNew: true,
      reconnectionDelay: 250,
      reconnectionDelayMax: 2_000,
    });
    this.#socket.on('connect', () => void this.#catchUp(++this.#connection));
    this.#socket.on('workflow_event', (event) => {
      this.#take(event);
    });
    this.#socket.on('snapshot', (snapshot) => {
      this.#restore(snapshot);
    });
    this.#socket.on('gap', (gap) => void this.#mend(gap));
    this.#socket.on('disconnect', (reason) => {
      this.#lost(reason);
      // Socket.IO itself does not come back from what the server ended.
      if (reason === 'io server disconnect') this.#later(() => this.#socket.connect());
    });
    this.#socket.on('connect_error', (error: Error & { data?: { code?: string } }) => {
      if (REFUSALS.has(error.data?.code)) this.#refused(error.message);
      else this.#lost(error.message);
    });
  }

  get status(): FeedStatus {
    return this.#status;
  }

  execution(id: string): ExecutionView | undefined {
    return this.#views.get(id);
  }

  get executions(): readonly ExecutionView[] {
    return [...this.#views.values()];
  }

  /** Returns what takes the listener away again. */
  on<N extends keyof FeedEvents>(name: N, listener: FeedEvents[N]): () => void {
    const listeners: Set<FeedEvents[N]> = this.#listeners[name];
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Follows it until it is unwatched, over all reconnections. Resolves when the past has been told; throws what the gateway refuses it with. */
  async watch(target: Target): Promise<void> {
    this.#targets.set(keyOf(target), target);
    if (!this.#socket.connected) {
      await this.#nextLive();
      // Told to nobody else: what `#catchUp` was refused is not among the targets any more.
      const refused = this.#refusals.get(keyOf(target));
      this.#refusals.delete(keyOf(target));
      if (refused !== undefined) throw refused;
      return;
    }
    const refusal = await this.#subscribe(target);
    if (refusal === undefined) return;
    this.#targets.delete(keyOf(target));
    throw refusal;
  }

  /** What it has told stays in view. */
  async unwatch(target: Target): Promise<void> {
    this.#targets.delete(keyOf(target));
    if (this.#socket.connected) await this.ask('unsubscribe', target);
  }

  /**
   * Sends a message and gives the answer, a refusal too. Throws `FeedError` `NoAnswer` when none came in time: then nobody knows whether a
   * command was taken. Send it again under the same `command_id`.
   */
  async ask<N extends MessageName>(name: N, message: Message<N>): Promise<Answer<N>> {
    const { answer_ms = ANSWER_MS } = this.#options;
    try {
      const socket = this.#socket.timeout(answer_ms) as unknown as Asking;
      return (await socket.emitWithAck(name, message)) as Answer<N>;
    } catch {
      throw new FeedError('NoAnswer', `The gateway did not answer ${name} within ${answer_ms} ms.`);
    }
  }

  close(): void {
    clearTimeout(this.#again);
    this.#socket.close();
    this.#tell({ state: 'closed' });
  }

  async #token(): Promise<string> {
    const { token } = this.#options;
    return typeof token === 'string' ? token : token();
  }

  async #catchUp(connection: number): Promise<void> {
    this.#tell({ state: 'catching up' });
    for (const target of [...this.#targets.values()]) {
      const refusal = await this.#subscribe(target);
      if (connection !== this.#connection || !this.#socket.connected) return;
      if (refusal === undefined) continue;
      if (REFUSALS.has(refusal.code)) {
        this.#targets.delete(keyOf(target));
        this.#refusals.set(keyOf(target), refusal);
      } else {
        this.#lost(refusal.message);
        this.#later(() => void this.#catchUp(connection));
        return;
      }
    }
    this.#tell({ state: 'live' });
  }

  async #subscribe(target: Target): Promise<FeedError | undefined> {
    const { all: _all, ...ids } = target as { readonly all?: true };
    const known = [...this.#cursors].filter(([stream]) => this.#concerns(target, stream));
    const cursors = Object.fromEntries(known.slice(-MOST_CURSORS));
    try {
      const answer = await this.ask(roomOf(target), { ...ids, cursors });
      if (answer.ok) {
        for (const [stream, cursor] of Object.entries(answer.cursors)) this.#moveTo(stream, cursor);
        return undefined;
      }
      return new FeedError(answer.error.code, answer.error.message);
    } catch (error) {
      return error instanceof FeedError ? error : new FeedError('NoAnswer', String(error));
    }
  }

  async #nextLive(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const done = this.on('status', (status) => {
        if (status.state === 'stale' || status.state === 'catching up') return;
        done();
        if (status.state === 'live') resolve();
        else reject(new FeedError('Unauthenticated', 'reason' in status ? status.reason : 'The feed was closed.'));
      });
    });
  }

  /** A gateway that is given the cursor of a stream it cannot find in the room says that something was missed. */
  #concerns(target: Target, stream: string): boolean {
    if ('execution_id' in target) return stream === target.execution_id;
    if ('desk_id' in target) return stream === `desk/${target.desk_id}`;
    const view = this.#views.get(stream);
    if ('all' in target) return view !== undefined || stream.startsWith('desk/');
    if ('workflow_id' in target) return view?.workflow_id === target.workflow_id;
    return 'bot_id' in target ? view?.bot_id === target.bot_id : view?.strategy_id === target.strategy_id;
  }

  #take(event: EventEnvelope): void {
    const known = this.#cursors.get(event.stream);
    if (known !== undefined && !isAfter(event, known)) return;
    this.#moveTo(event.stream, { log_epoch: event.log_epoch, seq: event.seq });
    for (const listener of this.#listeners.event) listener(event);
    this.#show(withEvent(this.#views.get(event.stream), event));
  }

  #restore(snapshot: Snapshot): void {
    this.#moveTo(snapshot.stream, snapshot.position);
    this.#show(fromSnapshot(snapshot));
  }

  /** The past of what is in view and may have been missed. */
  async #mend(gap: GapNotice): Promise<void> {
    for (const listener of this.#listeners.gap) listener(gap);
    const open = [...this.#views.values()]
      .filter(({ has_ended }) => !has_ended)
      .map(({ execution_id }) => execution_id);
    const concerned = gap.complete
      ? gap.streams.filter((stream) => this.#views.has(stream))
      : [...gap.streams, ...open];
    for (const execution_id of new Set(concerned)) {
      const answer = await this.ask('request_state', { execution_id }).catch(() => undefined);
      if (answer?.ok === true) this.#restore(answer.snapshot);
    }
  }

  #moveTo(stream: string, cursor: Cursor): void {
    const known = this.#cursors.get(stream);
    if (known !== undefined && !isAfter(cursor, known)) return;
    this.#cursors.delete(stream);
    this.#cursors.set(stream, cursor);
  }

  #show(view: ExecutionView | undefined): void {
    if (view === undefined || view === this.#views.get(view.execution_id)) return;
    this.#views.set(view.execution_id, view);
    this.#forgetOldest(view.execution_id);
    for (const listener of this.#listeners.execution) listener(view);
  }

  /** With their cursors: what comes of them later is told anew, which is better than a list without an end. */
  #forgetOldest(kept: string): void {
    const { most_executions = MOST_EXECUTIONS } = this.#options;
    if (this.#views.size <= most_executions) return;
    for (const { execution_id, has_ended } of this.#views.values()) {
      if (!has_ended || execution_id === kept) continue;
      this.#views.delete(execution_id);
      this.#cursors.delete(execution_id);
      return;
    }
  }

  #lost(reason: string): void {
    const since = this.#status.state === 'stale' ? this.#status.since : new Date();
    if (this.#status.state !== 'closed') this.#tell({ state: 'stale', since, reason });
  }

  #refused(reason: string): void {
    this.#socket.close();
    this.#tell({ state: 'refused', reason });
  }

  #later(act: () => void): void {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => {
      if (this.#status.state === 'stale') act();
    }, AGAIN_MS);
  }

  #tell(status: FeedStatus): void {
    this.#status = status;
    for (const listener of this.#listeners.status) listener(status);
  }
}

/** `code` is one of the gateway's, or `NoAnswer`. */
export class FeedError extends Error {
  override readonly name = 'FeedError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Its own types do not see through a generic message name. */
interface Asking {
  emitWithAck(name: string, message: unknown): Promise<unknown>;
}

function keyOf(target: Target): string {
  return JSON.stringify(Object.entries(target));
}

function roomOf(target: Target): (typeof ROOMS)[keyof typeof ROOMS] {
  const [name] = Object.keys(target) as (keyof typeof ROOMS)[];
  if (name === undefined || !Object.hasOwn(ROOMS, name)) throw new RangeError('a target names one id, or all');
  return ROOMS[name];
}
