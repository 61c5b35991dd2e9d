/** The WebSocket API of one profile, as far as a user data stream needs it: requests and events on one connection. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { z, ZodError } from 'zod';
import type { Profile } from './profile';
import { Refusal, refusals } from './refusal';
import { accountOfParameters, assertTimely, readWindow } from './signature';

/** As Binance does it: a ping every twenty seconds, and the end of who has answered none for a minute. */
const PING_EVERY_MS = 20_000;
const PINGS_UNANSWERED = 3;
const MOST_BYTES = 64 * 1024;
const MOST_CONNECTIONS = 300;

const requestSchema = z.object({
  id: z.union([z.string().max(36), z.int(), z.null()]).default(null),
  method: z.string(),
  params: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
});

export class WebSocketApi {
  readonly #profile: Profile;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MOST_BYTES, perMessageDeflate: false });

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  /** A page names where it came from, and everybody knows the usual key, so what has an origin is refused. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.headers.origin !== undefined) refuse(socket, '403 Forbidden');
    else if (this.#server.clients.size >= MOST_CONNECTIONS) refuse(socket, '503 Service Unavailable');
    else {
      this.#server.handleUpgrade(request, socket, head, (opened) => {
        new Connection(opened, this.#profile).listen();
      });
    }
  }

  close(): void {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }
}

/** Ends an upgrade that leads nowhere. */
export function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

class Connection {
  readonly #socket: WebSocket;
  readonly #profile: Profile;
  readonly #subscriptions = new Map<string, { readonly id: number; readonly end: () => void }>();
  #nextId = 0;
  #unanswered = 0;

  constructor(socket: WebSocket, profile: Profile) {
    this.#socket = socket;
    this.#profile = profile;
  }

  listen(): void {
    const pings = setInterval(() => {
      this.#ping();
    }, PING_EVERY_MS).unref();
    this.#socket.on('pong', () => (this.#unanswered = 0));
    this.#socket.on('message', (data) => {
      this.#socket.send(JSON.stringify(this.#answer((data as Buffer).toString('utf8'))));
    });
    // What breaks a connection is followed by its close.
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      clearInterval(pings);
      this.#unsubscribe();
    });
  }

  #ping(): void {
    this.#unanswered += 1;
    if (this.#unanswered > PINGS_UNANSWERED) this.#socket.terminate();
    else this.#socket.ping();
  }

  #answer(text: string): object {
    let id: string | number | null = null;
    try {
      const request = requestSchema.parse(JSON.parse(text));
      ({ id } = request);
      return { id, status: 200, result: this.#act(request.method, parametersOf(request.params)) };
    } catch (error) {
      const { status, code, message } = refusalOf(error);
      return { id, status, error: { code, msg: message } };
    }
  }

  #act(method: string, parameters: URLSearchParams): object {
    switch (method) {
      case 'ping':
        return {};
      case 'time':
        return { serverTime: this.#profile.now().wall_ms };
      case 'userDataStream.subscribe.signature':
        return this.#subscribe(parameters);
      case 'userDataStream.unsubscribe':
        this.#unsubscribe(parameters.get('subscriptionId'));
        return {};
      default:
        throw refusals.unsupported();
    }
  }

  #subscribe(parameters: URLSearchParams): object {
    const { name } = accountOfParameters(parameters, this.#profile.accounts);
    assertTimely(readWindow(parameters), this.#profile.now().wall_ms);
    if (this.#subscriptions.has(name)) throw refusals.subscribed();
    const id = this.#nextId;
    this.#nextId += 1;
    this.#subscriptions.set(name, { id, end: this.#profile.streams.subscribe(name, id, this.#socket) });
    return { subscriptionId: id };
  }

  /** All of them where none is named. */
  #unsubscribe(only: string | null = null): void {
    for (const [name, { id, end }] of this.#subscriptions) {
      if (only !== null && only !== String(id)) continue;
      end();
      this.#subscriptions.delete(name);
    }
  }
}

function parametersOf(params: Readonly<Record<string, string | number | boolean>>): URLSearchParams {
  return new URLSearchParams(Object.entries(params).map(([name, value]): [string, string] => [name, String(value)]));
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof ZodError || error instanceof SyntaxError) return new Refusal(-1135, 'Invalid JSON Request');
  return new Refusal(-1000, 'An unknown error occurred while processing the request.', 500);
}
