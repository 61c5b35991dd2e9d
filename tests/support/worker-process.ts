/** Worker processes a test starts and kills. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const RUN_TYPESCRIPT = resolve(__dirname, 'run-typescript.cjs');

export class WorkerProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves once it polls for tasks. */
  static async start(environment: Record<string, string>, ...args: readonly string[]): Promise<WorkerProcess> {
    const child = spawn(process.execPath, [RUN_TYPESCRIPT, join(__dirname, 'worker-main.ts'), ...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === 'ready') return new WorkerProcess(child);
    }
    throw new Error(`the worker ended before it was ready (${child.exitCode ?? child.signalCode ?? 'no code'})`);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Whether it was stopped by a signal and has not gone on. */
  get isStopped(): boolean {
    return !this.isGone && / T /.test(readFileSync(`/proc/${this.pid}/stat`, 'utf8'));
  }

  get isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Stops the process where it stands; `signal` SIGCONT lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.isGone) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
