/** The files of a new database. Making them takes five seconds of a core, copying them a tenth of one: the first of a machine are kept. */
import { cp, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { withLock } from '../lock';

const LOCK_WITHIN_MS = 50_000;

/** Makes the folder unless it is there. It appears whole or not at all: half a database could never be opened again. */
export async function ensureDataFolder(folder: string, cache: string): Promise<void> {
  if (await exists(folder)) return;
  // A cache that cannot be written, as in a read-only home, costs time and nothing else.
  const template = await templateIn(cache).catch(() => undefined);
  await whole(folder, template === undefined ? makeDatabase : (draft) => cp(template, draft, { recursive: true }));
}

async function templateIn(cache: string): Promise<string> {
  const template = join(cache, `pglite-${await pgliteVersion()}`);
  await withLock(`${template}.lock`, LOCK_WITHIN_MS, async () => {
    if (!(await exists(template))) await whole(template, makeDatabase);
  });
  return template;
}

async function whole(folder: string, make: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${folder}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(dirname(draft), { recursive: true });
  await make(draft);
  await rename(draft, folder);
}

async function makeDatabase(draft: string): Promise<void> {
  const db = await PGlite.create(draft);
  await db.close();
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Files of one version need not suit another. */
async function pgliteVersion(): Promise<string> {
  const path = join(dirname(require.resolve('@electric-sql/pglite')), '../package.json');
  return (JSON.parse(await readFile(path, 'utf8')) as { version: string }).version;
}
