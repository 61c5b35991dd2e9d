/**
 * Clients in a process of their own, so that the servers have theirs for themselves. Told over IPC what to connect, when to count anew and
 * when to say what was counted; see `client-process.ts`.
 */
import { createHistogram } from 'node:perf_hooks';
import { io } from 'socket.io-client';
import type { EventEnvelope } from '../../src/events/envelope';
import { marksIn, type Mark } from './marks';
import { monotonic } from './monotonic';
import { RawClient } from './raw-client';

export interface Connecting {
  readonly url: string;
  readonly auth: object;
  /** One client after the other subscribes to the next of these, from the first again. */
  readonly subscriptions: readonly (readonly [name: string, message: object])[];
  readonly count: number;
  /** The library's own client instead of raw ones. */
  readonly library?: boolean;
}

export interface Counted {
  /** Milliseconds from enqueue to callback, of all events of the round. */
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
  readonly received: number;
  /** Of the events each client was to get, those it did not, over all clients. */
  readonly lost: number;
  readonly gaps: number;
  readonly open: number;
  /** Of events without a mark: id, and when they came. */
  readonly unmarked: readonly (readonly [event_id: string, at: number])[];
}

/** `per_client`: events each client is to get in the round. `from`: only those count as lost that have this index or a higher one. */
export type Order = { readonly group: string } & (
  | { readonly do: 'connect'; readonly connecting: Connecting }
  | { readonly do: 'begin'; readonly round: number; readonly per_client: number }
  | { readonly do: 'count'; readonly from?: number }
  | { readonly do: 'pause' }
  | { readonly do: 'come back' }
  | { readonly do: 'close' }
);

type Cursors = Record<string, { log_epoch: string; seq: number }>;

/** Connections that are made at once. */
const AT_ONCE = 100;
const MICROSECONDS = 1_000;

class Client {
  readonly #group: Group;
  readonly #cursors: Cursors = {};
  seen = new Uint8Array(0);
  isOpen = false;
  #raw: RawClient | undefined;
  #close: () => void = () => undefined;

  constructor(group: Group) {
    this.#group = group;
  }

  async open(connecting: Connecting, subscribe: Connecting['subscriptions'][number]): Promise<void> {
    await (connecting.library === true ? this.#openLibrary(connecting, subscribe) : this.#open(connecting, subscribe));
    this.isOpen = true;
  }

  /** With the place it has in every stream. */
  async comeBack(connecting: Connecting, [name, message]: Connecting['subscriptions'][number]): Promise<void> {
    this.close();
    await this.open(connecting, [name, { ...message, cursors: this.#cursors }]);
  }

  pause(): void {
    this.#raw?.pause();
  }

  close(): void {
    this.isOpen = false;
    this.#close();
  }

  async #open({ url, auth }: Connecting, subscribe: Connecting['subscriptions'][number]): Promise<void> {
    let isLeft = false;
    const raw = await RawClient.open({
      ...{ url, auth, subscribe },
      onEvent: (text) => {
        this.#hear(text);
      },
      onClose: () => {
        if (!isLeft) this.isOpen = false;
      },
    });
    this.#raw = raw;
    this.#close = () => {
      isLeft = true;
      raw.close();
    };
  }

  async #openLibrary({ url, auth }: Connecting, [name, message]: Connecting['subscriptions'][number]): Promise<void> {
    const socket = io(url, { auth, transports: ['websocket'], forceNew: true });
    this.#close = () => {
      socket.close();
    };
    const hear = (event: EventEnvelope) => {
      if ('outputs' in event && isMarked(event.outputs)) this.#mark(event.outputs.mark);
      else this.#group.heard(event.event_id);
    };
    socket.on('workflow_event', hear);
    socket.on('workflow_event_batch', (events: readonly EventEnvelope[]) => {
      events.forEach(hear);
    });
    socket.on('gap', () => (this.#group.gaps += 1));
    await socket.timeout(10_000).emitWithAck(name, message);
  }

  #hear(text: string): void {
    if (text.startsWith('42["gap"')) this.#group.gaps += 1;
    marksIn(text, (mark) => {
      this.#group.take(this, mark);
    });
    if (this.#group.keepsPlace && text.startsWith('42["workflow_event",')) this.#keepPlace(text);
  }

  #keepPlace(text: string): void {
    const [, { stream, log_epoch, seq }] = JSON.parse(text.slice(2)) as [string, EventEnvelope];
    this.#cursors[stream] = { log_epoch, seq };
  }

  #mark(mark: string): void {
    marksIn(`"mark":"${mark}"`, (each) => {
      this.#group.take(this, each);
    });
  }
}

