/**
 * A loss of 550 against a limit of 500, on a desk of its own and on paper: the limit trips by itself, orders stop, the operator resumes.
 * It speaks to the desk as anybody can, in Temporal's own words; nothing else hears of it.
 *
 * Run it while `npm start` is up:  TEMPORAL_ADDRESS=127.0.0.1:7233 node dist/examples/emergency_halt_demo.js
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';

interface Answer {
  readonly ok: boolean;
  readonly state: string;
  readonly epoch: number;
  readonly error?: { readonly code: string; readonly message: string };
}

interface Scope {
  readonly state: string;
  readonly causes: readonly { readonly id: string; readonly reason: string }[];
  readonly sealed_at?: number;
}

interface Status {
  readonly epoch: number;
  readonly scopes: readonly [Scope, ...Scope[]];
}

type Permit = { readonly granted: true } | { readonly granted: false; readonly code: string };

const SEALED_WITHIN_MS = 30_000;
const actor = 'demo';
const reason = 'emergency halt demo';
const order = { account: 'demo', venue: 'paper', symbol: 'BTC/USDT', currency: 'USDT', execution_id: 'demo' };

async function main(): Promise<void> {
  const connection = await Connection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233' });
  const { workflow } = new Client({ connection });
  const deskId = `drill-demo-${randomUUID().slice(0, 8)}`;
  const desk = await workflow.start('emergencyDesk', {
    workflowId: `desk/${deskId}`,
    taskQueue: process.env['HOLDFAST_DESK_TASK_QUEUE'] ?? 'holdfast-desk',
    args: [{ desk_id: deskId }],
  });
  try {
    await demonstrate(desk);
  } finally {
    await desk.terminate('the demo is over');
    await connection.close();
  }
}

async function demonstrate(desk: WorkflowHandle): Promise<void> {
  await command(desk, { action: 'init', currency: 'USDT', time_zone: 'UTC' });
  await command(desk, { action: 'set_limits', scope: 'global', limits: { daily_loss: '500' } });
  console.log('limit     daily loss 500 USDT');
  console.log('order     ', await permit(desk));

  const started = performance.now();
  const since = () => `${Math.round(performance.now() - started)} ms`;
  await record(desk, { order_id: 'in', side: 'buy', filled_quantity: '1', filled_notional: '2000' });
  await record(desk, { order_id: 'out', side: 'sell', filled_quantity: '1', filled_notional: '1450' });
  console.log(`loss      550 USDT recorded after ${since()}`);
  console.log(`order     `, await permit(desk), `after ${since()}`);

  const halted = await desk.query<Status>('status');
  const [{ state, causes }] = halted.scopes;
  console.log(`desk      ${state} after ${since()}: ${causes.map(({ id }) => id).join(', ')}`);
  console.log(`sealed    ${(await isSealed(desk)) ? 'no order of before can be accepted any more' : 'not yet'}`);

  const early = await resume(desk, halted);
  console.log(`resume    refused while the limit is breached: ${early.error?.code ?? 'it was not'}`);
  await command(desk, { action: 'set_limits', scope: 'global', limits: { daily_loss: '1000' } });
  const late = await resume(desk, await desk.query<Status>('status'));
  console.log(`resume    after the operator raised the limit: ${late.state}`);
  console.log(`order     `, await permit(desk));
}

/** A desk that has just begun seals nothing for two seconds: the one before it may have granted permits. */
async function isSealed(desk: WorkflowHandle): Promise<boolean> {
  const end = performance.now() + SEALED_WITHIN_MS;
  while (performance.now() < end) {
    const { scopes } = await desk.query<Status>('status');
    if (scopes[0].sealed_at !== undefined) return true;
    await sleep(100);
  }
  return false;
}

function command(desk: WorkflowHandle, said: object): Promise<Answer> {
  return desk.executeUpdate<Answer, [object]>('command', {
    args: [{ command_id: randomUUID(), actor, reason, ...said }],
  });
}

/** Names the causes it saw and the epoch it saw them at; anything newer makes it stale. */
function resume(desk: WorkflowHandle, { epoch, scopes: [{ causes }] }: Status): Promise<Answer> {
  const said = { action: 'resume', scope: 'global', expected_epoch: epoch, issued_at: Date.now() };
  return command(desk, { ...said, causes: causes.map(({ id }) => id) });
}

/** Asks whether one order may go out, and gives the permit back unused. */
async function permit(desk: WorkflowHandle): Promise<string> {
  const permit_id = randomUUID();
  const request = { ...order, permit_id, side: 'buy', quantity: '0.001', price: '10000' };
  const [answer] = await desk.executeUpdate<[Permit], [object]>('request_permits', {
    args: [{ requests: [request], settlements: [] }],
  });
  if (!answer.granted) return `refused: ${answer.code}`;
  await desk.executeUpdate('request_permits', {
    args: [{ requests: [], settlements: [{ permit_id, outcome: 'unused' }] }],
  });
  return 'may go out';
}

async function record(desk: WorkflowHandle, fill: object): Promise<void> {
  await desk.executeUpdate('record_fill', {
    args: [{ ...order, symbol: 'ETH/USDT', fees: '0', at: Date.now(), ...fill }],
  });
}

void main();
