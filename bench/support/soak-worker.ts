/** The worker as it is released, in a process of its own, with the benchmarks' kinds. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { workerEnvironment, workerFlags } from '../../src/local-stack/services';
import { KINDS_MODULE } from './bench-kinds';

const MAIN = 'dist/worker/main.js';

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string; readonly time?: unknown };

export class SoakWorker {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves once it polls; `onLine` is given every line it logs. */
  static async start(
    environment: Readonly<Record<string, string>>,
    onLine: (line: LogLine) => void = () => undefined,
  ): Promise<SoakWorker> {
    const child = spawn(process.execPath, [...workerFlags, MAIN], {
      env: { ...process.env, ...workerEnvironment, HOLDFAST_NODES: KINDS_MODULE, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = parsed(text);
        if (line.msg === 'worker_ready') resolve();
        onLine(line);
      });
      child.once('exit', (code) => {
        reject(new Error(`the worker ended before it was ready (${code ?? 'killed'})`));
      });
    });
    return new SoakWorker(child);
  }

  /** The most memory it ever held, in bytes; nothing where the system does not say. */
  get peakMemory(): number | undefined {
    return this.#memory(/VmHWM:\s+(\d+)/);
  }

  /** What it holds now, in bytes; NaN where the system does not say. */
  get memory(): number {
    return this.#memory(/VmRSS:\s+(\d+)/) ?? NaN;
  }

  #memory(line: RegExp): number | undefined {
    const path = `/proc/${this.#child.pid ?? 0}/status`;
    const kilobytes = existsSync(path) ? line.exec(readFileSync(path, 'utf8'))?.[1] : undefined;
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}

function parsed(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return {};
  }
}
