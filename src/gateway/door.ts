/** How many clients are in, all together and from one address. Who was let in counts from then on, or a burst would pass. */
import type { IncomingMessage } from 'node:http';
import type { GatewayLimits } from './limits';

export type Crowded = 'clients' | 'clients_of_address';

/** What the engine tells of a session. */
export interface DoorSession {
  readonly request: IncomingMessage;
  once(event: 'close', listener: (reason: string, problem: unknown) => void): unknown;
}

export class Door {
  readonly #limits: Pick<GatewayLimits, 'clients' | 'clients_per_address'>;
  readonly #inside = new Map<string, number>();
  /** Handshakes under way. The address is kept, because a socket that closed has none any more. */
  readonly #entering = new Map<IncomingMessage, { readonly address: string; readonly onClose: () => void }>();
  #count = 0;

  constructor(limits: Pick<GatewayLimits, 'clients' | 'clients_per_address'>) {
    this.#limits = limits;
  }

  /** Lets a handshake in, or says what is full. Who is gone already would never leave, so nobody is let in for them. */
  enter(request: IncomingMessage): Crowded | undefined {
    const { socket } = request;
    const address = socket.remoteAddress ?? '';
    const ofAddress = this.#inside.get(address) ?? 0;
    if (socket.destroyed || this.#count >= this.#limits.clients) return 'clients';
    if (ofAddress >= this.#limits.clients_per_address) return 'clients_of_address';
    this.#inside.set(address, ofAddress + 1);
    this.#count += 1;
    const onClose = () => {
      this.#entering.delete(request);
      this.#leave(address);
    };
    this.#entering.set(request, { address, onClose });
    socket.once('close', onClose);
    return undefined;
  }

  /** A handshake has become a session, which leaves when it closes: one that polls outlives its connection. */
  adopt(session: DoorSession): void {
    const { request } = session;
    const entry = this.#entering.get(request);
    if (entry === undefined) return;
    const { address, onClose } = entry;
    this.#entering.delete(request);
    request.socket.off('close', onClose);
    session.once('close', () => {
      this.#leave(address);
    });
  }

  #leave(address: string): void {
    this.#count -= 1;
    const left = (this.#inside.get(address) ?? 1) - 1;
    if (left > 0) this.#inside.set(address, left);
    else this.#inside.delete(address);
  }
}
