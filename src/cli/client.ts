import { connect as openSocket } from 'node:net';
import { HoldfastError } from '../errors';
import { HoldfastClient } from '../temporal-client/holdfast-client';
import { wholeNumber } from '../whole-number';
import type { Io } from './io';
import { locate } from './where';

const PROBE_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 2_500;

/** Runs `use` with a client of the Temporal server this environment means. Throws `TemporalUnavailable` within five seconds. */
export async function withClient<T>(io: Io, use: (client: HoldfastClient) => Promise<T>): Promise<T> {
  const { temporal } = await locate(io);
  const client = await connect(temporal);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

type Options = Parameters<typeof HoldfastClient.connect>[0];

async function connect(options: Options): Promise<HoldfastClient> {
  const { address } = options;
  if (!(await listens(address))) throw unavailable(address);
  // Whoever listens may still not be Temporal, or hang: gRPC would wait for four seconds more.
  return within(CONNECT_TIMEOUT_MS, HoldfastClient.connect(options), () => unavailable(address));
}

/** gRPC goes on trying where nobody listens; a plain socket knows at once. */
function listens(address: string): Promise<boolean> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve) => {
    const socket = openSocket({ host: hostname, port: wholeNumber(port), timeout: PROBE_TIMEOUT_MS });
    const answer = (up: boolean) => () => {
      socket.destroy();
      resolve(up);
    };
    socket.once('connect', answer(true)).once('error', answer(false)).once('timeout', answer(false));
  });
}

async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(late());
    }, ms);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

function unavailable(address: string): HoldfastError {
  return new HoldfastError('TemporalUnavailable', `No Temporal server answers at ${address}.`, { address });
}
