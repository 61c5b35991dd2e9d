/** A gateway in this process, on real Redis and Temporal, and clients for it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import type { NodeKinds } from '../../src/activities/kinds';
import type { EventEnvelope } from '../../src/events/envelope';
import { createGateway, type Gateway } from '../../src/gateway/create-gateway';
import type { RefusalReason } from '../../src/gateway/counters';
import type { GatewayLimits } from '../../src/gateway/limits';
import type { ClientToServer, GapNotice, ServerToClient } from '../../src/gateway/protocol';
import { createToken, type TokenRequest } from '../../src/gateway/tokens';
import type { Snapshot } from '../../src/event-log';
import type { Journal } from '../../src/journal/journal';
import { createLogger } from '../../src/logging';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import type { Tracer } from '../../src/tracing/tracer';
import { bareNamespace, temporalOf } from './bare-namespace';
import { until } from './until';

export const SECRET = 'a secret of at least thirty-two characters';

export interface GatewayUnderTest {
  readonly url: string;
  readonly client: HoldfastClient;
  readonly gateway: Gateway;
  close(): Promise<void>;
}

export interface GatewaySettings {
  readonly redisUrl: string;
  /** Of the event log, by default one. */
  readonly partitions?: number;
  readonly port?: number;
  readonly page?: string;
  readonly allowed_origins?: readonly string[];
  readonly limits?: Partial<GatewayLimits>;
  /** Of a namespace with a worker; by default one without. */
  readonly client?: HoldfastClient;
  /** By default the shipped ones. */
  readonly kinds?: NodeKinds;
  /** Without it no closings are published. */
  readonly closing_key?: string;
  readonly journal?: Journal;
  /** By default the clock of this machine. */
  readonly now?: () => number;
  readonly tracer?: Tracer;
  /** Address of the namespace in Temporal's Web UI; by default there is none. */
  readonly web_ui?: string;
}

export async function startGateway(settings: GatewaySettings): Promise<GatewayUnderTest> {
  const { redisUrl, partitions = 1, port = 0, allowed_origins = [] } = settings;
  const page = settings.page ?? emptyPage();
  const client = settings.client ?? (await HoldfastClient.connect(temporalOf(await bareNamespace())));
  const gateway = await createGateway({
    config: { host: '127.0.0.1', port, jwt_secret: SECRET, allowed_origins },
    redis: { url: redisUrl, event_partitions: partitions },
    limits: settings.limits ?? {},
    client,
    ...(settings.kinds === undefined ? {} : { kinds: settings.kinds }),
    ...(settings.now === undefined ? {} : { now: settings.now }),
    ...{ closing_key: settings.closing_key, journal: settings.journal, tracer: settings.tracer },
    ...{ web_ui: settings.web_ui },
    log: createLogger('gateway-test', { level: 'silent', pretty: false }),
    page,
  });
  const url = await gateway.listen();
  const close = async () => {
    await gateway.close();
    if (settings.page === undefined) rmSync(page, { recursive: true });
  };
  // The client stays open: its library throws from a timer when a retry finds the channel closed. Idle, it holds nothing up.
  return { url, client, gateway, close };
}

function emptyPage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-page-'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Holdfast</title>');
  return folder;
}

export function token(request: Partial<TokenRequest> = {}): Promise<string> {
  return createToken({ role: 'viewer', expires_in_s: 600, ...request }, SECRET);
}

/** How often the gateway has refused for this reason, by its metrics. */
export async function refusalsOf(url: string, reason: RefusalReason): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const [, count] =
    new RegExp(`^holdfast_gateway_refusals_total\\{reason="${reason}"\\} (\\d+)$`, 'm').exec(text) ?? [];
  return Number(count);
}

type Closing = Parameters<ServerToClient['closing']>[0];

export interface Listener {
  readonly socket: Socket<ServerToClient, ClientToServer>;
  readonly events: EventEnvelope[];
  readonly snapshots: Snapshot[];
  readonly gaps: GapNotice[];
  readonly closings: Closing[];
  /** Messages that held several events; these are among `events`. */
  batches: number;
}

/** A connected client that keeps what it is sent. */
export async function listen(url: string, request: Partial<TokenRequest> = {}, more: object = {}): Promise<Listener> {
  const socket: Listener['socket'] = io(url, {
    auth: { token: await token(request), ...more },
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 200,
  });
  const listener: Listener = { socket, events: [], snapshots: [], gaps: [], closings: [], batches: 0 };
  socket.on('workflow_event', (event) => listener.events.push(event));
  socket.on('workflow_event_batch', (events) => {
    listener.batches += 1;
    listener.events.push(...events);
  });
  socket.on('snapshot', (snapshot) => listener.snapshots.push(snapshot));
  socket.on('gap', (gap) => listener.gaps.push(gap));
  socket.on('closing', (notice) => listener.closings.push(notice));
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: Error): void => {
      socket.close();
      reject(error);
    };
    socket.once('connect_error', refuse);
    socket.once('connect', () => {
      // Later ones are those of a client that comes back while nobody listens yet; it goes on trying.
      socket.off('connect_error', refuse);
      resolve();
    });
  });
  return listener;
}

/** Asks as any program would, also what the gateway's types do not allow, and once. */
export function askOnce(
  to: Listener,
  name: string,
  message: unknown,
  withinMs = 60_000,
): Promise<Record<string, unknown>> {
  const socket = to.socket as unknown as {
    timeout: (ms: number) => { emitWithAck: (...all: unknown[]) => Promise<Record<string, unknown>> };
  };
  return socket.timeout(withinMs).emitWithAck(name, message);
}

/**
 * Asks again while all that is wrong is that Redis was late: its commands wait a second and a half, which a loaded machine may take.
 * Not for what is asked while Redis is away.
 */
export function askOf(to: Listener, name: string, message: unknown): Promise<Record<string, unknown>> {
  return until(`${name} is answered`, async () => {
    const answer = await askOnce(to, name, message);
    const { code } = (answer['error'] ?? {}) as { readonly code?: string };
    return code !== 'RedisUnavailable' && answer;
  });
}

/** A client whose token ends soon, though not before it is let in: on a slow machine with one that lasts longer. */
export async function listenBriefly(
  url: string,
  request: Partial<TokenRequest> = {},
  expires_in_s = 2,
): Promise<Listener> {
  try {
    return await listen(url, { ...request, expires_in_s });
  } catch (error) {
    const { data } = error as { readonly data?: { readonly code?: string } };
    if (data?.code !== 'Unauthenticated' || expires_in_s > 60) throw error;
    return listenBriefly(url, request, expires_in_s * 2);
  }
}
