/** Three ways from whoever has an event to a Socket.IO client, each with a server in a process of its own. */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { loadConfig } from '../../src/config/config';
import { EventPublisher } from '../../src/event-log';
import type { Publication } from '../../src/events/build';
import { createToken, type TokenRequest } from '../../src/gateway/tokens';
import { freePort } from '../../src/local-stack/ports';
import { firstMessage, memoryOf, openFilesOf, processorTimeOf, startNode, stop } from './children';

export interface EventPath {
  readonly name: string;
  readonly url: string;
  /** What a client shows when it connects. */
  readonly auth: object;
  publish(publication: Publication): void;
  /** Seconds of processor time its server has used; NaN where the system does not say. */
  processorTime(): number;
  /** Resolves once nothing waits in this process. */
  sent(): Promise<void>;
  close(): Promise<void>;
}

/** The released gateway. */
export interface GatewayPath extends EventPath {
  readonly publisher: EventPublisher;
  /** Bytes it holds now; NaN where the system does not say. */
  readonly memory: number;
  readonly openFiles: number | undefined;
  readonly token: (role: TokenRequest['role']) => Promise<string>;
  /** Hears of each client that is cut: how many characters waited for it. */
  onCut: (waiting: number) => void;
}

const GATEWAY = 'dist/gateway/main.js';
const BARE_CHANNEL = 'bench_events';
const SERVER = join(__dirname, 'event-server.js');
const SECRET = 'a secret of the benchmark alone, thirty-two characters and more';
const MOST_CLIENTS = '20000';

/** Redis publish → Socket.IO emit. */
export async function openBare(): Promise<EventPath> {
  const child = startNode([SERVER, 'bare', BARE_CHANNEL], ['ignore', 'inherit', 'inherit', 'ipc']);
  const { url } = (await firstMessage(child)) as { readonly url: string };
  const redis = new Redis(loadConfig().redis.url);
  let [seq, waiting] = [0, 0];
  return {
    ...{ name: 'bare', url, auth: {} },
    publish: ({ event }) => {
      waiting += 1;
      // As large as what the gateway sends.
      const text = JSON.stringify({ ...event, log_epoch: '1-00000000-1700000000', seq: (seq += 1) });
      void redis.publish(BARE_CHANNEL, text).finally(() => (waiting -= 1));
    },
    processorTime: () => processorTimeOf(child),
    sent: () => until(() => waiting === 0),
    close: async () => {
      redis.disconnect();
      await stop(child);
    },
  };
}

/** Two servers with `@socket.io/redis-adapter`: this process emits, clients are at the other one. */
export async function openAdapter(): Promise<EventPath> {
  const child = startNode([SERVER, 'adapter'], ['ignore', 'inherit', 'inherit', 'ipc']);
  const { url } = (await firstMessage(child)) as { readonly url: string };
  const redis = new Redis(loadConfig().redis.url);
  const second = redis.duplicate();
  const io = new Server({ adapter: createAdapter(redis, second) });
  let seq = 0;
  return {
    ...{ name: 'adapter', url, auth: {} },
    publish: ({ event }) => {
      const whole = { ...event, log_epoch: '1-00000000-1700000000', seq: (seq += 1) };
      io.to(`bot:${event.bot_id ?? ''}`).emit('workflow_event', whole);
    },
    processorTime: () => processorTimeOf(child),
    sent: async () => {
      await redis.ping();
    },
    close: async () => {
      redis.disconnect();
      second.disconnect();
      await stop(child);
    },
  };
}

/** Publisher → script → channel → gateway. */
export async function openHoldfast(environment: Readonly<Record<string, string>> = {}): Promise<GatewayPath> {
  const port = await freePort();
  const child = startNode([GATEWAY], ['ignore', 'pipe', 'inherit'], {
    ...{ HOLDFAST_GATEWAY_PORT: String(port), HOLDFAST_JWT_SECRET: SECRET, HOLDFAST_LOG_LEVEL: 'warn' },
    ...{ HOLDFAST_MAX_CLIENTS: MOST_CLIENTS, HOLDFAST_MAX_CLIENTS_PER_ADDRESS: MOST_CLIENTS },
    ...environment,
  });
  const url = `http://127.0.0.1:${port}`;
  const publisher = new EventPublisher(loadConfig().redis.url);
  const tokenOf = (role: TokenRequest['role']) => createToken({ role, expires_in_s: 86_400 }, SECRET);
  const token = await tokenOf('viewer');
  const path: GatewayPath = {
    ...{ name: 'holdfast', url, auth: { token }, publisher, token: tokenOf },
    publish: (publication) => {
      publisher.publish(publication);
    },
    processorTime: () => processorTimeOf(child),
    sent: () => until(() => publisher.stats().queued === 0),
    close: async () => {
      await publisher.close();
      await stop(child);
    },
    get memory() {
      return memoryOf(child);
    },
    get openFiles() {
      return openFilesOf(child);
    },
    onCut: () => undefined,
  };
  hearCuts(child, path);
  try {
    await until(async () => publisher.stats().connected && (await isReady(url)));
  } catch (error) {
    await path.close();
    throw error;
  }
  return path;
}

function hearCuts({ stdout }: ChildProcess, path: GatewayPath): void {
  if (stdout === null) return;
  createInterface({ input: stdout }).on('line', (line) => {
    const { msg, waiting } = JSON.parse(line) as { readonly msg: string; readonly waiting?: number };
    if (msg === 'client_cut') path.onCut(waiting ?? 0);
  });
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );
}

const PATIENCE_MS = 120_000;

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('a server of the benchmark is not ready');
    await sleep(2);
  }
}
