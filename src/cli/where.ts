/** Where things run: the environment's word first, then what the local stack wrote down, then the defaults. */
import { readFile } from 'node:fs/promises';
import { loadConfig, type Config } from '../config/config';
import { present } from '../json';
import { readRecord, stackPaths } from '../local-stack/record';
import type { Io } from './io';

export interface Whereabouts {
  readonly temporal: Config['temporal'];
  readonly gateway_url: string;
  /** The key tokens are signed with; absent when none is configured and no local stack made one. */
  readonly token_secret?: string;
}

/** Throws `ConfigurationInvalid`. */
export async function locate(io: Io): Promise<Whereabouts> {
  const config = loadConfig(io.environment);
  const stack = await readRecord(stackPaths(config.home));
  const address = config.local_stack.temporal_address ?? stack?.temporal?.address ?? config.temporal.address;
  const token_secret = await tokenSecret(config);
  return {
    temporal: { ...config.temporal, address },
    gateway_url: gatewayUrl(config, stack?.gateway?.url),
    ...present({ token_secret }),
  };
}

function gatewayUrl({ gateway, local_stack }: Config, ofStack: string | undefined): string {
  const configured = `http://${gateway.host}:${gateway.port}`;
  return local_stack.ports.gateway === undefined ? (ofStack ?? configured) : configured;
}

async function tokenSecret(config: Config): Promise<string | undefined> {
  if (config.gateway.jwt_secret !== undefined) return config.gateway.jwt_secret;
  try {
    return (await readFile(stackPaths(config.home).secret, 'utf8')).trim();
  } catch {
    return undefined;
  }
}
