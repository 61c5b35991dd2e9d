/** Decides for each part where it runs: given from outside, taken over from a killed supervisor, or started on a port. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config';
import { HoldfastError } from '../errors';
import type { PartPlan } from './part';
import { choosePort, type PortWish } from './ports';
import { isRunning, terminate } from './process-identity';
import type { Progress } from './progress';
import type { Runs, StackPaths, StackRecord } from './record';
import { answersPostgresql, postgresqlPlan } from './postgresql-server';
import { answersRedis, obtainRedis, redisPlan } from './redis-server';
import { gatewayPlan, paperVenuePlan, workerPlan, type ServiceScripts } from './services';
import type { PartRequest } from './supervisor';
import { obtainTemporalCli } from './temporal-cli';
import { answersTemporal, temporalPlan } from './temporal-server';

export interface PlanContext {
  readonly config: Config;
  readonly paths: StackPaths;
  readonly progress: Progress;
  /** What a killed supervisor left behind. */
  readonly orphans: StackRecord | undefined;
  readonly ui: boolean;
  /** Ports promised to earlier parts of this start. */
  readonly promised: Set<number>;
}

export type TemporalRequest = PartRequest & { readonly address: string };
export type RedisRequest = PartRequest & { readonly url: string };
export type PostgresqlRequest = PartRequest & { readonly url: string };

const EXTERNAL_WITHIN_MS = 10_000;
const ORPHAN_GRACE_MS = 10_000;

/** Throws `TemporalUnavailable` when TEMPORAL_ADDRESS names a server that does not answer. */
export async function planTemporal(context: PlanContext): Promise<TemporalRequest> {
  const { config, paths, progress, orphans } = context;
  const { local_stack: local } = config;
  const { namespace } = config.temporal;
  if (local.temporal_address !== undefined) return externalTemporal(local.temporal_address, namespace, context);
  const orphan = orphans?.temporal;
  const port = await portFor(context, orphan && { runs: orphan.runs, port: portOf(orphan.address) }, {
    name: 'HOLDFAST_TEMPORAL_PORT',
    named: local.ports.temporal,
    usual: 7233,
  });
  const ui = await uiPort(context, port);
  const server = { port: port.port, ui_port: ui, namespace };
  const address = `127.0.0.1:${port.port}`;
  const ui_url = ui === undefined ? {} : { ui_url: `http://127.0.0.1:${ui}` };
  return {
    name: 'temporal',
    plan: temporalPlan(() => obtainTemporalCli(local, progress), server, paths),
    existing: port.keep,
    describe: (runs) => ({ temporal: { address, ...ui_url, runs } }),
    address,
  };
}

/** Throws `RedisUnavailable` when REDIS_URL names a server that does not answer. */
export async function planRedis(context: PlanContext): Promise<RedisRequest> {
  const { config, paths, progress, orphans } = context;
  const { local_stack: local } = config;
  if (local.redis_url !== undefined) return externalRedis(local.redis_url, context);
  const orphan = orphans?.redis;
  const { port, keep } = await portFor(
    context,
    orphan && { runs: orphan.runs, port: Number(new URL(orphan.url).port) },
    {
      name: 'HOLDFAST_REDIS_PORT',
      named: local.ports.redis,
      usual: 6379,
    },
  );
  const url = `redis://127.0.0.1:${port}`;
  const plan = redisPlan(() => obtainRedis(local, progress), port, paths);
  return { name: 'redis', plan, existing: keep, describe: (runs) => ({ redis: { url, runs } }), url };
}

/** Throws `JournalUnavailable` when DATABASE_URL names a server that does not answer. */
export async function planPostgresql(context: PlanContext): Promise<PostgresqlRequest> {
  const { config, paths, orphans } = context;
  const { local_stack: local } = config;
  if (local.database_url !== undefined) return externalPostgresql(local.database_url, context);
  const orphan = orphans?.postgresql;
  const { port, keep } = await portFor(
    context,
    orphan && { runs: orphan.runs, port: Number(new URL(orphan.url).port) },
    {
      name: 'HOLDFAST_POSTGRESQL_PORT',
      named: local.ports.postgresql,
      usual: 5433,
    },
  );
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  const plan = postgresqlPlan({ url, port, cache: local.cache }, paths);
  return { name: 'postgresql', plan, existing: keep, describe: (runs) => ({ postgresql: { url, runs } }), url };
}

export interface ServiceContext {
  readonly plan: PlanContext;
  readonly scripts: ServiceScripts;
  /** What all services are told of the stack. */
  readonly environment: Readonly<Record<string, string>>;
}

export function planWorker({ plan, scripts, environment }: ServiceContext): PartRequest {
  const part = workerPlan({ script: scripts.worker, environment, paths: plan.paths });
  return { name: 'worker', plan: part, existing: undefined, describe: (runs) => ({ worker: { runs } }) };
}

export function planGateway({ plan, scripts, environment }: ServiceContext, port: number): PartRequest {
  const { host } = plan.config.gateway;
  const url = `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`;
  const settings = { ...environment, HOLDFAST_GATEWAY_PORT: String(port) };
  const part = gatewayPlan({ script: scripts.gateway, environment: settings, paths: plan.paths }, url);
  return { name: 'gateway', plan: part, existing: undefined, describe: (runs) => ({ gateway: { url, runs } }) };
}

