/** The scripts as typed commands. */
import type { ChainableCommander, Redis } from 'ioredis';
import type { UnnumberedEvent } from '../events/envelope';
import { terminalExecutionTypes } from '../events/envelope';
import {
  EPOCH_KEY,
  EVENTS_CHANNEL,
  GAPS_KEY,
  MOVED_KEY,
  NO_KEY,
  OPEN_KEY,
  claimKey,
  metaKey,
  recentKey,
  seenKey,
  snapshotKey,
  streamKey,
  workflowStatusKey,
} from './keys';
import type { Gap, Outgoing } from './outbox';
import { CLAIM, PUBLISH, RENEW, REPLAY, SNAPSHOT, TELL_GAP } from './scripts';

interface ScriptRunner {
  holdfastPublish(keys: number, ...keysAndValues: string[]): ChainableCommander;
}

interface ScriptWriter {
  holdfastTellGap(gaps: string, words: string, channel: string): Promise<number>;
  holdfastRenew(stream: string, seen: string, snapshot: string, meta: string, run: string): Promise<0 | 1>;
  holdfastClaim(claim: string, by: string): Promise<0 | 1>;
}

interface ScriptReader {
  holdfastSnapshot(snapshot: string, meta: string): Promise<[meta: (string | null)[], entries: string[]]>;
  holdfastReplay(
    stream: string,
    meta: string,
    epoch: string,
    after: string,
    limit: string,
    runId: string,
  ): Promise<[number, string, 0 | 1, string[]]>;
}

export function definePublish(redis: Redis): void {
  redis.defineCommand('holdfastPublish', { lua: PUBLISH });
  redis.defineCommand('holdfastTellGap', { lua: TELL_GAP, numberOfKeys: 1 });
  redis.defineCommand('holdfastRenew', { lua: RENEW, numberOfKeys: 4 });
  redis.defineCommand('holdfastClaim', { lua: CLAIM, numberOfKeys: 1 });
}

/** On a connection `definePublish` has seen, as all that writes. */
export async function tellGap(redis: Redis, gap: Gap): Promise<void> {
  await (redis as Redis & ScriptWriter).holdfastTellGap(GAPS_KEY, JSON.stringify(gap), EVENTS_CHANNEL);
}

/** False when somebody else has claimed the stream just now. */
export async function claimStream(redis: Redis, stream: string, by: string): Promise<boolean> {
  return (await (redis as Redis & ScriptWriter).holdfastClaim(claimKey(stream), by)) === 1;
}

/** False when the stream was begun anew for this run before. */
export async function renewStream(redis: Redis, stream: string, runId: string): Promise<boolean> {
  const keys = [streamKey(stream), seenKey(stream), snapshotKey(stream), metaKey(stream)] as const;
  return (await (redis as Redis & ScriptWriter).holdfastRenew(...keys, runId)) === 1;
}

/** `redis` with the reading scripts as commands. */
export function defineReads(redis: Redis): Redis & ScriptReader {
  redis.defineCommand('holdfastSnapshot', { lua: SNAPSHOT, numberOfKeys: 2 });
  redis.defineCommand('holdfastReplay', { lua: REPLAY, numberOfKeys: 2 });
  return redis as Redis & ScriptReader;
}

/** Adds one event's script call to a pipeline that comes from a connection `definePublish` has seen. */
export function addPublish(pipeline: ChainableCommander, outgoing: Outgoing, runId: string): void {
  const { publication, json } = outgoing;
  const { event, key = '', precedence = [], repairs = false } = publication;
  const keys = keysOf(event);
  (pipeline as unknown as ScriptRunner).holdfastPublish(
    keys.length,
    ...keys,
    json,
    event.event_id,
    key,
    precedence.join(','),
    runId,
    event.timestamp,
    String(Date.parse(event.timestamp)),
    event.execution_id ?? '',
    EVENTS_CHANNEL,
    phaseOf(event),
    stateOf(event),
    event.type === 'execution_started' ? String(event.node_count) : '',
    repairs ? 'repair' : '',
    event.stream,
  );
}

function keysOf({ stream, execution_id, workflow_id, bot_id, strategy_id }: UnnumberedEvent): string[] {
  const own = [streamKey(stream), seenKey(stream), snapshotKey(stream), metaKey(stream), EPOCH_KEY, OPEN_KEY];
  if (execution_id === undefined) return [...own, NO_KEY, MOVED_KEY];
  return [
    ...own,
    workflow_id === undefined ? NO_KEY : workflowStatusKey(workflow_id),
    MOVED_KEY,
    recentKey({ all: true }),
    ...(workflow_id === undefined ? [] : [recentKey({ workflow_id })]),
    ...(bot_id === undefined ? [] : [recentKey({ bot_id })]),
    ...(strategy_id === undefined ? [] : [recentKey({ strategy_id })]),
  ];
}

function phaseOf({ type }: UnnumberedEvent): 'start' | 'end' | '' {
  if (type === 'execution_started') return 'start';
  return terminalExecutionTypes.has(type) ? 'end' : '';
}

/** The execution's state after this event, where the event says. */
function stateOf(event: UnnumberedEvent): string {
  switch (event.type) {
    case 'execution_started':
    case 'execution_resumed':
      return 'running';
    case 'execution_halted':
      return 'halted';
    case 'execution_completed':
    case 'execution_failed':
    case 'execution_cancelled':
      return event.status;
    default:
      return '';
  }
}
