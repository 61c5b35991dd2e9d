/**
 * That all who write and read a log divide it alike. Who does not would write where nobody reads, or read where nothing is written, and
 * everything would look well. So the number of partitions is said in the log itself, once, by who writes first; others obey it or say so.
 */
import type { Redis } from 'ioredis';
import { HoldfastError } from '../errors';
import { isWholeNumber, wholeNumber } from '../whole-number';
import { LAYOUT_KEY } from './keys';
import type { LayoutCommands } from './log-commands';

/** Says it where nobody has yet. Throws `ConfigurationInvalid` where the log has another number. */
export async function agreeOnPartitions(redis: LayoutCommands, mine: number): Promise<void> {
  assertSame(await redis.holdfastLayout(LAYOUT_KEY, String(mine)), mine);
}

/** Whether somebody has said it. Throws `ConfigurationInvalid` where they said otherwise. */
export async function hasAgreed(redis: Redis, mine: number): Promise<boolean> {
  const theirs = await redis.hget(LAYOUT_KEY, 'partitions');
  if (theirs === null) return false;
  assertSame(theirs, mine);
  return true;
}

function assertSame(theirs: string, mine: number): void {
  if (isWholeNumber(theirs) && wholeNumber(theirs) === mine) return;
  const detail = `The event log has ${theirs} partitions, HOLDFAST_EVENT_PARTITIONS is ${mine} here.`;
  throw new HoldfastError('ConfigurationInvalid', detail);
}