/** Its books are in the stack's home; `environment` says where that is. Its key is known to all, so it listens on loopback whatever was asked. */
export function planPaperVenue({ plan, scripts, environment }: ServiceContext, url: string): PartRequest {
  const { hostname, port } = new URL(url);
  const settings = { ...environment, HOLDFAST_PAPER_VENUE_HOST: hostname, HOLDFAST_PAPER_VENUE_PORT: port };
  const part = paperVenuePlan({ script: scripts.paper_venue, environment: settings, paths: plan.paths }, url);
  return { name: 'paper_venue', plan: part, existing: undefined, describe: (runs) => ({ paper_venue: { url, runs } }) };
}

export interface ServicePlaces {
  readonly gateway_port: number;
  readonly paper_venue_url: string;
}

/** Chosen before anything is started, so that a taken port leaves nothing half-started. */
export async function planServicePlaces({ config, orphans, promised }: PlanContext): Promise<ServicePlaces> {
  const { ports } = config.local_stack;
  const choose = async (name: string, named: number | undefined, usual: number) =>
    promise(promised, await choosePort({ name, named, usual }, promised));
  const gateway_port = await choose('HOLDFAST_GATEWAY_PORT', ports.gateway, portOfUrl(orphans?.gateway?.url) ?? 8001);
  const last = portOfUrl(orphans?.paper_venue?.url) ?? 8002;
  const port = await choose('HOLDFAST_PAPER_VENUE_PORT', ports.paper_venue, last);
  return { gateway_port, paper_venue_url: `http://127.0.0.1:${port}` };
}

function portOfUrl(url: string | undefined): number | undefined {
  return url === undefined ? undefined : Number(new URL(url).port);
}

/** Where an orphan runs, or the port for a new one: the orphan's own when it is free, so that addresses stay. 0 means any. */
async function portFor(
  { promised }: PlanContext,
  orphan: { readonly runs: Runs; readonly port: number } | undefined,
  wish: PortWish,
): Promise<{ port: number; keep: Runs | undefined }> {
  const named = wish.named === 0 && orphan !== undefined ? undefined : wish.named;
  if (orphan !== undefined && (await isAlive(orphan.runs))) {
    if (named === undefined || named === orphan.port) {
      return { port: promise(promised, orphan.port), keep: orphan.runs };
    }
    if (orphan.runs.as === 'process') await terminate(orphan.runs, ORPHAN_GRACE_MS);
  }
  const usual = orphan?.port ?? wish.usual;
  return { port: promise(promised, await choosePort({ name: wish.name, named, usual }, promised)), keep: undefined };
}

/** What ran elsewhere is no orphan of ours. */
async function isAlive(runs: Runs): Promise<boolean> {
  return runs.as === 'process' ? isRunning(runs) : runs.as === 'container';
}

async function uiPort(context: PlanContext, server: { port: number; keep: Runs | undefined }) {
  if (!context.ui) return undefined;
  const recorded = context.orphans?.temporal?.ui_url;
  if (server.keep !== undefined) return recorded === undefined ? undefined : Number(new URL(recorded).port);
  const named = context.config.local_stack.ports.temporal_ui;
  const wish = { name: 'HOLDFAST_TEMPORAL_UI_PORT', named, usual: 8233 };
  return promise(context.promised, await choosePort(wish, context.promised));
}

async function externalTemporal(address: string, namespace: string, context: PlanContext): Promise<TemporalRequest> {
  const isReady = () => answersTemporal(address, namespace);
  if (!(await answersWithin(EXTERNAL_WITHIN_MS, isReady))) {
    const message = `TEMPORAL_ADDRESS is ${address}, but no Temporal with the namespace ${namespace} answers there.`;
    throw new HoldfastError('TemporalUnavailable', message, { address, namespace });
  }
  const plan = external('Temporal', context.paths, isReady);
  return { name: 'temporal', plan, existing: EXTERNAL, describe: (runs) => ({ temporal: { address, runs } }), address };
}

async function externalRedis(url: string, context: PlanContext): Promise<RedisRequest> {
  const isReady = () => answersRedis(url);
  if (!(await answersWithin(EXTERNAL_WITHIN_MS, isReady))) {
    throw new HoldfastError('RedisUnavailable', 'REDIS_URL is set, but no Redis answers there.');
  }
  const plan = external('Redis', context.paths, isReady);
  return { name: 'redis', plan, existing: EXTERNAL, describe: (runs) => ({ redis: { url, runs } }), url };
}

async function externalPostgresql(url: string, context: PlanContext): Promise<PostgresqlRequest> {
  const isReady = () => answersPostgresql(url);
  if (!(await answersWithin(EXTERNAL_WITHIN_MS, isReady))) {
    throw new HoldfastError('JournalUnavailable', 'DATABASE_URL is set, but no PostgreSQL answers there.');
  }
  const plan = external('PostgreSQL', context.paths, isReady);
  return { name: 'postgresql', plan, existing: EXTERNAL, describe: (runs) => ({ postgresql: { url, runs } }), url };
}

const EXTERNAL: Runs = { as: 'external' };

function external(name: string, paths: StackPaths, isReady: () => Promise<boolean>): PartPlan {
  const launch = () => Promise.resolve({ runs: EXTERNAL, exited: new Promise<void>(() => undefined) });
  return { name, log: paths.logs, ready_within_ms: EXTERNAL_WITHIN_MS, stop_within_ms: 0, launch, isReady };
}

async function answersWithin(within_ms: number, probe: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + within_ms;
  for (;;) {
    if (await probe().catch(() => false)) return true;
    if (Date.now() >= deadline) return false;
    await delay(200);
  }
}

function promise(promised: Set<number>, port: number): number {
  promised.add(port);
  return port;
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
