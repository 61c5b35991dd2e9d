/** A Temporal server of a test's own on one port and one SQLite file, to kill and start again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/config';
import { bringUp, type Running } from '../../src/local-stack/part';
import { freePort } from '../../src/local-stack/ports';
import { silentProgress } from '../../src/local-stack/progress';
import { stackPaths } from '../../src/local-stack/record';
import { obtainTemporalCli } from '../../src/local-stack/temporal-cli';
import { temporalPlan } from '../../src/local-stack/temporal-server';
import { killHard, processOf } from './stack-home';

export interface OwnTemporal {
  /** host:port */
  readonly address: string;
  kill(): Promise<void>;
  /** Starts again on the same port and file; resolves when it answers. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export async function startOwnTemporal(): Promise<OwnTemporal> {
  const home = mkdtempSync(join(tmpdir(), 'holdfast-temporal-'));
  const port = await freePort();
  const cli = () => obtainTemporalCli(loadConfig().local_stack, silentProgress);
  const plan = temporalPlan(cli, { port, ui_port: undefined, namespace: 'default' }, stackPaths(home));
  let running: Running | undefined;
  const kill = async () => {
    const dying = running;
    running = undefined;
    if (dying !== undefined) await killHard(processOf(dying));
  };
  const start = async () => {
    await bringUp(plan, undefined, (launched) => {
      running = launched;
      return Promise.resolve();
    });
  };
  await start();
  return {
    address: `127.0.0.1:${port}`,
    kill,
    start,
    stop: async () => {
      await kill();
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