class Group {
  readonly #clients: Client[] = [];
  #connecting: Connecting | undefined;
  #latency = createHistogram({ figures: 3 });
  #round = -1;
  #received = 0;
  #unmarked: [string, number][] = [];
  gaps = 0;

  /** Only where there are few: each event is parsed for it. */
  get keepsPlace(): boolean {
    return this.#clients.length === 1;
  }

  async connect(connecting: Connecting): Promise<void> {
    this.#connecting = connecting;
    const waiting = Array.from({ length: connecting.count }, () => new Client(this));
    this.#clients.push(...waiting);
    const queue = waiting.entries();
    const lane = async () => {
      for (const [index, client] of queue) await client.open(connecting, subscriptionOf(connecting, index));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  }

  begin(round: number, perClient: number): void {
    this.#round = round;
    this.#received = 0;
    this.#unmarked = [];
    this.gaps = 0;
    this.#latency = createHistogram({ figures: 3 });
    for (const client of this.#clients) client.seen = new Uint8Array(perClient);
  }

  take(client: Client, { round, index, sent }: Mark): void {
    if (round !== this.#round) return;
    if (client.seen[index] !== 0) return;
    client.seen[index] = 1;
    this.#received += 1;
    this.#latency.record(Math.max(1, Math.round((monotonic() - sent) * MICROSECONDS)));
  }

  heard(eventId: string): void {
    this.#unmarked.push([eventId, monotonic()]);
  }

  count(from: number): Counted {
    const lost = this.#clients.reduce((sum, { seen }) => sum + missing(seen.subarray(from)), 0);
    const at = (percent: number) => this.#latency.percentile(percent) / MICROSECONDS;
    return {
      ...{ p50: at(50), p99: at(99), most: at(100), received: this.#received, lost, gaps: this.gaps },
      ...{ open: this.#clients.filter(({ isOpen }) => isOpen).length, unmarked: this.#unmarked },
    };
  }

  pause(): void {
    for (const client of this.#clients) client.pause();
  }

  async comeBack(): Promise<void> {
    const connecting = this.#connecting;
    if (connecting === undefined) return;
    for (const [index, client] of this.#clients.entries()) {
      await client.comeBack(connecting, subscriptionOf(connecting, index));
    }
  }

  close(): void {
    for (const client of this.#clients) client.close();
    this.#clients.length = 0;
  }
}

function subscriptionOf({ subscriptions }: Connecting, index: number): Connecting['subscriptions'][number] {
  return subscriptions[index % subscriptions.length]!;
}

function missing(seen: Uint8Array): number {
  return seen.reduce((sum, each) => sum + 1 - each, 0);
}

function isMarked(outputs: unknown): outputs is { readonly mark: string } {
  return typeof outputs === 'object' && outputs !== null && 'mark' in outputs;
}

const groups = new Map<string, Group>();

async function obey(order: Order): Promise<Counted | undefined> {
  const group = groups.get(order.group) ?? new Group();
  groups.set(order.group, group);
  switch (order.do) {
    case 'connect':
      await group.connect(order.connecting);
      return undefined;
    case 'begin':
      group.begin(order.round, order.per_client);
      return undefined;
    case 'count':
      return group.count(order.from ?? 0);
    case 'pause':
      group.pause();
      return undefined;
    case 'come back':
      await group.comeBack();
      return undefined;
    case 'close':
      group.close();
      groups.delete(order.group);
      return undefined;
  }
}

process.on('message', ({ id, order }: { readonly id: number; readonly order: Order }) => {
  obey(order).then(
    (answer) => process.send?.({ id, answer }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  );
});
process.once('disconnect', () => process.exit(0));
