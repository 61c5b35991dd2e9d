/** The scripts as typed commands. */
import type { ChainableCommander, Redis } from 'ioredis';
import type { UnnumberedEvent } from '../events/envelope';
import { terminalExecutionTypes } from '../events/envelope';
import {
  EPOCH_KEY,
  EVENTS_CHANNEL,
  NO_KEY,
  OPEN_KEY,
  metaKey,
  recentKey,
  seenKey,
  snapshotKey,
  streamKey,
  workflowStatusKey,
} from './keys';
import type { Outgoing } from './outbox';
import { PUBLISH, REPLAY, SNAPSHOT } from './scripts';

interface ScriptRunner {
  holdfastPublish(keys: number, ...keysAndValues: string[]): ChainableCommander;
}

interface ScriptReader {
  holdfastSnapshot(snapshot: string, meta: string): Promise<[meta: (string | null)[], entries: string[]]>;
  holdfastReplay(
    stream: string,
    meta: string,
    epoch: string,
    after: string,
    limit: string,
  ): Promise<[number, string, 0 | 1, string[]]>;
}

export function definePublish(redis: Redis): void {
  redis.defineCommand('holdfastPublish', { lua: PUBLISH });
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
  const { event, key = '', precedence = [] } = publication;
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
  );
}

function keysOf({ stream, execution_id, workflow_id, bot_id, strategy_id }: UnnumberedEvent): string[] {
  const own = [streamKey(stream), seenKey(stream), snapshotKey(stream), metaKey(stream), EPOCH_KEY, OPEN_KEY];
  if (execution_id === undefined) return [...own, NO_KEY];
  return [
    ...own,
    workflow_id === undefined ? NO_KEY : workflowStatusKey(workflow_id),
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
