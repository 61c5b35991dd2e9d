import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startTestWorker, type TestWorker } from '../support/test-worker';

const run = promisify(execFile);
const RUN_TYPESCRIPT = resolve(__dirname, '../support/run-typescript.cjs');
const DEMO = resolve(__dirname, '../../examples/emergency_halt_demo.ts');

let worker: TestWorker;
beforeAll(async () => {
  worker = await startTestWorker();
});
afterAll(() => worker.stop());

it('the emergency halt demo shows a loss that trips its limit, orders that stop, and the resume', async () => {
  const { address, desk_task_queue } = worker.config.temporal;
  const environment = { ...process.env, TEMPORAL_ADDRESS: address, HOLDFAST_DESK_TASK_QUEUE: desk_task_queue };
  const { stdout } = await run(process.execPath, [RUN_TYPESCRIPT, DEMO], { env: environment, timeout: 50_000 });
  const lines = stdout.trim().split('\n');
  expect(lines).toEqual([
    'limit     daily loss 500 USDT',
    expect.stringMatching(/^order +may go out$/),
    expect.stringMatching(/^loss +550 USDT recorded after \d+ ms$/),
    expect.stringMatching(/^order +refused: EmergencyHalted after \d+ ms$/),
    expect.stringMatching(/^desk +halt after \d+ ms: limit:daily_loss$/),
    expect.stringMatching(/^sealed +no order of before can be accepted any more$/),
    expect.stringMatching(/^resume +refused while the limit is breached: LimitBreached$/),
    expect.stringMatching(/^resume +after the operator raised the limit: normal$/),
    expect.stringMatching(/^order +may go out$/),
  ]);
});
