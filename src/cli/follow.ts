/**
 * Follows one execution to its end. Events only colour the way: that it ended, and how, is what Temporal says of it, so a
 * gateway or Redis that is down or slow can neither end a follow early nor keep it waiting.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { HoldfastError } from '../errors';
import type { ExecutionDescription, HoldfastClient } from '../temporal-client/holdfast-client';
import { openFeed, type Feed } from './feed';
import type { Ui } from './io';
import { progressOf, type Progress } from './progress';
import { until } from './until';
import type { Whereabouts } from './where';

export type Closing = NonNullable<ExecutionDescription['closing']>;

export interface FollowOptions {
  readonly client: HoldfastClient;
  readonly where: Whereabouts;
  readonly ui: Ui;
  /** Aborted when the reader has seen enough. */
  readonly signal: AbortSignal;
}

const POLL_MS = 200;
/** How long the last events may take after Temporal says the execution is closed. */
const LAST_EVENTS_MS = 2_000;
/** How long Temporal may be away before following ends with an error; its restart takes 2 s. */
const PATIENCE_MS = 30_000;

/** How it ended, or undefined when the reader left first. */
export async function follow(executionId: string, options: FollowOptions): Promise<Closing | undefined> {
  const progress = progressOf(options.ui);
  const feed = await openFeed(options.where, executionId, progress.event);
  if (!feed) options.ui.note('No gateway answers, so states are read from Temporal.');
  try {
    return await watch(executionId, { ...options, feed, progress });
  } finally {
    feed?.close();
  }
}

interface Watch extends FollowOptions {
  readonly feed: Feed | undefined;
  readonly progress: Progress;
}

async function watch(executionId: string, watching: Watch): Promise<Closing | undefined> {
  const { client, progress, feed, signal } = watching;
  const reading = patient(watching.ui);
  while (!signal.aborted) {
    const closing = await reading(async () => {
      const { closing } = await client.describeExecution(executionId);
      if (feed?.live() !== true) progress.snapshot(await client.executionStatus(executionId));
      return closing;
    });
    if (closing) {
      await lastWords(executionId, watching);
      return closing;
    }
    await pause(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

async function lastWords(executionId: string, { client, progress, feed }: Watch): Promise<void> {
  const told = await until(LAST_EVENTS_MS, () =>
    Promise.resolve(progress.ended() || feed?.live() !== true ? true : undefined),
  );
  if (told === true && progress.ended()) return;
  const status = await client.executionStatus(executionId).catch(() => undefined);
  if (status) progress.snapshot(status);
}

/** Bears with services that are being restarted, and says so once each time. */
function patient(ui: Ui): <T>(read: () => Promise<T>) => Promise<T | undefined> {
  let lostAt: number | undefined;
  return async (read) => {
    try {
      const answer = await read();
      lostAt = undefined;
      return answer;
    } catch (error) {
      if (!(error instanceof HoldfastError) || !['TemporalUnavailable', 'WorkerUnavailable'].includes(error.code))
        throw error;
      if (lostAt === undefined) ui.note(`${error.message} Still following.`);
      lostAt ??= performance.now();
      if (error.code === 'TemporalUnavailable' && performance.now() - lostAt > PATIENCE_MS) throw error;
      return undefined;
    }
  };
}
