/** The benchmark's end of `event-clients.ts`. */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { openFilesOf, startNode, stop } from './children';
import type { Connecting, Counted, Order } from './event-clients';

interface Answered {
  readonly id: number;
  readonly answer?: Counted;
  readonly error?: string;
}

export class ClientProcess {
  readonly #child: ChildProcess;
  readonly #asked = new Map<number, { resolve: (answer?: Counted) => void; reject: (error: Error) => void }>();
  #ids = 0;

  constructor() {
    this.#child = startNode([join(__dirname, 'event-clients.js')], ['ignore', 'inherit', 'inherit', 'ipc']);
    this.#child.on('message', ({ id, answer, error }: Answered) => {
      const asked = this.#asked.get(id);
      this.#asked.delete(id);
      if (error === undefined) asked?.resolve(answer);
      else asked?.reject(new Error(error));
    });
    this.#child.once('exit', () => {
      for (const { reject } of this.#asked.values()) reject(new Error('the clients have ended'));
    });
  }

  get openFiles(): number | undefined {
    return openFilesOf(this.#child);
  }

  async connect(group: string, connecting: Connecting): Promise<void> {
    await this.#ask({ do: 'connect', group, connecting });
  }

  /** Counts anew; only marks of this round count. */
  async begin(group: string, round: number, perClient: number): Promise<void> {
    await this.#ask({ do: 'begin', group, round, per_client: perClient });
  }

  async count(group: string, from = 0): Promise<Counted> {
    const counted = await this.#ask({ do: 'count', group, from });
    if (counted === undefined) throw new Error('the clients counted nothing');
    return counted;
  }

  async pause(group: string): Promise<void> {
    await this.#ask({ do: 'pause', group });
  }

  async comeBack(group: string): Promise<void> {
    await this.#ask({ do: 'come back', group });
  }

  async leave(group: string): Promise<void> {
    await this.#ask({ do: 'close', group });
  }

  async close(): Promise<void> {
    await stop(this.#child);
  }

  #ask(order: Order): Promise<Counted | undefined> {
    const id = (this.#ids += 1);
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#child.send({ id, order });
    });
  }
}
