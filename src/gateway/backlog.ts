/**
 * What waits for one client: queued by the engine, or handed to its WebSocket and not taken by the kernel yet. A client that stops reading
 * is cut, because everything that happens would be kept for it; it comes back by cursor.
 */
import type { GatewayLimits } from './limits';

/** Times what may wait of the present. */
const ASKED_AT_MOST = 4;

interface Packet {
  readonly data?: unknown;
}

/** What is used of an engine's session. Its types leave most of it out. */
export interface EngineSession {
  readonly transport: { readonly socket?: { readonly bufferedAmount?: number; terminate?: () => void } };
  on(event: 'packetCreate', listener: (packet: Packet) => void): unknown;
  on(event: 'flush', listener: (packets: readonly Packet[]) => void): unknown;
  close(discard?: boolean): void;
}

export class Backlog {
  readonly #session: EngineSession;
  readonly #limits: Pick<GatewayLimits, 'unread' | 'stalled_ms'>;
  #queued = 0;
  #handed = 0;
  /** Of what waits, what the client asked for: the past of a room may be larger than what may wait of the present. */
  #asked = 0;
  /** What had gone when it was looked at last, and since when it is no more. */
  #gone = 0;
  #since: number | undefined;

  constructor(session: EngineSession, limits: Pick<GatewayLimits, 'unread' | 'stalled_ms'>) {
    this.#session = session;
    this.#limits = limits;
    session.on('packetCreate', (packet) => {
      this.#queued += sizeOf(packet);
    });
    session.on('flush', (packets) => {
      const size = packets.reduce((sum, packet) => sum + sizeOf(packet), 0);
      this.#queued -= size;
      this.#handed += size;
    });
  }

  /** Characters that wait. */
  get size(): number {
    return this.#queued + this.#buffered;
  }

  /** Whether too much waits beside what was asked for, which goes first. */
  get isFull(): boolean {
    this.#asked = Math.min(this.#asked, this.size);
    return this.size - this.#asked > this.#limits.unread;
  }

  /** Whether so much waits that no more may be asked for. */
  get isBusy(): boolean {
    return this.size > this.#limits.unread * ASKED_AT_MOST;
  }

  /** Sends what the client asked for. */
  sendAsked(send: () => void): void {
    const before = this.size;
    this.#asked = Math.min(this.#asked, before);
    send();
    this.#asked += Math.max(0, this.size - before);
  }

  /** Whether something has waited for too long without any of it going. `now` in milliseconds, from call to call. */
  isStalled(now: number): boolean {
    const gone = this.#handed - this.#buffered;
    if (this.size === 0 || gone !== this.#gone) this.#since = undefined;
    this.#gone = gone;
    if (this.size === 0) return false;
    this.#since ??= now;
    return now - this.#since >= this.#limits.stalled_ms;
  }

  /** Ends the session and its connection at once: a close that waits for the client would keep all that waits for half a minute more. */
  cut(): void {
    const { socket } = this.#session.transport;
    this.#session.close(true);
    socket?.terminate?.();
  }

  get #buffered(): number {
    return this.#session.transport.socket?.bufferedAmount ?? 0;
  }
}

function sizeOf({ data }: Packet): number {
  return typeof data === 'string' ? data.length : 0;
}
