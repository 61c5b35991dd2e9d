/** The events of all executions, one compact line each. */
import { io as connect, type Socket } from 'socket.io-client';
import type { EventEnvelope, OrderView } from '../events/envelope';
import type { ClientToServer, ServerToClient } from '../gateway/protocol';
import { createToken } from '../gateway/tokens';
import type { Tone, Ui } from './io';
import { brief } from './table';

type GatewaySocket = Socket<ServerToClient, ClientToServer>;

export interface StreamSource {
  readonly gateway_url: string | undefined;
  readonly jwt_secret: string;
}

const TOKEN_LIFETIME_S = 30 * 24 * 3_600;
/** What one execution remembers of told events is forgotten with the oldest when so many were told. */
const REMEMBERED = 10_000;

/** Prints what happens from now on, and after an interruption what was missed, until it is closed. */
export async function openStream(source: StreamSource, ui: Ui): Promise<{ readonly close: () => void }> {
  const { gateway_url = '', jwt_secret } = source;
  const token = await createToken({ role: 'viewer', expires_in_s: TOKEN_LIFETIME_S }, jwt_secret);
  const socket: GatewaySocket = connect(gateway_url, { auth: { token }, transports: ['websocket'], forceNew: true });
  const told = new Set<string>();
  const begun = new Date().toISOString();
  socket.on('workflow_event', (event) => {
    if (told.has(event.event_id) || event.timestamp < begun) return;
    told.add(event.event_id);
    for (const oldest of told) {
      if (told.size <= REMEMBERED) break;
      told.delete(oldest);
    }
    if (ui.json) ui.data(event);
    else ui.line(lineOf(event, ui));
  });
  const subscribe = () => socket.emit('subscribe_all', {}, () => undefined);
  socket.on('connect', subscribe);
  return { close: () => socket.close() };
}

const WIDTH = { type: 20, workflow: 18, node: 16 } as const;

export function lineOf(event: EventEnvelope, ui: Ui): string {
  const columns = [
    ui.paint('quiet', event.timestamp.slice(11, 23)),
    (event.workflow_id ?? event.bot_id ?? event.strategy_id ?? event.stream).padEnd(WIDTH.workflow),
    ui.paint(toneOf(event.type), event.type.padEnd(WIDTH.type)),
    (event.node_id ?? '').padEnd(WIDTH.node),
    detailOf(event),
  ];
  return columns.join('  ').trimEnd();
}

function toneOf(type: EventEnvelope['type']): Tone {
  if (/completed|resumed/.test(type)) return 'good';
  if (/failed|halted|cancelled/.test(type)) return 'bad';
  return type === 'node_retrying' ? 'busy' : 'quiet';
}

function detailOf(event: EventEnvelope): string {
  if ('order' in event) return orderDetail(event.order);
  if ('realized_pnl' in event) return `realized ${event.realized_pnl}, unrealized ${event.unrealized_pnl}`;
  if (event.type === 'node_completed') return `${Math.round(event.duration_ms)} ms  ${brief(event.outputs)}`;
  if ('error' in event) return `${event.error_type ?? 'error'}: ${event.error ?? ''}`;
  if ('duration_ms' in event) return `${Math.round(event.duration_ms)} ms`;
  return 'reason' in event ? event.reason : '';
}

function orderDetail({ side, quantity, filled_quantity, symbol, price, venue }: OrderView): string {
  const size = quantity === undefined ? filled_quantity : `${filled_quantity} of ${quantity}`;
  return `${side} ${size} ${symbol}${price === undefined ? '' : ` at ${price}`}, ${venue}`;
}
