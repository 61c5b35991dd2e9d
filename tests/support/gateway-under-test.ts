/** A gateway in this process, on real Redis and Temporal, and clients for it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { io, type Socket } from 'socket.io-client';
import type { NodeKinds } from '../../src/activities/kinds';
import type { EventEnvelope } from '../../src/events/envelope';
import { createGateway, type Gateway } from '../../src/gateway/create-gateway';
import type { ClientToServer, GapNotice, ServerToClient } from '../../src/gateway/protocol';
import { createToken, type TokenRequest } from '../../src/gateway/tokens';
import type { Snapshot } from '../../src/event-log';
import type { Journal } from '../../src/journal/journal';
import { createLogger } from '../../src/logging';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { bareNamespace, temporalOf } from './bare-namespace';

export const SECRET = 'a secret of at least thirty-two characters';

export interface GatewayUnderTest {
  readonly url: string;
  readonly client: HoldfastClient;
  readonly gateway: Gateway;
  close(): Promise<void>;
}

export interface GatewaySettings {
  readonly redisUrl: string;
  readonly port?: number;
  readonly page?: string;
  readonly allowed_origins?: readonly string[];
  /** Of a namespace with a worker; by default one without. */
  readonly client?: HoldfastClient;
  /** By default the shipped ones. */
  readonly kinds?: NodeKinds;
  /** Without it no closings are published. */
  readonly closing_key?: string;
  readonly journal?: Journal;
}

export async function startGateway(settings: GatewaySettings): Promise<GatewayUnderTest> {
  const { redisUrl, port = 0, allowed_origins = [] } = settings;
  const page = settings.page ?? emptyPage();
  const client = settings.client ?? (await HoldfastClient.connect(temporalOf(await bareNamespace())));
  const gateway = await createGateway({
    config: { host: '127.0.0.1', port, jwt_secret: SECRET, allowed_origins },
    redis: { url: redisUrl },
    client,
    ...(settings.kinds === undefined ? {} : { kinds: settings.kinds }),
    ...{ closing_key: settings.closing_key, journal: settings.journal },
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

export interface Listener {
  readonly socket: Socket<ServerToClient, ClientToServer>;
  readonly events: EventEnvelope[];
  readonly snapshots: Snapshot[];
  readonly gaps: GapNotice[];
}

/** A connected client that keeps what it is sent. */
export async function listen(url: string, request: Partial<TokenRequest> = {}): Promise<Listener> {
  const socket: Listener['socket'] = io(url, {
    auth: { token: await token(request) },
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 50,
    reconnectionDelayMax: 200,
  });
  const listener: Listener = { socket, events: [], snapshots: [], gaps: [] };
  socket.on('workflow_event', (event) => listener.events.push(event));
  socket.on('snapshot', (snapshot) => listener.snapshots.push(snapshot));
  socket.on('gap', (gap) => listener.gaps.push(gap));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
  });
  return listener;
}
