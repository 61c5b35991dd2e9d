/** What one subscriber is still to be sent, in its order, with what goes wrong on the way. */
import type { Faults } from './faults';

/** What of a WebSocket is needed. */
export interface StreamSocket {
  /** Bytes that were sent and not taken yet. */
  readonly bufferedAmount: number;
  send(text: string): void;
  terminate(): void;
}

/** Who leaves so many bytes or events unread is cut: it may come back, and nobody else waits for it. */
const MOST_UNSENT_BYTES = 1024 * 1024;
const MOST_WAITING = 1_000;

interface Waiting {
  readonly text: string;
  /** By the monotonic clock. */
  readonly due: number;
}

export class StreamOutbox {
  readonly #socket: StreamSocket;
  readonly #faults: Faults;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: StreamSocket, faults: Faults) {
    this.#socket = socket;
    this.#faults = faults;
  }

  push(text: string): void {
    if (this.#faults.strike('stream_cut', 'event') !== undefined) {
      this.#socket.terminate();
      return;
    }
    const delay = this.#faults.strike('stream_delay_ms', 'event')?.ms ?? 0;
    const times = this.#faults.strike('stream_duplicate', 'event') === undefined ? 1 : 2;
    const due = Math.max(this.#waiting.at(-1)?.due ?? 0, performance.now() + delay);
    for (let sent = 0; sent < times; sent += 1) this.#waiting.push({ text, due });
    if (this.#waiting.length > MOST_WAITING) this.#socket.terminate();
    else this.flush();
  }

  /** Sends what is due, unless streams are held. */
  flush(): void {
    clearTimeout(this.#timer);
    if (this.#faults.holdsStreams) return;
    const now = performance.now();
    const later = this.#waiting.findIndex(({ due }) => due > now);
    const ready = this.#waiting.splice(0, later === -1 ? this.#waiting.length : later);
    for (const { text } of ready) this.#send(text);
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#timer = setTimeout(() => {
      this.flush();
    }, next.due - now).unref();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#waiting = [];
  }

  #send(text: string): void {
    if (this.#socket.bufferedAmount > MOST_UNSENT_BYTES) this.#socket.terminate();
    else this.#socket.send(text);
  }
}
