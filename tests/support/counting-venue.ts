/** A venue on loopback that counts: what arrived, when, and what of it came too late to be accepted. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decimal, formatDecimal } from '../../src/money';
import type { FoundOrder, OrderLookup } from '../../src/venues/order-lookup';

export interface VenueOrder {
  /** The client order id. */
  readonly id: string;
  /** Of the desk when it granted the permit. */
  readonly epoch?: number;
  readonly scopes: readonly string[];
  /** Milliseconds since 1970 on the sender's clock; the two together are the instant from which it is refused. */
  readonly issued_at: number;
  readonly expires_in_ms: number;
  /** What of it fills at once; default nothing. */
  readonly filled?: string;
  readonly price?: string;
  /** How long its answer takes, milliseconds. */
  readonly answer_after_ms?: number;
  /** The process that sent it. */
  readonly pid?: number;
}

export interface OrderArrival extends VenueOrder {
  /** Milliseconds since 1970, with fractions. */
  readonly at: number;
  readonly accepted: boolean;
}

export class CountingVenue {
  readonly arrivals: OrderArrival[] = [];
  /** Client order ids somebody has asked about. */
  readonly asked = new Set<string>();
  /** How long an answer takes; the order is judged at its arrival. */
  delay_ms = 0;
  /** Drops the connection instead of answering: the sender cannot know. */
  dropsConnections = false;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(): Promise<CountingVenue> {
    // A worker that stood still writes on its connection when it goes on: that must still be there, or nothing arrives to be refused.
    const server = createServer({ keepAliveTimeout: 120_000 });
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

  #find(url: string, response: ServerResponse): void {
    const wanted = url.replace('/order/', '');
    this.asked.add(wanted);
    const order = this.arrivals.find(({ id, accepted }) => accepted && id === wanted);
    if (order === undefined) {
      answer(response, 404, {});
      return;
    }
    const { filled = '0', price = '0', at } = order;
    const filled_notional = formatDecimal(decimal(filled).times(decimal(price)));
    answer(response, 200, { status: 'ended', filled_quantity: filled, filled_notional, fees: '0', at: Math.floor(at) });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') {
      this.#find(request.url ?? '', response);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const at = performance.timeOrigin + performance.now();
    const order = JSON.parse(Buffer.concat(chunks).toString()) as VenueOrder;
    const accepted = at < order.issued_at + order.expires_in_ms;
    this.arrivals.push({ ...order, at, accepted });
    const delay = Math.max(this.delay_ms, order.answer_after_ms ?? 0);
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay).unref());
    if (this.dropsConnections) request.socket.destroy();
    else answer(response, accepted ? 200 : 400, accepted ? { order_id: order.id } : { code: 'EXPIRED' });
  }
}

/** What the worker's sweeper asks it. */
export function countingLookup(origin: string): OrderLookup {
  return {
    ...{ venue: 'paper', account: 'main', fence_ms: 0, query_lag_ms: 0 },
    find: async ({ client_order_id }) => {
      const response = await fetch(`${origin}/order/${client_order_id}`, { signal: AbortSignal.timeout(2_000) });
      if (response.status === 404) return undefined;
      if (!response.ok) throw new Error(`the venue answers ${response.status}`);
      return (await response.json()) as FoundOrder;
    },
  };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
