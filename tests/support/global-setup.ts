import { acquireTestStack } from './test-stack';

/** One Temporal and one Redis for all projects of this run; tests find them in TEMPORAL_ADDRESS and REDIS_URL. */
module.exports = async function setUp(): Promise<void> {
  const stack = await acquireTestStack();
  process.env['TEMPORAL_ADDRESS'] = stack.temporal_address;
  process.env['REDIS_URL'] = stack.redis_url;
};
