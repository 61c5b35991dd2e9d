/**
 * The least that speaks Socket.IO over a WebSocket: one TCP connection, no buffers of its own but for a frame that has not come whole. Ten
 * thousand of them fit into one process, and what it costs to read is not what is measured. The library's own client measures single ones.
 */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export interface RawClientOptions {
  readonly url: string;
  readonly auth: object;
  /** Sent once connected; the client is open when it was answered. */
  readonly subscribe: readonly [name: string, message: object];
  /** Is given the text of every event, as it came: `42["name",…]`. */
  readonly onEvent: (text: string) => void;
  readonly onClose?: () => void;
}

const TEXT = 1;
const CLOSE = 8;
const FIN = 0x80;
const MASKED = 0x80;
const ANSWER = '431';

export class RawClient {
  readonly #options: RawClientOptions;
  readonly #socket: Socket;
  readonly #opened: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #isUpgraded = false;
  #rest: Buffer = Buffer.alloc(0);

  constructor(options: RawClientOptions) {
    this.#options = options;
    this.#opened = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { hostname, port, host } = new URL(options.url);
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true }, () => {
      const key = randomBytes(16).toString('base64');
      const upgrade = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13`;
      this.#socket.write(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${host}\r\n${upgrade}\r\n\r\n`);
    });
    this.#socket.on('data', (data) => {
      this.#take(data);
    });
    this.#socket.on('error', (error) => {
      this.#reject(error);
    });
    this.#socket.on('close', () => {
      this.#reject(new Error('the server closed the connection'));
      options.onClose?.();
    });
  }

  /** Resolves once subscribed, and throws what stands in the way. */
  static async open(options: RawClientOptions): Promise<RawClient> {
    const client = new RawClient(options);
    await client.#opened;
    return client;
  }

  /** Takes nothing from the kernel any more. */
  pause(): void {
    this.#socket.pause();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(data: Buffer): void {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    if (!this.#isUpgraded && !this.#readHead()) return;
    while (this.#readFrame()) continue;
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf('\r\n\r\n');
    if (end === -1) return false;
    const head = this.#rest.toString('latin1', 0, end);
    this.#rest = this.#rest.subarray(end + 4);
    this.#isUpgraded = head.startsWith('HTTP/1.1 101');
    if (!this.#isUpgraded) this.#reject(new Error(head.split('\r\n')[0]));
    return this.#isUpgraded;
  }

  /** A server's frames are not masked, and these servers send each message in one. */
  #readFrame(): boolean {
    const frame = this.#rest;
    if (frame.length < 2) return false;
    const short = frame.readUInt8(1);
    const from = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (frame.length < from) return false;
    const length = short === 127 ? Number(frame.readBigUInt64BE(2)) : short === 126 ? frame.readUInt16BE(2) : short;
    if (frame.length < from + length) return false;
    this.#rest = frame.subarray(from + length);
    this.#hear(frame.readUInt8(0) & 0x0f, frame.toString('latin1', from, from + length));
    return true;
  }

  #hear(opcode: number, text: string): void {
    if (opcode === CLOSE) this.close();
    else if (text.startsWith('42')) this.#options.onEvent(text);
    else if (text === '2') this.#send('3');
    else if (text.startsWith('0')) this.#send(`40${JSON.stringify(this.#options.auth)}`);
    else if (text.startsWith('40')) this.#send(`421${JSON.stringify(this.#options.subscribe)}`);
    else if (text.startsWith(ANSWER)) this.#answered(text.slice(ANSWER.length));
    else if (text.startsWith('44')) this.#reject(new Error(text));
  }

  #answered(text: string): void {
    const [answer] = JSON.parse(text) as [{ readonly ok: boolean }];
    if (answer.ok) this.#resolve();
    else this.#reject(new Error(text));
  }

  /** A client's frames are masked; with zeros, so that nothing has to be computed. */
  #send(text: string): void {
    const payload = Buffer.from(text);
    const head = Buffer.alloc(8);
    head.writeUInt8(FIN | TEXT, 0);
    head.writeUInt8(MASKED | 126, 1);
    head.writeUInt16BE(payload.length, 2);
    this.#socket.write(Buffer.concat([head, payload]));
  }
}
