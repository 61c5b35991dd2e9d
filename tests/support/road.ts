/** A way for clients to gateways: to one after the other of those that let in. It can be closed, and be stopped up. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

interface Passage {
  readonly client: Socket;
  readonly gateway: Socket;
}

export class Road {
  readonly #server: Server;
  readonly #gateways: () => readonly string[];
  readonly #passages = new Set<Passage>();
  #isClosed = false;
  #isStopped = false;
  #turns = 0;

  private constructor(gateways: () => readonly string[]) {
    this.#gateways = gateways;
    this.#server = createServer((client) => {
      client.on('error', () => client.destroy());
      if (this.#isClosed) client.destroy();
      else this.#lead(client, this.#gateways().length);
    });
  }

  /** `gateways`: where they are now, scheme, host and port. */
  static async open(gateways: () => readonly string[]): Promise<Road> {
    const road = new Road(gateways);
    road.#server.listen(0, '127.0.0.1');
    await once(road.#server, 'listening');
    return road;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends every connection and lets nobody in. */
  close(): void {
    this.#isClosed = true;
    for (const { client, gateway } of this.#passages) for (const each of [client, gateway]) each.destroy();
  }

  reopen(): void {
    this.#isClosed = false;
  }

  /** Takes nothing from the gateways any more, on the connections there are. */
  stop(): void {
    this.#isStopped = true;
    for (const { client, gateway } of this.#passages) gateway.unpipe(client).pause();
  }

  flow(): void {
    this.#isStopped = false;
    for (const { client, gateway } of this.#passages) gateway.pipe(client);
  }

  async end(): Promise<void> {
    this.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #lead(client: Socket, tries: number): void {
    const gateways = this.#gateways();
    const url = gateways[this.#turns++ % Math.max(1, gateways.length)];
    if (url === undefined || tries === 0) {
      client.destroy();
      return;
    }
    const gateway = connect(Number(new URL(url).port), '127.0.0.1');
    const passage = { client, gateway };
    const onRefused = () => {
      this.#lead(client, tries - 1);
    };
    gateway.once('error', onRefused);
    gateway.once('connect', () => {
      gateway.off('error', onRefused).on('error', () => client.destroy());
      this.#passages.add(passage);
      client.pipe(gateway);
      if (!this.#isStopped) gateway.pipe(client);
      const end = () => {
        this.#passages.delete(passage);
        client.destroy();
        gateway.destroy();
      };
      client.once('close', end);
      gateway.once('close', end);
    });
  }
}
