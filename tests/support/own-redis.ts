/** A Redis server of a test's own, to stop, freeze and restart. */
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../src/local-stack/ports';
import { until } from './until';

export interface OwnRedis {
  readonly url: string;
  /** Stops answering, keeps every connection. */
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  /** Starts again on the same port, empty. */
  start(): Promise<void>;
  /** Keeps what it holds now, for `restore`. */
  dump(): Promise<void>;
  /** Starts again on the same port with what the last `dump` kept. */
  restore(): Promise<void>;
  stop(): Promise<void>;
}

/** `settings` go before its own on the command line. With a password it serves nobody without it. */
export async function startOwnRedis(settings: readonly string[] = [], password?: string): Promise<OwnRedis> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-redis-'));
  const [dumped, kept] = [join(directory, 'dump.rdb'), join(directory, 'kept.rdb')];
  const url = `redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const kill = async () => {
    const dying = child;
    child = undefined;
    if (dying === undefined) return;
    const gone = new Promise((resolve) => dying.once('exit', resolve));
    dying.kill('SIGKILL');
    await gone;
  };
  const start = async () => {
    const args = [
      ...settings,
      '--port',
      String(port),
      '--save',
      '',
      '--appendonly',
      'no',
      '--bind',
      '127.0.0.1',
      '--dir',
      directory,
      ...(password === undefined ? [] : ['--requirepass', password]),
    ];
    child = spawn('redis-server', args, { stdio: 'ignore' });
    child.unref();
    const probe = new Redis(url, { retryStrategy: () => 20, enableReadyCheck: false });
    probe.on('error', () => undefined);
    await until('Redis answers', () => probe.ping().catch(() => undefined));
    probe.disconnect();
  };
  const dump = async () => {
    const redis = new Redis(url);
    await redis.save();
    redis.disconnect();
    copyFileSync(dumped, kept);
    rmSync(dumped);
  };
  const restore = async () => {
    copyFileSync(kept, dumped);
    await start();
    rmSync(dumped);
  };
  await start();
  return {
    url,
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    kill,
    start,
    dump,
    restore,
    stop: async () => {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** All that the server at `url` holds is gone; it runs on. */
export async function emptied(url: string): Promise<void> {
  const server = new Redis(url);
  await server.flushall();
  server.disconnect();
}
