/**
 * Follows a gateway from a browser or from Node.
 *
 * - C1. Each event is handed on at most once, and in the order of its stream, over any number of connections: the feed keeps its place in
 *   every stream and asks for what came after it.
 * - C2. What cannot be told event by event comes as a snapshot, which then stands in the view. After a gap, and when the numbers of a
 *   stream show one nobody told of, the executions concerned are asked for anew until they are told. So a view may jump, but it is never
 *   silently wrong.
 * - C3. `live` means that every subscription was answered on the present connection; without one the feed says since when it is stale.
 */
import { io, type Socket } from 'socket.io-client';
import { isAfter, type Cursor } from '../event-log/cursor';
import type { Snapshot } from '../event-log/event-reader';
import type { EventEnvelope } from '../events/envelope';
import type { Answer, ClientToServer, GapNotice, Message, MessageName, ServerToClient } from '../gateway/protocol';
import { fromSnapshot, nodeIn, withEvent, type ExecutionView, type NodeView } from './execution-view';
import { Mending, type MendOutcome } from './mending';
import { missingBetween } from './missing';
import { concerns, keyOf, roomOf, type Target } from './target';

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
  /** `event` is what changed it; without one it was made anew and anything in it may be another. */
  readonly execution: (view: ExecutionView, event?: EventEnvelope) => void;
  readonly status: (status: FeedStatus) => void;
  /** Events of these streams may be missing from what `event` told, as the gateway says or their numbers; views are made right by the feed itself. */
  readonly gap: (gap: GapNotice) => void;
}

