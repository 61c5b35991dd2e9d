/** A home of its own for a stack under test, and what a test does to the processes in it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config/config';
import { isRunning, terminate, type ProcessIdentity } from '../../src/local-stack/process-identity';
import { readRecord, stackPaths, type Runs, type StackRecord } from '../../src/local-stack/record';
import type { ServiceScripts } from '../../src/local-stack/services';
import { startStack, type Stack } from '../../src/local-stack/stack';
import { testStackConfig } from './test-stack';
import { until } from './until';

/** The run's own servers must not be taken for given ones. */
const OWN = { TEMPORAL_ADDRESS: '', REDIS_URL: '', DATABASE_URL: '' };

export class StackHome {
  readonly path: string;
  readonly #children: ChildProcess[] = [];
  readonly #stacks: Stack[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<StackHome> {
    return new StackHome(await mkdtemp(join(tmpdir(), 'holdfast-stack-home-')));
  }

  config(environment: Record<string, string> = {}): Config {
    return testStackConfig(this.path, { ...OWN, ...environment });
  }

  /** A stack in this process, stopped at the latest by `dispose`. */
  async start(options: { environment?: Record<string, string>; services?: ServiceScripts } = {}): Promise<Stack> {
    const { environment, ...others } = options;
    const stack = await startStack({ config: this.config(environment), ui: false, ...others });
    this.#stacks.push(stack);
    return stack;
  }

  async record(): Promise<StackRecord> {
    const record = await readRecord(stackPaths(this.path));
    if (record === undefined) throw new Error('no stack.json');
    return record;
  }

  async hasRecord(): Promise<boolean> {
    return (await readRecord(stackPaths(this.path))) !== undefined;
  }

  /** A stack with stub services in a process of its own. */
  supervisor(environment: Record<string, string> = {}): { child: ChildProcess; output: () => string } {
    const names = ['TEMPORAL', 'REDIS', 'POSTGRESQL', 'GATEWAY', 'PAPER_VENUE'].map((name) => `HOLDFAST_${name}_PORT`);
    const any = Object.fromEntries(names.map((name) => [name, '0']));
    const script = [join(__dirname, 'run-typescript.cjs'), join(__dirname, 'stack-process.ts')];
    const env = { ...process.env, ...OWN, ...any, HOLDFAST_HOME: this.path, ...environment };
    const child = spawn(process.execPath, script, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    this.#children.push(child);
    return { child, output: () => output };
  }

  /** Ends whatever a test left running, by identity, and removes the files. */
  async dispose(): Promise<void> {
    for (const stack of this.#stacks) await stack.stop({ graceful: false });
    for (const child of this.#children) child.kill('SIGKILL');
    const record = await readRecord(stackPaths(this.path));
    const { gateway, worker, paper_venue, postgresql, redis, temporal } = record ?? {};
    for (const runs of [gateway, worker, paper_venue, postgresql, redis, temporal].map((part) => part?.runs)) {
      if (runs?.as === 'process') await terminate(runs, 0);
    }
    await rm(this.path, { recursive: true, force: true, maxRetries: 5 });
  }
}

export function processOf(part: { runs: Runs } | undefined): ProcessIdentity {
  if (part?.runs.as !== 'process') throw new Error('not a process of this stack');
  return { pid: part.runs.pid, started: part.runs.started };
}

export async function killHard(identity: ProcessIdentity): Promise<void> {
  if (await isRunning(identity)) process.kill(identity.pid, 'SIGKILL');
  await until('the killed process is gone', async () => !(await isRunning(identity)));
}
