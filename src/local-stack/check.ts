/** What `holdfast doctor` looks at: everything the local stack needs or runs, without starting or fetching anything. */
import { statfs } from 'node:fs/promises';
import { Connection } from '@temporalio/client';
import type { Config } from '../config/config';
import { HoldfastError, messageOf } from '../errors';
import { isFree } from './ports';
import { isRunning } from './process-identity';
import { answersPostgresql } from './postgresql-server';
import { readRecord, stackPaths, type StackRecord } from './record';
import { answersRedis, localRedisWays } from './redis-server';
import { firstOf } from './search-chain';
import { answersReady } from './services';
import { localWays } from './temporal-cli';
import { answersTemporal } from './temporal-server';

export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do about it; only when not ok. */
  readonly next_step?: string;
}

interface Check {
  readonly name: string;
  readonly next_step: string;
  /** What it found, or an error saying what is wrong. */
  readonly look: () => Promise<string>;
}

const LEAST_NODE = [20, 19] as const;
const LEAST_DISK_BYTES = 1_000_000_000;
const USUAL_PORTS = {
  temporal: 7233,
  temporal_ui: 8233,
  redis: 6379,
  postgresql: 5433,
  gateway: 8001,
  paper_venue: 8002,
} as const;

export async function checkStack(config: Config): Promise<Finding[]> {
  const record = await readRecord(stackPaths(config.home));
  const checks = [...machineChecks(config), ...runningChecks(config, record)];
  return Promise.all(
    checks.map(async ({ name, next_step, look }) => {
      try {
        return { name, ok: true, detail: await look() };
      } catch (error) {
        return { name, ok: false, detail: messageOf(error), next_step };
      }
    }),
  );
}

function machineChecks(config: Config): Check[] {
  const { local_stack: local } = config;
  return [
    { name: 'Node', next_step: `Install Node ${LEAST_NODE.join('.')} or newer.`, look: lookAtNode },
    {
      name: 'Temporal program',
      next_step: 'Nothing need be done where a download or Go works: `npm start` fetches it.',
      look: async () => {
        if (local.temporal_address !== undefined) return `not needed, TEMPORAL_ADDRESS is ${local.temporal_address}`;
        const { path, version, source } = await firstOf('TemporalUnavailable', 'not here yet:', localWays(local));
        return `${source}: ${path}, ${version}`;
      },
    },
    {
      name: 'Redis program',
      next_step: 'Install redis-server or valkey-server, or set REDIS_URL.',
      look: async () => {
        if (local.redis_url !== undefined) return 'not needed, REDIS_URL is set';
        return (await firstOf('RedisUnavailable', 'not here yet:', localRedisWays(local))).path;
      },
    },
    { name: 'disk', next_step: 'Free some space.', look: () => lookAtDisk(config) },
  ];
}

function runningChecks(config: Config, record: StackRecord | undefined): Check[] {
  const start = 'Start it with `npm start`.';
  const { address, redis, postgresql, gateway, paper_venue } = addressesOf(config, record);
  const yes = async (what: string | undefined, probe: (what: string) => Promise<boolean>) => {
    if (what === undefined) return fail('not running');
    const shown = withoutCredentials(what);
    return (await probe(what)) ? `answers at ${shown}` : fail(`${shown} does not answer`);
  };
  return [
    {
      name: 'ports',
      next_step: 'Other ports are taken; nothing need be done.',
      look: () => lookAtPorts(config, record),
    },
    { name: 'stack', next_step: start, look: () => lookAtSupervisor(record) },
    {
      name: 'Temporal',
      next_step: start,
      look: () => yes(address, (at) => answersTemporal(at, config.temporal.namespace)),
    },
    { name: 'Redis', next_step: start, look: () => yes(redis, answersRedis) },
    { name: 'PostgreSQL', next_step: start, look: () => yes(postgresql, answersPostgresql) },
    { name: 'worker', next_step: start, look: () => lookAtPollers(config, address) },
    { name: 'gateway', next_step: start, look: () => yes(gateway, answersReady) },
    { name: 'paper venue', next_step: start, look: () => yes(paper_venue, answersReady) },
  ];
}

function addressesOf({ local_stack: given }: Config, record: Partial<StackRecord> = {}) {
  return {
    address: given.temporal_address ?? record.temporal?.address,
    redis: given.redis_url ?? record.redis?.url,
    postgresql: given.database_url ?? record.postgresql?.url,
    gateway: record.gateway?.url,
    paper_venue: record.paper_venue?.url,
  };
}

/** Up to the last @ it may be a password that nobody encoded; behind the address it may be one, too. */
function withoutCredentials(address: string): string {
  return address.replace(/\/\/.*@/s, '//').replace(/\?.*$/s, '');
}

function lookAtNode(): Promise<string> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const enough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return enough ? Promise.resolve(process.versions.node) : fail(`${process.versions.node} is too old`);
}

async function lookAtDisk(config: Config): Promise<string> {
  const { bavail, bsize } = await statfs(stackPaths(config.home).home).catch(() => statfs('.'));
  const bytes = bavail * bsize;
  const free = `${(bytes * 1e-9).toFixed(1)} GB free`;
  return bytes >= LEAST_DISK_BYTES ? free : fail(free);
}

/** A port is well when it is free, or when it is the stack's own. */
async function lookAtPorts(config: Config, record: StackRecord | undefined): Promise<string> {
  const own = JSON.stringify(record ?? {});
  const wanted = Object.entries(USUAL_PORTS).map(
    ([name, usual]) => config.local_stack.ports[name as keyof typeof USUAL_PORTS] ?? usual,
  );
  const free = await Promise.all(
    wanted.map((port) => (own.includes(`:${port}"`) ? Promise.resolve(true) : isFree(port))),
  );
  const taken = wanted.filter((_port, index) => free[index] === false);
  return taken.length === 0 ? wanted.join(', ') : fail(`in use by another program: ${taken.join(', ')}`);
}

async function lookAtSupervisor(record: StackRecord | undefined): Promise<string> {
  if (record === undefined) return fail('not running');
  const { pid } = record.supervisor;
  return (await isRunning(record.supervisor))
    ? `pid ${pid}`
    : fail(`pid ${pid} was killed; a start takes its parts over`);
}

async function lookAtPollers(config: Config, address: string | undefined): Promise<string> {
  if (address === undefined) return fail('no Temporal to ask');
  const { namespace, task_queue } = config.temporal;
  const connection = await Connection.connect({ address, connectTimeout: 2_000 });
  try {
    // The default task queue type is the one of workflows.
    const { pollers } = await connection.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: task_queue },
    });
    const count = pollers.length;
    return count > 0 ? `${count} polling ${task_queue}` : fail(`nobody polls ${task_queue}`);
  } finally {
    await connection.close();
  }
}

function fail(why: string): never {
  throw new HoldfastError('StackUnhealthy', why);
}
