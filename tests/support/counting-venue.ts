/** A venue on loopback that counts: what arrived, when, and what of it came too late to be accepted. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface VenueOrder {
  /** The client order id. */
  readonly id: string;
  /** Of the desk when it granted the permit. */
  readonly epoch?: number;
  readonly scopes: readonly string[];
  /** Milliseconds since 1970 on the sender's clock; the two together are the instant from which it is refused. */
  readonly issued_at: number;
  readonly expires_in_ms: number;
}

export interface OrderArrival extends VenueOrder {
  /** Milliseconds since 1970, with fractions. */
  readonly at: number;
  readonly accepted: boolean;
}

export class CountingVenue {
  readonly arrivals: OrderArrival[] = [];
  /** How long an answer takes; the order is judged at its arrival. */
  delay_ms = 0;
  /** Drops the connection instead of answering: the sender cannot know. */
  dropsConnections = false;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(): Promise<CountingVenue> {
    const server = createServer();
    const venue = new CountingVenue(server);
    server.on('request', (request, response) => void venue.#take(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return venue;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** In the order they arrived; of one scope, or all. */
  accepted(scope?: string): readonly OrderArrival[] {
    return this.arrivals.filter(({ accepted, scopes }) => accepted && (scope === undefined || scopes.includes(scope)));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      answer(response, 200, this.arrivals);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const at = performance.timeOrigin + performance.now();
    const order = JSON.parse(Buffer.concat(chunks).toString()) as VenueOrder;
    const accepted = at < order.issued_at + order.expires_in_ms;
    this.arrivals.push({ ...order, at, accepted });
    if (this.delay_ms > 0) await new Promise((resolve) => setTimeout(resolve, this.delay_ms));
    if (this.dropsConnections) request.socket.destroy();
    else answer(response, accepted ? 200 : 400, accepted ? { order_id: order.id } : { code: 'EXPIRED' });
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
