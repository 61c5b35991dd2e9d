/** Temporal's development server as it comes, with none of the local stack's settings. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { loadConfig } from '../../src/config/config';
import { freePort } from '../../src/local-stack/ports';
import { silentProgress } from '../../src/local-stack/progress';
import { obtainTemporalCli } from '../../src/local-stack/temporal-cli';

/** Runs `work` with the address of one that is stopped and forgotten afterwards. */
export async function onStockServer(work: (address: string) => Promise<void>): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-stock-'));
  const { path } = await obtainTemporalCli(loadConfig().local_stack, silentProgress);
  const port = await freePort();
  const database = join(home, 'temporal.db');
  const listening = ['--headless', '--ip', '127.0.0.1', '--port', String(port)];
  const args = ['server', 'start-dev', ...listening, '--db-filename', database, '--log-level', 'error'];
  const server = spawn(path, args, { stdio: 'ignore' });
  try {
    const address = `127.0.0.1:${port}`;
    await answers(address);
    await work(address);
  } finally {
    await ended(server);
    rmSync(home, { recursive: true, force: true });
  }
}

/** One that still writes would fill the directory again while it is removed. */
async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exit = once(server, 'exit');
  server.kill('SIGTERM');
  await exit;
}

async function answers(address: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1_000 });
      await connection.close();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(200);
    }
  }
}
