/** `node main.js FOLDER PORT CACHE`: serves the PGlite of a folder on loopback until it is told to stop. */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread, Worker } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { messageOf } from '../../errors';
import { withLock } from '../lock';
import { answersPostgresql } from '../postgresql-server';
import { ensureDataFolder } from './data-folder';

const LOCK_WITHIN_MS = 5_000;
/** Somebody who holds a transaction open and is silent for so long is cut off: nobody else is served meanwhile. */
const SILENT_FOR_MS = 10_000;
const MOST_CLIENTS = 200;
/** A probe that is not answered takes two seconds more: five in a row are longer than anybody may be silent. */
const PROBE_EVERY_MS = 1_000;
const DEAF_AFTER = 5;

async function serve(data: string, port: number): Promise<void> {
  const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  const db = await PGlite.create(data);
  const place = { host: '127.0.0.1', port };
  const server = new PGLiteSocketServer({ db, ...place, maxConnections: MOST_CLIENTS, idleTimeout: SILENT_FOR_MS });
  await server.start();
  new Worker(__filename, { argv: process.argv.slice(2) });
  await stopped;
  await server.stop();
  await db.close();
}

async function main(folder: string, port: number, cache: string): Promise<void> {
  const data = join(folder, 'data');
  // PGlite itself does not notice a second process on the same files, and two destroy them.
  await withLock(join(folder, 'lock'), LOCK_WITHIN_MS, async () => {
    await ensureDataFolder(data, cache);
    await serve(data, port);
  });
}

/**
 * Ends the process once it no longer answers; the stack starts it again, and what was committed is there. One message of an unknown type
 * sends PGlite round and round for ever, and its thread with it: so this runs in another one.
 */
async function endWhenDeaf(url: string): Promise<never> {
  for (let failures = 0; failures < DEAF_AFTER;) {
    await delay(PROBE_EVERY_MS);
    failures = (await answersPostgresql(url).catch(() => false)) ? 0 : failures + 1;
  }
  writeSync(2, `no answer ${DEAF_AFTER} times in a row: this process ends itself\n`);
  process.kill(process.pid, 'SIGKILL');
  return new Promise<never>(() => undefined);
}

const [folder = '', port = '', cache = ''] = process.argv.slice(2);
const work = isMainThread
  ? main(folder, Number(port), cache)
  : endWhenDeaf(`postgresql://postgres@127.0.0.1:${port}/postgres`);
work.then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(1);
  },
);
