import { join } from 'node:path';
import { acquireTestStack } from './test-stack';

/** One Temporal, one Redis and one PostgreSQL for all projects of this run, and a place for large values that goes with them. */
module.exports = async function setUp(): Promise<void> {
  const { stack, home } = await acquireTestStack();
  process.env['TEMPORAL_ADDRESS'] = stack.temporal_address;
  process.env['REDIS_URL'] = stack.redis_url;
  process.env['DATABASE_URL'] = stack.database_url;
  process.env['HOLDFAST_BLOB_DIRECTORY'] = join(home, 'blobs');
};
