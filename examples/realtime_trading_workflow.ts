/**
 * Starts one execution of trading_arb_btc and prints every event until it ends.
 * Run it while `npm start` is up:  HOLDFAST_TOKEN=… node dist/examples/realtime_trading_workflow.js
 */
import { Feed } from 'holdfast/client';

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

  const feed = new Feed({ url, token });
  feed.on('event', ({ timestamp, seq, type, node_id = '', ...rest }) => {
    console.log(timestamp, seq, type, node_id, 'outputs' in rest ? rest.outputs : '');
  });
  feed.on('execution', ({ has_ended }) => {
    if (has_ended) feed.close();
  });
  await feed.watch({ execution_id });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
