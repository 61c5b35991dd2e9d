/**
 * PGlite behind its socket server: PostgreSQL in one process and one folder, for one machine. It answers one transaction at a time and
 * does not wait for the disk: what was committed survives a killed process, not a power cut.
 */
import { join } from 'node:path';
import { Client } from 'pg';
import { asProcess, type PartPlan } from './part';
import { start } from './programs';
import type { StackPaths } from './record';

/** The same relative place from `src` and from `dist`. */
const SCRIPT = join(__dirname, '../../dist/local-stack/pglite/main.js');
const PROBE_WITHIN_MS = 2_000;

export interface PostgresqlServer {
  readonly url: string;
  readonly port: number;
  /** Where the files of a new database are kept, to be copied. */
  readonly cache: string;
}

export function postgresqlPlan({ url, port, cache }: PostgresqlServer, paths: StackPaths): PartPlan {
  const log = join(paths.logs, 'postgresql.log');
  return {
    name: 'PostgreSQL',
    log,
    // The first start on a machine writes the system tables.
    ready_within_ms: 60_000,
    stop_within_ms: 10_000,
    launch: async () => {
      const args = [SCRIPT, paths.postgresql, String(port), cache];
      return asProcess(await start({ program: process.execPath, args, log }));
    },
    isReady: () => answersPostgresql(url),
  };
}

/** True when it answers a query; not while it still starts or recovers. */
export async function answersPostgresql(url: string): Promise<boolean> {
  const limits = { connectionTimeoutMillis: PROBE_WITHIN_MS, query_timeout: PROBE_WITHIN_MS };
  const client = new Client({ connectionString: url, ...limits });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } finally {
    // A server that hangs would not take its leave.
    void client.end().catch(() => undefined);
  }
}
