/** Processes a benchmark starts: with as many open files as the system allows, up to what is asked for. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';

/** Ten thousand connections and what else a process has open. */
const OPEN_FILES = 12_000;
/** Raises the limit where it may, else takes the hard one, and becomes the program itself. */
const WITH_MANY_FILES = 'ulimit -n "$0" 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$@"';

export type Stdio = readonly ('ignore' | 'inherit' | 'pipe' | 'ipc')[];

export function startNode(
  args: readonly string[],
  stdio: Stdio,
  environment: Readonly<Record<string, string>> = {},
): ChildProcess {
  const words = ['-c', WITH_MANY_FILES, String(OPEN_FILES), process.execPath, ...process.execArgv, ...args];
  return spawn('sh', words, { stdio: [...stdio], env: { ...process.env, ...environment } });
}

/** Files it may have open at once; nothing where the system does not say. */
export function openFilesOf(child: ChildProcess): number | undefined {
  const [, soft] = said(child, 'limits', /^Max open files\s+(\d+)/m);
  return soft === undefined ? undefined : Number(soft);
}

/** What it holds now, in bytes; NaN where the system does not say. */
export function memoryOf(child: ChildProcess): number {
  const [, kilobytes = NaN] = said(child, 'status', /^VmRSS:\s+(\d+)/m);
  return Number(kilobytes) * 1_024;
}

/** Seconds of processor time it has used; NaN where the system does not say. */
export function processorTimeOf(child: ChildProcess): number {
  // User and system time in hundredths, the 14th and 15th field; the second is a name that may hold blanks.
  const [, user = NaN, system = NaN] = said(child, 'stat', /\) (?:\S+ ){11}(\d+) (\d+)/);
  return (Number(user) + Number(system)) / 100;
}

function said({ pid }: ChildProcess, file: string, line: RegExp): readonly string[] {
  const path = `/proc/${pid ?? 0}/${file}`;
  return existsSync(path) ? (line.exec(readFileSync(path, 'utf8')) ?? []) : [];
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** What it says first over IPC. Throws when it ends before. */
export async function firstMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => {
      reject(new Error(`a process of the benchmark ended with ${code ?? 'a signal'}`));
    });
  });
}