/** A gateway reads so many cursors of one subscription. */
const MOST_CURSORS = 500;
const AGAIN_MS = 1_000;
const ANSWER_MS = 5_000;
const MOST_EXECUTIONS = 1_000;
const REFUSALS: ReadonlySet<unknown> = new Set(['Unauthenticated', 'Forbidden']);
/** Of a state that is asked for: the same question would be answered in the same way. */
const NO_STATE: ReadonlySet<unknown> = new Set([...REFUSALS, 'TokenExpired', 'BadRequest']);

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
  /** The execution whose state was asked for, and what was told of it since. */
  #asked: { readonly execution_id: string; readonly events: EventEnvelope[] } | undefined;
  readonly #mending = new Mending((executionId) => this.#askForState(executionId));
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
    this.#socket.on('gap', (gap) => {
      this.#hearGap(gap);
    });
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

  /** One node of an execution, by `frame/node` or the node alone; cheaper than all `nodes` of a large one. */
  node(executionId: string, key: string): NodeView | undefined {
    const view = this.#views.get(executionId);
    return view === undefined ? undefined : nodeIn(view, key);
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
    void this.#mend();
  }

  async #subscribe(target: Target): Promise<FeedError | undefined> {
    const { all: _all, ...ids } = target as { readonly all?: true };
    const known = [...this.#cursors].filter(([stream]) => concerns(target, stream, this.#views.get(stream)));
    const cursors = Object.fromEntries(known.slice(-MOST_CURSORS));
    try {
      const answer = await this.ask(roomOf(target), { ...ids, cursors });
      if (answer.ok) {
        for (const [stream, cursor] of Object.entries(answer.cursors)) this.#moveTo(stream, cursor);
        this.#missed(target, answer.cursors);
        if (!answer.recovered && known.length > 0) this.#tellGap('out_of_reach', { streams: [], complete: false });
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

  /** A room tells of its latest executions and of those the feed named; others that are in view may have moved. */
  #missed(target: Target, told: Readonly<Record<string, Cursor>>): void {
    this.#mending.add(this.#open.filter((id) => concerns(target, id, this.#views.get(id)) && !Object.hasOwn(told, id)));
    void this.#mend();
  }

  get #open(): string[] {
    const open = this.executions.filter(({ has_ended }) => !has_ended);
    return open.map(({ execution_id }) => execution_id);
  }

  #take(event: EventEnvelope): void {
    const { stream } = event;
    const known = this.#cursors.get(stream);
    if (known !== undefined && !isAfter(event, known)) return;
    const missing = stream === event.execution_id ? missingBetween(known, event, event.seq - 1) : undefined;
    this.#moveTo(stream, { log_epoch: event.log_epoch, seq: event.seq });
    this.#handOn(event);
    // The first of a stream that began anew: what it held before is told again, or was undone.
    const isFirst = event.seq === 1 && missing !== undefined;
    this.#show(withEvent(isFirst ? undefined : this.#views.get(stream), event), isFirst ? undefined : event);
    if (missing === undefined) return;
    this.#tellGap(missing.reason, { streams: [stream], dropped: missing.count });
    if (isFirst) return;
    this.#mending.add([stream]);
    void this.#mend();
  }

  #handOn(event: EventEnvelope): void {
    if (this.#asked?.execution_id === event.stream) this.#asked.events.push(event);
    for (const listener of this.#listeners.event) listener(event);
  }

  #restore(snapshot: Snapshot): void {
    const { stream, position } = snapshot;
    const missing = missingBetween(this.#cursors.get(stream), position, position.seq);
    this.#moveTo(stream, position);
    if (missing !== undefined) this.#tellGap(missing.reason, { streams: [stream], dropped: missing.count });
    this.#show(fromSnapshot(snapshot));
  }

  #hearGap(gap: GapNotice): void {
    this.#tellGap(gap.reason, gap);
    const named = gap.complete ? gap.streams.filter((stream) => this.#views.has(stream)) : gap.streams;
    this.#mending.add(gap.complete ? named : [...named, ...this.#open]);
    void this.#mend();
  }

  #tellGap(
    reason: GapNotice['reason'],
    { streams, dropped = 0, complete = true }: Pick<GapNotice, 'streams'> & Partial<GapNotice>,
  ): void {
    for (const listener of this.#listeners.gap) listener({ reason, dropped, streams, complete });
  }

  /** The state of what may be wrong. What cannot be had now makes the feed stale, and is asked for with everything else. */
  async #mend(): Promise<void> {
    const connection = this.#connection;
    if (await this.#mending.run()) return;
    if (connection !== this.#connection || !this.#socket.connected) return;
    this.#lost('how some executions stand is not known for now');
    this.#later(() => void this.#catchUp(connection));
  }

  async #askForState(execution_id: string): Promise<MendOutcome> {
    if (!this.#socket.connected) return 'failed';
    const events: EventEnvelope[] = [];
    this.#asked = { execution_id, events };
    const answer = await this.ask('request_state', { execution_id }).catch(() => undefined);
    this.#asked = undefined;
    if (answer === undefined) return 'failed';
    if (!answer.ok) return answer.error.code === 'RateLimited' ? 'busy' : refusalOf(answer.error.code);
    this.#restore(answer.snapshot);
    // An answer is awaited, and what follows it on the same connection may be heard before.
    for (const event of events.filter((each) => isAfter(each, answer.snapshot.position)))
      this.#show(withEvent(this.#views.get(execution_id), event));
    return 'mended';
  }

  #moveTo(stream: string, cursor: Cursor): void {
    const known = this.#cursors.get(stream);
    if (known !== undefined && !isAfter(cursor, known)) return;
    this.#cursors.delete(stream);
    this.#cursors.set(stream, cursor);
  }

  #show(view: ExecutionView | undefined, event?: EventEnvelope): void {
    if (view === undefined || view === this.#views.get(view.execution_id)) return;
    this.#views.set(view.execution_id, view);
    this.#forgetOldest(view.execution_id);
    for (const listener of this.#listeners.execution) listener(view, event);
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

function refusalOf(code: string): MendOutcome {
  return NO_STATE.has(code) ? 'refused' : 'failed';
}

/** Its own types do not see through a generic message name. */
interface Asking {
  emitWithAck(name: string, message: unknown): Promise<unknown>;
}
