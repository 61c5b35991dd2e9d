/**
 * Starts one execution of trading_arb_btc and prints every event until it ends.
 * Run it while `npm start` is up:  HOLDFAST_TOKEN=… node dist/examples/realtime_trading_workflow.js
 */
import { io } from 'socket.io-client';

interface WorkflowEvent {
  readonly seq: number;
  readonly type: string;
  readonly timestamp: string;
  readonly node_id?: string;
  readonly outputs?: unknown;
}

const url = process.env['HOLDFAST_URL'] ?? 'http://127.0.0.1:8001';
const token = process.env['HOLDFAST_TOKEN'] ?? '';

async function main(): Promise<void> {
  const response = await fetch(`${url}/api/workflows/trading_arb_btc/executions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{}',
  });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  const { execution_id } = (await response.json()) as { execution_id: string };

  const socket = io(url, { auth: { token }, transports: ['websocket'] });
  socket.on('workflow_event', (event: WorkflowEvent) => {
    console.log(event.timestamp, event.seq, event.type, event.node_id ?? '', event.outputs ?? '');
    if (/^execution_(completed|failed|cancelled)$/.test(event.type)) socket.close();
  });
  socket.on('connect_error', (error) => {
    console.error(error.message);
  });
  socket.on('connect', () => {
    socket.emit('subscribe_execution', { execution_id }, (answer: { ok: boolean }) => {
      console.log(answer);
      if (!answer.ok) socket.close();
    });
  });
}

void main();
