/** Connections to Redis that give up early: nothing here may wait for a Redis that is down or hangs. */
import { Redis, type RedisOptions } from 'ioredis';
import { wholeNumber } from '../whole-number';

/** A command without an answer after this long has failed, milliseconds. */
export const COMMAND_TIMEOUT_MS = 1_500;
const LONGEST_RETRY_MS = 1_000;

/**
 * Without these, ioredis keeps commands while the connection is down and sends them again when it is back, without bound
 * and after the caller gave up. `maxRetriesPerRequest: 0` fails what is under way as soon as the connection closes.
 */
const GIVE_UP_EARLY = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: 2_000,
  retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 10), LONGEST_RETRY_MS),
  // Two of these are sent on every connect and tell nobody anything.
  disableClientInfo: true,
} as const satisfies RedisOptions;

/** Connects in the background and for ever; `onError` hears why it does not work. */
export function connectRedis(url: string, name: string, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, { ...GIVE_UP_EARLY, connectionName: name });
  redis.on('error', onError);
  return redis;
}

/** Ends the connection for good; the commands under way fail. */
export function disconnectRedis(redis: Redis): void {
  redis.disconnect();
}

/** The id of the server process at the other end: another one after a restart or a fail-over. */
export async function serverRunId(redis: Redis): Promise<string> {
  const info = await redis.info('server');
  const runId = /^run_id:(\w+)/m.exec(info)?.[1];
  if (runId === undefined) throw new Error('INFO server names no run_id');
  return runId;
}

/** Milliseconds since 1970 by the clock of the server. Who may only read may not ask `TIME`. */
export async function serverTime(redis: Redis): Promise<number> {
  const info = await redis.info('server');
  const micros = /^server_time_usec:(\d+)/m.exec(info)?.[1];
  if (micros === undefined) throw new Error('INFO server names no server_time_usec');
  return Math.floor(wholeNumber(micros) / 1_000);
}
