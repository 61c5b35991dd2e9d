/** Finds, runs and starts programs. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { childEnvironment } from '../config/config';
import { messageOf } from '../errors';
import { identify, isRunning, type ProcessIdentity } from './process-identity';

const ADOPTED_POLL_MS = 500;

/** The path of the first program of these names, searched like a shell does. */
export async function findProgram(names: readonly string[], folders: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of folders) {
      if (await isExecutable(join(folder, name))) return join(folder, name);
    }
  }
  return undefined;
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface RunOptions {
  readonly timeout_ms: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a program to its end and returns what it printed. Throws with the last lines of its output when it fails. */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const settings = {
      timeout: options.timeout_ms,
      maxBuffer: 64 * 1024 * 1024,
      env: childEnvironment(options.environment ?? {}),
    };
    const child = execFile(program, args, settings, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (error.killed === true) reject(new Error(`no end after ${options.timeout_ms / 1000} s`));
      else reject(new Error(lastLines(stderr, 3) || messageOf(error)));
    });
    child.stdin?.end();
  });
}

export interface StartedProcess {
  readonly identity: ProcessIdentity;
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>;
}

export interface StartRequest {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Output is appended here. The process writes itself: it outlives whoever started it without a broken pipe. */
  readonly log: string;
}

/**
 * Starts a process in a session of its own, so that a Ctrl-C at the terminal reaches the supervisor alone, which then
 * stops the parts in their order.
 */
export async function start(request: StartRequest): Promise<StartedProcess> {
  await mkdir(dirname(request.log), { recursive: true });
  const log = await open(request.log, 'a', 0o600);
  try {
    const child = spawn(request.program, request.args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: childEnvironment(request.environment ?? {}),
    });
    const exited = exitOf(child);
    child.unref();
    const pid = await pidOf(child);
    return { identity: (await identify(pid)) ?? { pid, started: 'ended at once' }, exited };
  } finally {
    await log.close();
  }
}

/** Watches a process somebody else started. */
export function watch(identity: ProcessIdentity): StartedProcess {
  const poll = async (): Promise<void> => {
    while (await isRunning(identity)) await delay(ADOPTED_POLL_MS, undefined, { ref: false });
  };
  return { identity, exited: poll() };
}

export function lastLines(text: string, count: number): string {
  return text.trim().split('\n').slice(-count).join('\n');
}

function pidOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      resolve(child.pid ?? -1);
    });
  });
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => {
      resolve();
    });
  });
}
