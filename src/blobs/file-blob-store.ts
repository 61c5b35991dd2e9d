/**
 * Blobs as files of one directory, which every worker of a task queue must share: `<directory>/ab/cd/abcd…`, readable by their
 * owner alone.
 *
 * F1. A file appears under its name whole or not at all: it is written beside it, synced and renamed.
 * F2. A name is the SHA-256 of the text, checked at every read. A file that fails the check is set aside, so that the next
 *     `put` heals it. A file may be missing for a moment, while it is pruned and put back or where a network file system
 *     shows it late: `BlobMissing` is worth another attempt.
 * F3. `put` and `get` touch the file; `prune` removes what nobody touched for `retention_days`. A file touched while it is being
 *     pruned stays.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { HoldfastError, messageOf } from '../errors';
import type { BlobRef } from '../graph/blob';
import type { BlobStore } from './blob-store';

const NAME = /^[0-9a-f]{64}$/;
const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;
const DAY_MS = 86_400_000;
/** What file systems without such a thing answer when a directory is to be synced. */
const CANNOT_SYNC = new Set(['EINVAL', 'EISDIR', 'ENOTSUP', 'EPERM']);

export class FileBlobStore implements BlobStore {
  readonly #directory: string;

  /** Made when the first blob is stored. */
  constructor(directory: string) {
    this.#directory = resolve(directory);
  }

  async put(json: string): Promise<BlobRef> {
    const content = Buffer.from(json, 'utf8');
    const ref = sha256(content);
    try {
      if (!(await this.#touchWhole(ref, content.length))) await this.#write(ref, content);
    } catch (error) {
      throw unavailable(error, ref);
    }
    return { ref, bytes: content.length, sha256: ref };
  }

  async get({ ref }: BlobRef): Promise<string> {
    if (!NAME.test(ref)) throw missing(ref);
    const path = this.#pathOf(ref);
    const content = await readFile(path).catch((error: unknown) => {
      throw isMissing(error) ? missing(ref) : unavailable(error, ref);
    });
    if (sha256(content) !== ref) {
      await ignoringMissing(rename(path, `${path}.corrupt`)).catch(() => undefined);
      throw new HoldfastError('BlobCorrupt', `The stored value ${ref} is not what was stored.`, { ref });
    }
    // A store that can be read and not written still serves.
    await touch(path).catch(() => undefined);
    return content.toString('utf8');
  }

  /** Removes what was not touched for `retention_days` before `now`, and what crashes left behind. Resolves to how many. */
  async prune(retention_days: number, now = Date.now()): Promise<number> {
    const before = now - retention_days * DAY_MS;
    let removed = 0;
    for await (const path of this.#files()) {
      if (await removeIfOlder(path, before)) removed += 1;
    }
    return removed;
  }

  async *#files(): AsyncGenerator<string> {
    for (const first of await namesIn(this.#directory)) {
      for (const second of await namesIn(join(this.#directory, first))) {
        const folder = join(this.#directory, first, second);
        for (const name of await namesIn(folder)) yield join(folder, name);
      }
    }
  }

  /** Touched before it is looked at: from then on `prune` leaves it alone. */
  async #touchWhole(ref: string, bytes: number): Promise<boolean> {
    const path = this.#pathOf(ref);
    const size = await ignoringMissing(touch(path).then(() => stat(path)));
    return size?.size === bytes;
  }

  async #write(ref: string, content: Buffer): Promise<void> {
    const path = this.#pathOf(ref);
    const folder = dirname(path);
    const draft = `${path}.${randomUUID()}`;
    const created = await mkdir(folder, { recursive: true, mode: PRIVATE_DIRECTORY });
    try {
      await writeSynced(draft, content);
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined);
      throw error;
    }
    await syncFolder(folder);
    if (created !== undefined) await syncUpwards(dirname(folder), dirname(created));
  }

  #pathOf(ref: string): string {
    return join(this.#directory, ref.slice(0, 2), ref.slice(2, 4), ref);
  }
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now);
}

async function writeSynced(path: string, content: Buffer): Promise<void> {
  const file = await open(path, 'wx', PRIVATE_FILE);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** From a folder up to the one that already existed, so that new folders survive a power cut too. */
async function syncUpwards(folder: string, existing: string): Promise<void> {
  await syncFolder(folder);
  if (folder !== existing) await syncUpwards(dirname(folder), existing);
}

async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!CANNOT_SYNC.has(codeOf(error))) throw error;
  }
}

/** A blob is set aside first and looked at again: one that a `put` touched in between goes back to its place. */
async function removeIfOlder(path: string, before: number): Promise<boolean> {
  if (!(await isOlder(path, before))) return false;
  if (!NAME.test(basename(path))) {
    await rm(path, { force: true });
    return true;
  }
  const aside = `${path}.pruned`;
  const moved = await ignoringMissing(rename(path, aside).then(() => true));
  if (moved !== true) return false;
  if (await isOlder(aside, before)) {
    await rm(aside, { force: true });
    return true;
  }
  await ignoringMissing(rename(aside, path));
  return false;
}

async function isOlder(path: string, before: number): Promise<boolean> {
  const found = await ignoringMissing(stat(path));
  return found !== undefined && found.mtimeMs < before;
}

async function namesIn(folder: string): Promise<string[]> {
  return (await ignoringMissing(readdir(folder))) ?? [];
}

/** Undefined where nothing is of that name; another process may have removed it. */
async function ignoringMissing<T>(action: Promise<T>): Promise<T | undefined> {
  return action.catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  const { code } = Object(error) as { readonly code?: unknown };
  return typeof code === 'string' ? code : '';
}

function missing(ref: string): HoldfastError {
  return new HoldfastError('BlobMissing', `The blob store has no value ${ref}.`, { ref });
}

function unavailable(error: unknown, ref: string): HoldfastError {
  return new HoldfastError('BlobStoreUnavailable', `The blob store cannot be used: ${messageOf(error)}`, { ref });
}
