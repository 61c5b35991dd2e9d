/**
 * The connection to PostgreSQL: every piece of work is one transaction with a deadline.
 *
 * Also a single statement goes in a transaction. Behind PGlite's socket server all clients share one session, and it keeps them apart only
 * from BEGIN to COMMIT; outside, one client's Parse may meet another's Bind. For the same reason settings are made with SET LOCAL, and
 * session locks are of no use.
 */
import { Pool, type PoolClient } from 'pg';
import { HoldfastError, messageOf } from '../errors';

export interface Database {
  /**
   * Commits when `work` returns and rolls back when it throws; a `HoldfastError` it throws is passed on. Anything else, also a deadline
   * that passed, rejects with `JournalUnavailable`: whether the work was committed is not known then.
   */
  transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const CONNECT_WITHIN_MS = 2_000;
/** From BEGIN to COMMIT. */
const WORK_WITHIN_MS = 4_000;
const ROLLBACK_WITHIN_MS = 500;
const CLOSE_WITHIN_MS = 2_000;
/** The server gives up first, so that a lock is not held by who no longer waits for it. */
const BEGIN = `BEGIN; SET LOCAL statement_timeout = 3500; SET LOCAL lock_timeout = 3000; SET LOCAL idle_in_transaction_session_timeout = 5000`;

/** Connects at the first use. `onError` hears of idle connections that broke, and of nothing a caller is told. */
export function openDatabase(url: string, onError: (error: Error) => void): Database {
  const pool = new Pool({
    connectionString: url,
    max: 4,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    // Shorter than PGlite's server lets a client be silent.
    idleTimeoutMillis: 5_000,
    allowExitOnIdle: true,
    application_name: 'holdfast',
  });
  // Without a listener a broken idle connection would end the process.
  pool.on('error', onError);
  return {
    transaction: async (work) => {
      const client = await pool.connect().catch(refuse);
      return transaction(client, work).catch(refuse);
    },
    close: () => within(CLOSE_WITHIN_MS, pool.end()).catch(() => undefined),
  };
}

async function transaction<T>(client: PoolClient, work: (client: PoolClient) => Promise<T>): Promise<T> {
  // A connection that breaks while it is in use rejects what waits for it; the event as well would end the process.
  const ignore = (): void => undefined;
  client.on('error', ignore);
  let healthy = false;
  try {
    const result = await within(WORK_WITHIN_MS, committed(client, work));
    healthy = true;
    return result;
  } catch (error) {
    healthy = await rolledBack(client);
    throw error;
  } finally {
    client.off('error', ignore);
    // One that is not known to be idle is thrown away: the server ends its transaction with the connection.
    client.release(!healthy);
  }
}

async function committed<T>(client: PoolClient, work: (client: PoolClient) => Promise<T>): Promise<T> {
  await client.query(BEGIN);
  const result = await work(client);
  await client.query('COMMIT');
  return result;
}

function rolledBack(client: PoolClient): Promise<boolean> {
  return within(ROLLBACK_WITHIN_MS, client.query('ROLLBACK')).then(
    () => true,
    () => false,
  );
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${ms / 1000} s`));
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function refuse(error: unknown): never {
  if (error instanceof HoldfastError) throw error;
  const reason = messageOf(error) || codeOf(error) || 'no connection';
  throw new HoldfastError('JournalUnavailable', `The journal cannot be used: ${reason}.`, { reason });
}

/** A host with several addresses refuses with an error that has a code and no message. */
function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
