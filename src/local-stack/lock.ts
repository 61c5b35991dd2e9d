/**
 * One holder at a time, also across crashes, without a lock file that anybody has to remove.
 *
 * The lock is the highest-numbered file `lock.<n>`; it is free when its owner let go or no longer runs. To take it is to
 * link `lock.<n+1>`, which only one can. Who then sees a higher number lost to somebody who was faster by more than one
 * round and steps back. The highest file is never removed, so a slow contender can never mistake an old round for the last.
 */
import { link, mkdir, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError } from '../errors';
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity';

const POLL_MS = 100;
let drafts = 0;

/** Runs `work` while holding the lock of `directory`. Throws `StackUnhealthy` when it is not free within `wait_ms`. */
export async function withLock<T>(directory: string, wait_ms: number, work: () => Promise<T>): Promise<T> {
  await mkdir(directory, { recursive: true });
  const lock = await acquire(directory, Date.now() + wait_ms);
  try {
    return await work();
  } finally {
    await rename(await draft(directory, 'free'), lock);
  }
}

async function acquire(directory: string, deadline: number): Promise<string> {
  const mine = await draft(directory, JSON.stringify(await ownIdentity()));
  try {
    for (;;) {
      const last = Math.max(0, ...(await rounds(directory)));
      const owner = last === 0 ? undefined : await ownerOf(directory, last);
      if (owner === undefined && (await take(directory, mine, last + 1))) return join(directory, `lock.${last + 1}`);
      if (Date.now() >= deadline) {
        throw new HoldfastError('StackUnhealthy', `Another start (pid ${owner?.pid ?? '?'}) holds ${directory}.`);
      }
      await delay(POLL_MS);
    }
  } finally {
    await unlink(mine);
  }
}

async function take(directory: string, mine: string, round: number): Promise<boolean> {
  const lock = join(directory, `lock.${round}`);
  try {
    await link(mine, lock);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  const others = (await rounds(directory)).filter((each) => each !== round);
  if (others.some((each) => each > round)) {
    await unlink(lock);
    return false;
  }
  await Promise.allSettled(others.map((each) => unlink(join(directory, `lock.${each}`))));
  return true;
}

/** Who holds that round; nothing when it is free. */
async function ownerOf(directory: string, round: number): Promise<ProcessIdentity | undefined> {
  try {
    const text = await readFile(join(directory, `lock.${round}`), 'utf8');
    if (text === 'free') return undefined;
    const owner = JSON.parse(text) as ProcessIdentity;
    return (await isRunning(owner)) ? owner : undefined;
  } catch {
    return undefined;
  }
}

async function rounds(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names.flatMap((name) => (/^lock\.\d+$/.test(name) ? [Number(name.slice(5))] : []));
}

async function draft(directory: string, text: string): Promise<string> {
  const path = join(directory, `lock-draft.${process.pid}.${drafts++}`);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}
