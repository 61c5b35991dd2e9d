/** A PostgreSQL of a test's own, to kill, freeze and tamper with: PGlite as the local stack runs it, or the real one when the machine has it. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { loadConfig } from '../../src/config/config';
import { freePort } from '../../src/local-stack/ports';
import { answersPostgresql } from '../../src/local-stack/postgresql-server';
import { until } from './until';

export interface OwnPostgresql {
  readonly url: string;
  kill(): Promise<void>;
  /** Starts again on the same port, with what was committed. */
  start(): Promise<void>;
  /** Stops answering, keeps every connection. */
  freeze(): void;
  thaw(): void;
  /** As the owner of everything, on a connection of its own. */
  sql(text: string): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
}

interface Way {
  readonly folder: string;
  readonly port: number;
  readonly launch: () => ChildProcess;
}

const INSTALLED = '/usr/lib/postgresql';
const PGLITE = join(__dirname, '../../dist/local-stack/pglite/main.js');

/** Nothing when the real server can be run here, else why not. */
export function whyNoPostgresql(): string | undefined {
  if (binaries() === undefined) return `no server in ${INSTALLED}`;
  // It refuses to run as root, and asks for its own user then.
  return userInfo().uid === 0 && serverUser() === undefined ? 'no user postgres to run it as' : undefined;
}

/** `cache`: by default the one the stack has. */
export function startOwnPglite(cache = loadConfig().local_stack.cache): Promise<OwnPostgresql> {
  return started(async (folder) => {
    const port = await freePort();
    return { folder, port, launch: () => spawn(process.execPath, [PGLITE, folder, String(port), cache], QUIET) };
  });
}

/** With a password it serves nobody without it. */
export function startOwnPostgresql(password?: string): Promise<OwnPostgresql> {
  return started(async (folder) => {
    const port = await freePort();
    const programs = binaries() ?? '';
    const data = join(folder, 'data');
    const user = userInfo().uid === 0 ? serverUser() : undefined;
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
    const asUser = { ...QUIET, ...user, cwd: folder };
    const guarded = password === undefined ? [] : ['--pwfile', passwordFile(folder, password, user)];
    const access = ['-A', password === undefined ? 'trust' : 'scram-sha-256', ...guarded];
    execFileSync(join(programs, 'initdb'), ['-D', data, '-U', 'postgres', ...access, '-N'], asUser);
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories='].flatMap((each) => ['-c', each]);
    const args = ['-D', data, '-p', String(port), ...settings];
    return { folder, port, launch: () => spawn(join(programs, 'postgres'), args, asUser) };
  }, password);
}

function passwordFile(folder: string, password: string, user: { uid: number; gid: number } | undefined): string {
  const file = join(folder, 'password');
  writeFileSync(file, password, { mode: 0o600 });
  if (user !== undefined) chownSync(file, user.uid, user.gid);
  return file;
}

const QUIET = { stdio: 'ignore' } as const;

async function started(prepare: (folder: string) => Promise<Way>, password?: string): Promise<OwnPostgresql> {
  const way = await prepare(mkdtempSync(join(tmpdir(), 'holdfast-postgresql-')));
  const who = password === undefined ? 'postgres' : `postgres:${password}`;
  const url = `postgresql://${who}@127.0.0.1:${way.port}/postgres`;
  let child: ChildProcess | undefined;
  const kill = async () => {
    const dying = child;
    child = undefined;
    if (dying === undefined || dying.exitCode !== null) return;
    const gone = new Promise((resolve) => dying.once('exit', resolve));
    dying.kill('SIGKILL');
    await gone;
  };
  const start = async () => {
    child = way.launch();
    child.unref();
    await until('PostgreSQL answers', () => answersPostgresql(url).catch(() => false), 60_000);
  };
  await start();
  return {
    url,
    kill,
    start,
    freeze: () => {
      signalAll(child, 'SIGSTOP');
    },
    thaw: () => {
      signalAll(child, 'SIGCONT');
    },
    sql: (text) => onItsOwn(url, text),
    stop: async () => {
      await kill();
      rmSync(way.folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** The real server has a process per connection, each in a session of its own. */
function signalAll(parent: ChildProcess | undefined, signal: NodeJS.Signals): void {
  const { pid } = parent ?? {};
  if (pid === undefined) return;
  const all = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const rows = all.map((line) => line.trim().split(/\s+/).map(Number));
  const children = rows.flatMap(([each = 0, itsParent]) => (itsParent === pid ? [each] : []));
  for (const each of [...children, pid]) process.kill(each, signal);
}

async function onItsOwn(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

function binaries(): string | undefined {
  const versions = existsSync(INSTALLED) ? readdirSync(INSTALLED) : [];
  return versions.map((version) => join(INSTALLED, version, 'bin')).find((each) => existsSync(join(each, 'postgres')));
}

function serverUser(): { uid: number; gid: number } | undefined {
  const idOf = (flag: string) =>
    Number(execFileSync('id', [flag, 'postgres'], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: idOf('-u'), gid: idOf('-g') };
  } catch {
    return undefined;
  }
}
