/** The paper venue as the process it is, started and killed by a test. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export class PaperVenueProcess {
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
  }

  /** Resolves once it listens. */
  static async start(environment: Readonly<Record<string, string>>): Promise<PaperVenueProcess> {
    const main = resolve(__dirname, '../../src/paper-venue/main.ts');
    const child = spawn(process.execPath, [join(__dirname, 'run-typescript.cjs'), main], {
      env: { ...process.env, HOLDFAST_PAPER_VENUE_PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const { msg, url } = JSON.parse(line) as { msg?: string; url?: string };
      if (msg === 'paper_venue_ready' && url !== undefined) return new PaperVenueProcess(child, url);
    }
    throw new Error(`the paper venue ended before it was ready (${child.exitCode ?? child.signalCode ?? 'no code'})`);
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }
}
