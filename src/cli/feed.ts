/** One execution's events from the gateway. Its absence is no failure: then snapshots are read instead. */
import { io as connect, type Socket } from 'socket.io-client';
import type { EventEnvelope } from '../events/envelope';
import type { Answer, ClientToServer, ServerToClient } from '../gateway/protocol';
import { createToken } from '../gateway/tokens';
import type { Whereabouts } from './where';

export interface Feed {
  /** False while the gateway is gone. */
  readonly live: () => boolean;
  readonly close: () => void;
}

type Subscription = Answer<'subscribe_execution'>;
type GatewaySocket = Socket<ServerToClient, ClientToServer>;

const CONNECT_TIMEOUT_MS = 1_500;
const TOKEN_LIFETIME_S = 12 * 3_600;

/** Subscribes, also to what happened before. Undefined when no gateway answers in time or no token can be made. */
export async function openFeed(
  where: Whereabouts,
  executionId: string,
  onEvent: (event: EventEnvelope) => void,
): Promise<Feed | undefined> {
  if (where.token_secret === undefined) return undefined;
  const token = await createToken({ role: 'viewer', expires_in_s: TOKEN_LIFETIME_S }, where.token_secret);
  const socket: GatewaySocket = connect(where.gateway_url, {
    auth: { token },
    transports: ['websocket'],
    forceNew: true,
  });
  socket.on('workflow_event', onEvent);
  let live = await connected(socket).then((up) => up && subscribe(socket, executionId));
  if (!live) {
    socket.close();
    return undefined;
  }
  socket.on('disconnect', () => {
    live = false;
  });
  // Reconnected: the replay tells again what was missed; what is known already is recognised by its id.
  socket.on('connect', () => {
    void subscribe(socket, executionId).then((ok) => {
      live = ok;
    });
  });
  return { live: () => live, close: () => socket.close() };
}

function connected(socket: GatewaySocket): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, CONNECT_TIMEOUT_MS, false);
    const answer = (up: boolean) => () => {
      clearTimeout(timer);
      resolve(up);
    };
    socket.once('connect', answer(true));
    socket.once('connect_error', answer(false));
  });
}

async function subscribe(socket: GatewaySocket, executionId: string): Promise<boolean> {
  try {
    const request = socket.timeout(CONNECT_TIMEOUT_MS);
    const answer = (await request.emitWithAck('subscribe_execution', { execution_id: executionId })) as Subscription;
    return answer.ok;
  } catch {
    return false;
  }
}
