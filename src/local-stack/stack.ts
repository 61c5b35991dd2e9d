/** The local stack: Temporal, Redis, PostgreSQL and, when asked for, worker, gateway and paper venue, started once per home and shared. */
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config';
import { HoldfastError } from '../errors';
import { withLock } from './lock';
import { isRunning, ownIdentity, terminate } from './process-identity';
import { silentProgress, type Progress } from './progress';
import { readClosingKey, readRecord, readSecret, stackPaths, type StackPaths, type StackRecord } from './record';
import { answersPostgresql } from './postgresql-server';
import { answersRedis } from './redis-server';
import {
  planGateway,
  planPaperVenue,
  planPostgresql,
  planRedis,
  planServicePlaces,
  planTemporal,
  planWorker,
} from './plans';
import { answersReady, type ServiceScripts } from './services';
import { Supervisor, type PartRequest } from './supervisor';
import { answersTemporal } from './temporal-server';

export interface StackOptions {
  /** `config.home` says which stack: one per home. */
  readonly config: Config;
  readonly progress?: Progress;
  /** Start Temporal's Web UI too. Default true. */
  readonly ui?: boolean;
  /** Start these as well; without them the servers alone. */
  readonly services?: ServiceScripts;
  /** Aborted when the start is no longer wanted: what was started is stopped and `startStack` throws. */
  readonly signal?: AbortSignal;
}

export interface Stack {
  /** host:port */
  readonly temporal_address: string;
  readonly temporal_ui_url: string | undefined;
  readonly redis_url: string;
  readonly database_url: string;
  readonly gateway_url: string | undefined;
  readonly paper_venue_url: string | undefined;
  /** What gateway tokens are signed with. */
  readonly jwt_secret: string;
  /** What closings of the emergency desk are signed with. */
  readonly closing_key: string;
  /** True when another process looks after this stack; `stop` then does nothing. */
  readonly attached: boolean;
  /** Stops what this stack started and nothing else. `graceful: false` kills, also while a graceful stop is under way. */
  stop(options?: { readonly graceful?: boolean }): Promise<void>;
}

/** Another start may be building Temporal meanwhile. */
const LOCK_WITHIN_MS = 15 * 60_000;
const ATTACH_WITHIN_MS = 30_000;
/** More than all parts together may take to end before they are killed. */
const STOPPED_WITHIN_MS = 120_000;
const POLL_MS = 100;
const ORPHAN_GRACE_MS = 5_000;

/**
 * Starts the stack of `config.home`, or joins the one that runs there, or takes over what a killed one left behind.
 * Throws `PortTaken`, `TemporalUnavailable`, `RedisUnavailable`, `JournalUnavailable` or `StackUnhealthy`; nothing it started is
 * left then.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const paths = stackPaths(options.config.home);
  return withLock(paths.locks, LOCK_WITHIN_MS, async () => {
    const record = await settledRecord(paths, options.progress ?? silentProgress);
    if (record !== undefined && (await isRunning(record.supervisor))) return attach(record, paths, options);
    return supervise(record, paths, options);
  });
}

/** The record, once nobody is stopping the stack it tells of. */
async function settledRecord(paths: StackPaths, progress: Progress): Promise<StackRecord | undefined> {
  const deadline = Date.now() + STOPPED_WITHIN_MS;
  for (let waited = false; ; waited = true) {
    const record = await readRecord(paths);
    if (record?.stopping !== true || !(await isRunning(record.supervisor))) return record;
    const whose = `The stack in ${paths.home} is being stopped by pid ${record.supervisor.pid}`;
    if (Date.now() >= deadline) throw new HoldfastError('StackUnhealthy', `${whose}, which does not end.`);
    if (!waited) progress.say(`${whose}; waiting for its end`);
    await delay(POLL_MS);
  }
}

async function attach(record: StackRecord, paths: StackPaths, { config }: StackOptions): Promise<Stack> {
  const deadline = Date.now() + ATTACH_WITHIN_MS;
  for (;;) {
    const sick = await firstSickPart(record, config.temporal.namespace);
    if (sick === undefined) break;
    if (Date.now() >= deadline) {
      const where = `The stack in ${paths.home} runs under pid ${record.supervisor.pid}`;
      throw new HoldfastError('StackUnhealthy', `${where}, but its ${sick} does not answer.`, { part: sick });
    }
    await delay(500);
  }
  return { ...(await describe(record, paths, config)), attached: true, stop: () => Promise.resolve() };
}

