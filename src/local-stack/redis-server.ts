/** Redis or Valkey on loopback, appending to disk every second: live events may be lost with it, executions never. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { LocalStackConfig } from '../config/config';
import { HoldfastError, messageOf } from '../errors';
import { installPackage } from './package-manager';
import { asProcess, type PartPlan, type Running } from './part';
import { findProgram, run, start } from './programs';
import type { Progress } from './progress';
import type { StackPaths } from './record';
import { firstOf, type Way } from './search-chain';

const PROGRAMS = ['redis-server', 'valkey-server'];
const PACKAGE = { apt: 'redis-server', brew: 'redis' };
const IMAGE = 'redis:7.4-alpine';

/** Where a Redis comes from: a program of this machine, or an image for its Docker engine. */
export type RedisSource =
  | { readonly kind: 'program'; readonly path: string; readonly source: string }
  | { readonly kind: 'docker'; readonly path: string; readonly source: string };

export function localRedisWays(config: LocalStackConfig): Way<RedisSource>[] {
  return [
    {
      name: 'redis-server or valkey-server on PATH',
      obtain: async () => {
        const path = (await findProgram(PROGRAMS, config.search_path)) ?? refuse('not found');
        return { kind: 'program', path, source: 'on PATH' };
      },
    },
  ];
}

/** Throws `RedisUnavailable` naming every way that was tried. */
export function obtainRedis(config: LocalStackConfig, progress: Progress): Promise<RedisSource> {
  return firstOf('RedisUnavailable', 'No Redis could be found, installed or started:', [
    { name: 'REDIS_URL', obtain: () => refuse('not set') },
    ...localRedisWays(config),
    { name: 'package manager', obtain: () => installed(config, progress) },
    { name: 'Docker', obtain: () => docker(config) },
  ]);
}

async function installed(config: LocalStackConfig, progress: Progress): Promise<RedisSource> {
  const manager = await progress.step('Redis installed', async (note) => {
    const name = await installPackage(PACKAGE, config.search_path);
    note(`with ${name}`);
    return name;
  });
  const path = (await findProgram(PROGRAMS, config.search_path)) ?? refuse(`${manager} installed none on PATH`);
  return { kind: 'program', path, source: manager };
}

async function docker(config: LocalStackConfig): Promise<RedisSource> {
  const path = (await findProgram(['docker'], config.search_path)) ?? refuse('docker is not on PATH');
  await run(path, ['version', '--format', '{{.Server.Version}}'], { timeout_ms: 5_000 }).catch((error: unknown) =>
    refuse(`the Docker engine does not answer: ${messageOf(error)}`),
  );
  return { kind: 'docker', path, source: 'Docker' };
}

export function redisPlan(obtain: () => Promise<RedisSource>, port: number, paths: StackPaths): PartPlan {
  const log = join(paths.logs, 'redis.log');
  return {
    name: 'Redis',
    log,
    ready_within_ms: 20_000,
    stop_within_ms: 10_000,
    launch: async () => {
      await mkdir(paths.redis, { recursive: true });
      const source = await obtain();
      return source.kind === 'docker' ? launchContainer(source.path, port, paths) : launch(source.path, port, paths);
    },
    isReady: () => answersRedis(`redis://127.0.0.1:${port}`),
  };
}

/** True when it answers a PING; while it still loads its file it does not. */
export async function answersRedis(url: string): Promise<boolean> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 2_000,
    commandTimeout: 2_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
    return true;
  } finally {
    redis.disconnect();
  }
}

const PERSISTENCE = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', ''];

async function launch(program: string, port: number, paths: StackPaths): Promise<Running> {
  const place = ['--bind', '127.0.0.1', '--port', String(port), '--protected-mode', 'yes', '--dir', paths.redis];
  const args = [...place, ...PERSISTENCE, '--loglevel', 'warning'];
  return asProcess(await start({ program, args, log: join(paths.logs, 'redis.log') }));
}

/** Inside the container it must listen on all addresses; outside it is published on loopback alone. */
async function launchContainer(program: string, port: number, paths: StackPaths): Promise<Running> {
  const place = ['--detach', '--publish', `127.0.0.1:${port}:6379`, '--volume', `${paths.redis}:/data`];
  const printed = await run(program, ['run', ...place, IMAGE, 'redis-server', ...PERSISTENCE], { timeout_ms: 180_000 });
  const id = printed.trim();
  return { runs: { as: 'container', id }, exited: containerExit(program, id) };
}

/** `docker wait` ends with the container; it is also killed with us, so it stands for nothing but the exit. */
async function containerExit(program: string, id: string): Promise<void> {
  await run(program, ['wait', id], { timeout_ms: 0 }).catch(() => '');
}

function refuse(reason: string): never {
  throw new HoldfastError('RedisUnavailable', reason);
}
