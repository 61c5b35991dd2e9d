/**
 * A process is named by its pid and its start time, so that a pid the system gave to another program meanwhile is neither
 * taken for ours nor killed.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; equal only for one and the same process. */
  readonly started: string;
}

const POLL_MS = 50;

/** Nothing when no such process lives; a zombie does not live. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const started = process.platform === 'linux' ? await startedOnLinux(pid) : await startedElsewhere(pid);
  return started === undefined ? undefined : { pid, started };
}

export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.started === identity.started;
}

export async function ownIdentity(): Promise<ProcessIdentity> {
  return (await identify(process.pid)) ?? { pid: process.pid, started: 'unknown' };
}

/** Asks the process to end, and ends it once `grace_ms` are over. A pid that is another process by now is left alone. */
export async function terminate(identity: ProcessIdentity, grace_ms: number): Promise<void> {
  if (grace_ms > 0) {
    await signal(identity, 'SIGTERM');
    if (await gone(identity, grace_ms)) return;
  }
  await signal(identity, 'SIGKILL');
  await gone(identity, 5_000);
}

/** Waits until the process has ended; false when it still runs after `within_ms`. */
export async function gone(identity: ProcessIdentity, within_ms: number): Promise<boolean> {
  const deadline = Date.now() + within_ms;
  while (await isRunning(identity)) {
    if (Date.now() >= deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

async function signal(identity: ProcessIdentity, name: NodeJS.Signals): Promise<void> {
  if (!(await isRunning(identity))) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    // It ended between the check and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Start time in ticks since boot, with the boot's id: ticks alone may repeat after a reboot. */
async function startedOnLinux(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces and parentheses; fields are counted after the last one.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A killed process is a zombie already while its other threads still hold its ports; it lives as long as they do.
    const threads = Number(fields[16]);
    if (state === 'X' || (state === 'Z' && threads <= 1)) return undefined;
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
    return `${boot.trim()}/${fields[18] ?? ''}`;
  } catch {
    return undefined;
  }
}

async function startedElsewhere(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
    const [state, ...started] = stdout.trim().split(/\s+/);
    return state === undefined || state === '' || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}
