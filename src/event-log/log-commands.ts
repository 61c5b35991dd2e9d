/** The scripts as typed commands. */
import type { ChainableCommander, Redis } from 'ioredis';
import type { UnnumberedEvent } from '../events/envelope';
import { terminalExecutionTypes } from '../events/envelope';
import type { Partition } from './keys';
import type { Gap, Outgoing } from './outbox';
import { BEGIN, CLAIM, LAYOUT, PUBLISH, RENEW, REPLAY, SNAPSHOT, TELL_GAP } from './scripts';

interface ScriptRunner {
  holdfastPublish(keys: number, ...keysAndValues: string[]): ChainableCommander;
}

interface ScriptWriter {
  holdfastBegin(epoch: string, runId: string): Promise<null>;
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

export interface LayoutCommands {
  holdfastLayout(layout: string, partitions: string): Promise<string>;
}

/** A connection `definePublish` has seen. */
export type Writer = Redis & ScriptWriter & LayoutCommands;

/** `redis` with what a publisher asks outside of pipelines; their commands are added by `addPublish`. */
export function definePublish(redis: Redis): Writer {
  redis.defineCommand('holdfastPublish', { lua: PUBLISH });
  redis.defineCommand('holdfastBegin', { lua: BEGIN, numberOfKeys: 1 });
  redis.defineCommand('holdfastLayout', { lua: LAYOUT, numberOfKeys: 1 });
  redis.defineCommand('holdfastTellGap', { lua: TELL_GAP, numberOfKeys: 1 });
  redis.defineCommand('holdfastRenew', { lua: RENEW, numberOfKeys: 4 });
  redis.defineCommand('holdfastClaim', { lua: CLAIM, numberOfKeys: 1 });
  return redis as Writer;
}

/** Kept and told in one partition: it may name streams of all, and every reader listens to each of them. */
export async function tellGap(redis: Writer, gap: Gap, { gaps, channel }: Partition): Promise<void> {
  await redis.holdfastTellGap(gaps, JSON.stringify(gap), channel);
}

/** False when somebody else has claimed the stream just now. */
export async function claimStream(redis: Writer, key: string, by: string): Promise<boolean> {
  return (await redis.holdfastClaim(key, by)) === 1;
}

/** False when the stream was begun anew for this run before. */
export async function renewStream(
  redis: Writer,
  stream: string,
  runId: string,
  partition: Partition,
): Promise<boolean> {
  const keys = [
    partition.stream(stream),
    partition.seen(stream),
    partition.snapshot(stream),
    partition.meta(stream),
  ] as const;
  return (await redis.holdfastRenew(...keys, runId)) === 1;
}

/** `redis` with the reading scripts as commands. */
export function defineReads(redis: Redis): Redis & ScriptReader {
  redis.defineCommand('holdfastSnapshot', { lua: SNAPSHOT, numberOfKeys: 2 });
  redis.defineCommand('holdfastReplay', { lua: REPLAY, numberOfKeys: 2 });
  return redis as Redis & ScriptReader;
}

/** Where events are written, and through which server process. */
export interface Destination {
  readonly partition: Partition;
  readonly run_id: string;
}

/** Adds one event's script call to a pipeline that comes from a connection `definePublish` has seen. */
export function addPublish(pipeline: ChainableCommander, outgoing: Outgoing, destination: Destination): void {
  const { partition, run_id } = destination;
  const { publication, json } = outgoing;
  const { event, key = '', precedence = [], repairs = false } = publication;
  const keys = keysOf(event, partition);
  (pipeline as unknown as ScriptRunner).holdfastPublish(
    keys.length,
    ...keys,
    json,
    event.event_id,
    key,
    precedence.join(','),
    run_id,
    event.timestamp,
    String(Date.parse(event.timestamp)),
    event.execution_id ?? '',
    partition.channel,
    phaseOf(event),
    stateOf(event),
    event.type === 'execution_started' ? String(event.node_count) : '',
    repairs ? 'repair' : '',
    event.stream,
  );
}

function keysOf(event: UnnumberedEvent, partition: Partition): string[] {
  const { stream, execution_id, workflow_id, bot_id, strategy_id } = event;
  const { epoch, open, moved, none } = partition;
  const own = [
    ...[partition.stream(stream), partition.seen(stream), partition.snapshot(stream), partition.meta(stream)],
    ...[epoch, open],
  ];
  if (execution_id === undefined) return [...own, none, moved];
  return [
    ...own,
    workflow_id === undefined ? none : partition.workflowStatus(workflow_id),
    moved,
    partition.recent({ all: true }),
    ...(workflow_id === undefined ? [] : [partition.recent({ workflow_id })]),
    ...(bot_id === undefined ? [] : [partition.recent({ bot_id })]),
    ...(strategy_id === undefined ? [] : [partition.recent({ strategy_id })]),
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
