/** Brings the tables of the journal to the state this build knows. */
import { join } from 'node:path';
import { runner } from 'node-pg-migrate';
import type { PoolClient } from 'pg';

const SCHEMA = 'holdfast';
/** Any number, the same in every build. */
const LOCK = 4_827_304_519;
const quiet = (): void => undefined;

/**
 * To be run inside a transaction, which makes simultaneous starts wait for one another: on PostgreSQL by the lock, which ends with it, on PGlite
 * because there is only one transaction at a time. The runner's own lock belongs to the session, and all clients of PGlite share one.
 * The runner's BEGIN inside ours is a warning and no more; its COMMIT, when it has something to do, ends ours.
 */
export async function migrate(client: PoolClient): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
  await runner({
    dbClient: client,
    dir: join(__dirname, 'migrations'),
    direction: 'up',
    migrationsSchema: SCHEMA,
    createMigrationsSchema: true,
    migrationsTable: 'migrations',
    noLock: true,
    singleTransaction: true,
    logger: { info: quiet, warn: quiet, error: quiet },
  });
}
