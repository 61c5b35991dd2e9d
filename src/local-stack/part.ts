/** One part of the stack, Temporal, Redis, PostgreSQL, worker, gateway or paper venue, from its start to its end. */
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { HoldfastError, unreachable } from '../errors';
import { isRunning, terminate } from './process-identity';
import { lastLines, run, watch, type StartedProcess } from './programs';
import type { Runs } from './record';

/** What it takes to run a part. */
export interface PartPlan {
  readonly name: string;
  readonly log: string;
  /** How long it may take until `isReady`. */
  readonly ready_within_ms: number;
  /** How long it may take to end when asked to, before it is killed. */
  readonly stop_within_ms: number;
  /** Starts it. Not called for a part that runs elsewhere. */
  readonly launch: () => Promise<Running>;
  /** One probe; an error counts as no. */
  readonly isReady: () => Promise<boolean>;
}

export interface Running {
  readonly runs: Runs;
  /** Resolves when it has ended; never for what runs elsewhere. */
  readonly exited: Promise<void>;
}

const PROBE_EVERY_MS = 50;
/** Temporal takes some ports by itself, and another program may be faster: what ended by itself is launched again. */
const LAUNCHES = 3;
const never = new Promise<void>(() => undefined);

export function asProcess(started: StartedProcess): Running {
  return { runs: { as: 'process', ...started.identity }, exited: started.exited };
}

/** Takes a part over as the record has it; nothing when it no longer runs. */
export async function adopt(runs: Runs): Promise<Running | undefined> {
  switch (runs.as) {
    case 'external':
    case 'container':
      return { runs, exited: never };
    case 'process':
      return (await isRunning(runs)) ? { runs, exited: watch(runs).exited } : undefined;
    default:
      return unreachable(runs);
  }
}

/**
 * Keeps what runs when it is healthy, else starts it anew and tells `launched` before it waits. What ends by itself before it is ready
 * is started again, twice at most. Throws `StackUnhealthy` with the end of its log.
 */
export async function bringUp(
  plan: PartPlan,
  existing: Running | undefined,
  launched: (running: Running) => Promise<void>,
): Promise<Running> {
  if (existing !== undefined) {
    if ((await readiness(plan, existing)) === 'ready') return existing;
    await end(plan, existing, plan.stop_within_ms);
  }
  for (let launches = 1; ; launches += 1) {
    const running = await plan.launch();
    await launched(running);
    const found = await readiness(plan, running);
    if (found === 'ready') return running;
    await end(plan, running, 0);
    if (found === 'late' || launches === LAUNCHES) throw await unhealthy(plan, found);
  }
}

async function unhealthy(plan: PartPlan, found: 'ended' | 'late'): Promise<HoldfastError> {
  const log = await readFile(plan.log, 'utf8').catch(() => '');
  const what =
    found === 'ended'
      ? `ended by itself before it was ready, ${LAUNCHES} times`
      : `did not come up within ${plan.ready_within_ms / 1000} s`;
  const message = `${plan.name} ${what}. Its log (${plan.log}) ends:\n${lastLines(log, 8)}`;
  return new HoldfastError('StackUnhealthy', message, { part: plan.name, log: plan.log });
}

export async function end(plan: PartPlan, running: Running, grace_ms: number): Promise<void> {
  const { runs } = running;
  switch (runs.as) {
    case 'external':
      return;
    case 'container':
      await run('docker', ['rm', '--force', runs.id], { timeout_ms: 30_000 });
      return;
    case 'process':
      await terminate(runs, Math.min(grace_ms, plan.stop_within_ms));
      return;
    default:
      unreachable(runs);
  }
}

async function readiness(plan: PartPlan, running: Running): Promise<'ready' | 'ended' | 'late'> {
  const deadline = Date.now() + plan.ready_within_ms;
  const watched = { ended: false };
  void running.exited.then(() => (watched.ended = true));
  while (Date.now() < deadline) {
    if (watched.ended) return 'ended';
    if (await plan.isReady().catch(() => false)) return 'ready';
    await delay(PROBE_EVERY_MS);
  }
  return 'late';
}
