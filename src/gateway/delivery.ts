/** What one client is sent, in which order, and when it is too much. */
import type { Socket } from 'socket.io';
import type { Snapshot } from '../event-log';
import type { EventEnvelope } from '../events/envelope';
import { Backlog, type EngineSession } from './backlog';
import { Batches, type BatchOutlet } from './batches';
import type { GatewayLimits } from './limits';
import type { ClientToServer, GapNotice, ServerToClient } from './protocol';
import type { Outlet } from './session';
import { batchPacket, eventPacket } from './wire';

type Sink = Pick<Socket<ClientToServer, ServerToClient>, 'emit' | 'conn' | 'handshake'>;

export class Delivery implements Outlet {
  readonly #sink: Sink;
  readonly #backlog: Backlog;
  readonly #batches: Batches | undefined;
  readonly #onFull: () => void;

  /** `onFull`: the client reads too slowly for what happens. */
  constructor(sink: Sink, limits: Pick<GatewayLimits, 'unread' | 'stalled_ms'>, onFull: () => void) {
    this.#sink = sink;
    this.#onFull = onFull;
    this.#backlog = new Backlog(sink.conn as unknown as EngineSession, limits);
    const outlet: BatchOutlet = {
      one: (event) => {
        this.#tellOne(event);
      },
      many: (events) => {
        sink.conn.write(batchPacket(events));
        this.#judge();
      },
    };
    this.#batches = sink.handshake.auth['batches'] === true ? new Batches(outlet) : undefined;
  }

  /** Whether so much waits that no more may be asked for. */
  get isBusy(): boolean {
    return this.#backlog.isBusy;
  }

  /** Characters that wait. */
  get waiting(): number {
    return this.#backlog.size;
  }

  event(event: EventEnvelope, isPast: boolean): void {
    if (isPast) {
      this.answer(() => {
        this.#sink.conn.write(eventPacket(event));
      });
    } else if (this.#batches === undefined) this.#tellOne(event);
    else this.#batches.add(event);
  }

  snapshot(snapshot: Snapshot): void {
    this.answer(() => {
      this.#sink.emit('snapshot', snapshot);
    });
  }

  gap(gap: GapNotice): void {
    this.#batches?.flush();
    this.#sink.emit('gap', gap);
  }

  /** Sends what the client asked for, behind all that happened before. */
  answer(send: () => void): void {
    this.#batches?.flush();
    this.#backlog.sendAsked(send);
  }

  /** To be called every second. `now` in milliseconds. */
  look(now: number): void {
    if (this.#backlog.isStalled(now)) this.#onFull();
  }

  /** Ends the connection at once. */
  cut(): void {
    this.#backlog.cut();
  }

  close(): void {
    this.#batches?.close();
  }

  #tellOne(event: EventEnvelope): void {
    this.#sink.conn.write(eventPacket(event));
    this.#judge();
  }

  #judge(): void {
    if (this.#backlog.isFull) this.#onFull();
  }
}