/** The first part that is missing or does not answer. */
export async function firstSickPart(record: StackRecord, namespace: string): Promise<string | undefined> {
  const { temporal, redis, postgresql, gateway, paper_venue } = record;
  const healthy = (answer: Promise<boolean>) => answer.catch(() => false);
  if (temporal === undefined || !(await healthy(answersTemporal(temporal.address, namespace)))) return 'Temporal';
  if (redis === undefined || !(await healthy(answersRedis(redis.url)))) return 'Redis';
  if (postgresql === undefined || !(await healthy(answersPostgresql(postgresql.url)))) return 'PostgreSQL';
  const services = [
    ['gateway', gateway],
    ['paper venue', paper_venue],
  ] as const;
  for (const [name, service] of services) {
    if (service !== undefined && !(await healthy(answersReady(service.url)))) return name;
  }
  return undefined;
}

async function supervise(orphans: StackRecord | undefined, paths: StackPaths, options: StackOptions): Promise<Stack> {
  const { config, services } = options;
  const progress = options.progress ?? silentProgress;
  await endOrphanedServices(orphans);
  const context = { config, paths, progress, orphans, ui: options.ui ?? true, promised: new Set<number>() };
  const places = services === undefined ? undefined : await planServicePlaces(context);
  const temporal = await planTemporal(context);
  const redis = await planRedis(context);
  const postgresql = await planPostgresql(context);
  const supervisor = new Supervisor(paths, progress, { version: 1, supervisor: await ownIdentity() });
  options.signal?.addEventListener('abort', () => void supervisor.stop(true), { once: true });
  try {
    options.signal?.throwIfAborted();
    await addAll(supervisor, progress, [temporal, redis, postgresql]);
    if (services !== undefined && places !== undefined) {
      const { gateway_port, paper_venue_url } = places;
      const environment = await serviceEnvironment(config, supervisor.record, paths);
      const service = { plan: context, scripts: services, environment };
      const trading = { ...service, environment: { ...environment, HOLDFAST_PAPER_VENUE_URL: paper_venue_url } };
      const requests = [
        planPaperVenue(service, paper_venue_url),
        planWorker(trading),
        planGateway(service, gateway_port),
      ];
      await addAll(supervisor, progress, requests);
    }
  } catch (error) {
    await supervisor.stop(true);
    throw error;
  }
  const stop = (how: { readonly graceful?: boolean } = {}) => supervisor.stop(how.graceful ?? true);
  return { ...(await describe(supervisor.record, paths, config)), attached: false, stop };
}

/** All at once; when one fails, the others are awaited before the error is passed on, so that all can be stopped. */
async function addAll(supervisor: Supervisor, progress: Progress, requests: readonly PartRequest[]): Promise<void> {
  const added = await Promise.allSettled(
    requests.map((request) => progress.step(request.plan.name, () => supervisor.add(request))),
  );
  const failed = added.find((each) => each.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function serviceEnvironment(config: Config, record: StackRecord, paths: StackPaths) {
  const stack = await describe(record, paths, config);
  const { temporal_address, redis_url, database_url, jwt_secret, closing_key } = stack;
  const ui_url = config.gateway.temporal_ui_url ?? stack.temporal_ui_url;
  return {
    TEMPORAL_ADDRESS: temporal_address,
    TEMPORAL_NAMESPACE: config.temporal.namespace,
    REDIS_URL: redis_url,
    DATABASE_URL: database_url,
    HOLDFAST_JWT_SECRET: jwt_secret,
    HOLDFAST_CLOSING_KEY: closing_key,
    HOLDFAST_HOME: paths.home,
    HOLDFAST_BLOB_DIRECTORY: resolve(config.blobs.directory),
    HOLDFAST_NODES: config.nodes.join(','),
    ...(ui_url === undefined ? {} : { HOLDFAST_TEMPORAL_UI_URL: ui_url }),
  };
}

async function describe(record: StackRecord, paths: StackPaths, config: Config) {
  const { temporal, redis, postgresql, gateway, paper_venue } = record;
  if (temporal === undefined || redis === undefined || postgresql === undefined) {
    throw new HoldfastError('Unexpected', 'a stack without servers');
  }
  return {
    temporal_address: temporal.address,
    temporal_ui_url: temporal.ui_url,
    redis_url: redis.url,
    database_url: postgresql.url,
    gateway_url: gateway?.url,
    paper_venue_url: paper_venue?.url,
    jwt_secret: config.gateway.jwt_secret ?? (await readSecret(paths)),
    closing_key: config.emergency.closing_key ?? (await readClosingKey(paths)),
  };
}

async function endOrphanedServices(orphans: StackRecord | undefined): Promise<void> {
  for (const runs of [orphans?.gateway, orphans?.worker, orphans?.paper_venue].map((part) => part?.runs)) {
    if (runs?.as === 'process') await terminate(runs, ORPHAN_GRACE_MS);
  }
}
