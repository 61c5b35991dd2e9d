/** A process whose every word is kept: what it prints on stdout and stderr. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { until } from './until';

const BUILT = resolve(__dirname, '../../dist');
const READY_WITHIN_MS = 60_000;

export class SpokenProcess {
  readonly #child: ChildProcess;
  #said = '';

  /** `program`: below `dist`, such as `worker/main.js`. */
  constructor(program: string, environment: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [resolve(BUILT, program)], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text;
      });
    }
  }

  get said(): string {
    return this.#said;
  }

  get isGone(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The first line of its log with this message. Throws when the process ends before it says so. */
  async line(message: string): Promise<Readonly<Record<string, unknown>>> {
    const found = await until(
      `it says ${message}`,
      () => this.#said.split('\n').find((line) => line.includes(`"msg":"${message}"`)) ?? (this.isGone && 'gone'),
      READY_WITHIN_MS,
    );
    if (found === 'gone') throw new Error(`it ended before it said ${message}: ${this.#said}`);
    return JSON.parse(found) as Record<string, unknown>;
  }

  async kill(): Promise<void> {
    if (this.isGone) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Lets it take its leave, so that its last words are heard too. Resolves with its exit code; null where a signal ended it. */
  async end(): Promise<number | null> {
    if (!this.isGone) {
      const closed = once(this.#child, 'close');
      this.#child.kill('SIGTERM');
      await closed;
    }
    return this.#child.exitCode;
  }
}
