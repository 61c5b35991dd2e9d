import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { HoldfastError } from '../errors';

const LOOPBACK = '127.0.0.1';
/**
 * Below what systems give to outgoing connections (from 32768 on Linux, from 49152 elsewhere): a port found free there is not taken by
 * a connection before the server that was promised it binds it.
 */
const QUIET_PORTS = { from: 15_000, to: 32_767 } as const;
const QUIET_TRIES = 50;

/** A port as it was asked for: by name it must be free, else the usual one is taken when it is, or any free one. */
export interface PortWish {
  readonly name: string;
  readonly named: number | undefined;
  readonly usual: number;
}

/** Throws `PortTaken` when a port that was asked for by name is in use. `taken` are ports promised to others already. */
export async function choosePort(wish: PortWish, taken: ReadonlySet<number> = new Set()): Promise<number> {
  const first = wish.named ?? wish.usual;
  if (first !== 0 && !taken.has(first) && (await isFree(first))) return first;
  if (wish.named !== undefined && wish.named !== 0) {
    throw new HoldfastError('PortTaken', `Port ${first} (${wish.name}) is in use by another program.`, { port: first });
  }
  for (;;) {
    const port = await freePort();
    if (!taken.has(port)) return port;
  }
}

/** True when nobody listens there, on loopback or on all addresses. */
export async function isFree(port: number): Promise<boolean> {
  for (const host of [LOOPBACK, '0.0.0.0']) {
    if ((await bind(port, host)) === undefined) return false;
  }
  return true;
}

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < QUIET_TRIES; tries += 1) {
    const port = randomInt(QUIET_PORTS.from, QUIET_PORTS.to + 1);
    if (await isFree(port)) return port;
  }
  const port = await bind(0, LOOPBACK);
  if (port === undefined) throw new HoldfastError('StackUnhealthy', 'The system has no free port left.');
  return port;
}

/** True when somebody accepts connections there. */
export function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => {
      settle(true);
    });
    for (const failure of ['error', 'timeout']) {
      socket.once(failure, () => {
        settle(false);
      });
    }
  });
}

function bind(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(undefined);
    });
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : undefined);
      });
    });
  });
}
