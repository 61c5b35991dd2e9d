/** A server on loopback that speaks Binance's dialect as far as a test tells it to, and keeps every byte that comes. */
import { createServer, type Socket } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { recorded } from './binance-answers';

export interface Arrival {
  readonly method: string;
  /** After the version. */
  readonly path: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly key: string | undefined;
}

export type Answer =
  | { readonly status?: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
  /** Reads the request and drops the connection. */
  | 'cut'
  /** Reads the request and says nothing. */
  | 'silence';

type Answerer = (arrival: Arrival) => Answer;

export const refusal = (code: number, msg: string, status = 400): Answer => ({ status, body: { code, msg } });

const PREFIX = '/paper/api/v3/';

export class BinanceServer {
  readonly arrivals: Arrival[] = [];
  /** How far its clock is ahead. */
  skew_ms = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #answers = new Map<string, Answerer>();

  private constructor(server: Server) {
    this.#server = server;
    this.answer('GET time', () => ({ body: { serverTime: Date.now() + this.skew_ms } }));
    this.answer('GET exchangeInfo', () => ({ body: recorded('exchange-info') }));
  }

  static async listen(): Promise<BinanceServer> {
    const server = createServer();
    const venue = new BinanceServer(server);
    server.on('connection', (socket) => {
      venue.#serve(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return venue;
  }

  get base_url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/paper`;
  }

  /** `what`: method and path, such as `POST order`. */
  answer(what: string, answerer: Answerer): void {
    this.#answers.set(what, answerer);
  }

  of(what: string): readonly Arrival[] {
    return this.arrivals.filter(({ method, path }) => `${method} ${path}` === what);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    let text = '';
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      text += data.toString('utf8');
      const request = complete(text);
      if (request === undefined) return;
      text = '';
      this.arrivals.push(request);
      reply(socket, this.#answerTo(request));
    });
  }

  #answerTo(request: Arrival): Answer {
    const answerer = this.#answers.get(`${request.method} ${request.path}`);
    return answerer?.(request) ?? refusal(-1000, `the test has no answer to ${request.method} ${request.path}`, 404);
  }
}

/** One request at a time comes on a connection. Undefined until all of it is there. */
function complete(text: string): Arrival | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line = '', ...headers] = text.slice(0, end).split('\r\n');
  const header = (name: string) =>
    headers.find((each) => each.toLowerCase().startsWith(`${name}: `))?.slice(name.length + 2);
  const body = text.slice(end + 4);
  if (body.length < Number(header('content-length') ?? 0)) return undefined;
  const [method = '', target = ''] = line.split(' ');
  const { pathname, search } = new URL(target, 'http://localhost');
  const parameters = Object.fromEntries(new URLSearchParams(body === '' ? search : body));
  return { method, path: pathname.replace(PREFIX, ''), parameters, key: header('x-mbx-apikey') };
}

function reply(socket: Socket, answer: Answer): void {
  if (answer === 'silence') return;
  if (answer === 'cut') {
    socket.destroy();
    return;
  }
  const { status = 200, body, headers = {} } = answer;
  const content = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const all = { 'content-type': 'application/json', 'content-length': String(content.length), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} X\r\n${lines.join('')}\r\n`);
  socket.write(content);
}
