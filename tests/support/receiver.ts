/** An HTTP receiver that outlives the workers: what it counted, ran. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Arrival {
  readonly node_id: string;
  readonly frame: string;
  readonly execution_id: string;
  readonly idempotency_key: string;
  readonly pid: number;
  readonly at: number;
}

export class Receiver {
  readonly arrivals: Arrival[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const arrival = JSON.parse(Buffer.concat(chunks).toString()) as Omit<Arrival, 'at'>;
        receiver.arrivals.push({ ...arrival, at: Date.now() });
        response.end('ok');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  timesRun(executionId: string, nodeId: string): number {
    return this.arrivals.filter((each) => each.execution_id === executionId && each.node_id === nodeId).length;
  }

  of(executionId: string): Arrival[] {
    return this.arrivals.filter((each) => each.execution_id === executionId);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
