/** Where things run: the environment's word first, then what the local stack wrote down, then the defaults. */
import { readFile } from 'node:fs/promises';
import { loadConfig, type Config } from '../config/config';
import { present } from '../json';
import { readRecord, stackPaths, type StackRecord } from '../local-stack/record';
import type { Io } from './io';

export interface Whereabouts {
  readonly temporal: Config['temporal'];
  readonly gateway_url: string;
  readonly redis_url: string;
  /** What closings are signed with; absent when none is configured and no local stack made one. */
  readonly closing_key?: string;
  /** PostgreSQL, of the journal. */
  readonly database_url: string;
  /** The key tokens are signed with; absent when none is configured and no local stack made one. */
  readonly token_secret?: string;
}

/** Throws `ConfigurationInvalid`. */
export async function locate(io: Io): Promise<Whereabouts> {
  const config = loadConfig(io.environment);
  const { local_stack: given } = config;
  const paths = stackPaths(config.home);
  const stack: Partial<StackRecord> = (await readRecord(paths)) ?? {};
  const token_secret = config.gateway.jwt_secret ?? (await keptIn(paths.secret));
  const closing_key = config.emergency.closing_key ?? (await keptIn(paths.closing_key));
  return {
    temporal: {
      ...config.temporal,
      address: first(given.temporal_address, stack.temporal?.address, config.temporal.address),
    },
    gateway_url: gatewayUrl(config, stack.gateway?.url),
    redis_url: first(given.redis_url, stack.redis?.url, config.redis.url),
    database_url: first(given.database_url, stack.postgresql?.url, config.journal.url),
    ...present({ token_secret, closing_key }),
  };
}

function first(named: string | undefined, ofStack: string | undefined, usual: string): string {
  return named ?? ofStack ?? usual;
}

/** Port 0 asks the stack for any: only what it wrote down says which. */
function gatewayUrl({ gateway, local_stack }: Config, ofStack: string | undefined): string {
  const configured = `http://${gateway.host}:${gateway.port}`;
  const named = local_stack.ports.gateway;
  return named === undefined || named === 0 ? (ofStack ?? configured) : configured;
}

async function keptIn(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch {
    return undefined;
  }
}
