/** The one reader of the environment. Every mistake is reported at once; profiles only choose defaults. */
import { isIP } from 'node:net';
import { availableParallelism, homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { z } from 'zod';
import { HoldfastError } from '../errors';
import type { BreakerSettingsGiven } from '../resilience/breakers';
import { circuitBreakersSchema } from './circuit-breakers';
import { readVenues, type VenueConfig } from './venues';
import { workerServesSchema, type WorkerRole } from './worker-serves';

export type Profile = 'development' | 'staging' | 'production';

export interface Config {
  readonly profile: Profile;
  readonly temporal: {
    /** host:port of the frontend. */
    readonly address: string;
    readonly namespace: string;
    readonly task_queue: string;
    readonly desk_task_queue: string;
  };
  readonly redis: {
    readonly url: string;
    /** Of a user who may only read, for the gateway's reads; by default the same. */
    readonly reader_url: string;
    /** Of the event log; the same for all workers and gateways of one Redis. */
    readonly event_partitions: number;
  };
  /** PostgreSQL, for what people ask about later. */
  readonly journal: { readonly url: string };
  readonly emergency: {
    /** At least 32 characters, the same for all that close gates and all that have one; the local stack makes its own. */
    readonly closing_key: string | undefined;
  };
  readonly gateway: {
    readonly host: string;
    readonly port: number;
    /** At least 32 bytes; absent means no token is accepted. */
    readonly jwt_secret: string | undefined;
    /** Origins a browser may come from besides the gateway's own. */
    readonly allowed_origins: readonly string[];
    /** Where people find Temporal's Web UI; absent where there is none to link to. */
    readonly temporal_ui_url: string | undefined;
    /** Clients that are connected at once, all together and from one address. */
    readonly limits: { readonly clients: number; readonly clients_per_address: number };
  };
  readonly paper_venue: {
    readonly host: string;
    readonly port: number;
    /** Allows a host that other machines reach. */
    readonly open_to_network: boolean;
  };
  readonly worker: {
    /** What it takes work of; at least one. */
    readonly serves: ReadonlySet<WorkerRole>;
    readonly max_concurrent_activities: number;
    /** Of executions; the desk has its own. */
    readonly max_concurrent_workflow_tasks: number;
    /** How long a workflow task waits for the worker that has the execution cached; longer outside development. */
    readonly sticky_timeout_ms: number;
    /** Publish node events. */
    readonly events: boolean;
    /** The Worker Deployment Version this process belongs to (docs/OPERATIONS.md); absent means unversioned. */
    readonly deployment: { readonly name: string; readonly build_id: string } | undefined;
    /** By resource; `default` for all others. What is not given is as `breakerDefaults` has it. */
    readonly circuit_breakers: BreakerSettingsGiven;
    /** IP address and port Prometheus may scrape; absent means nowhere. */
    readonly metrics_address: string | undefined;
  };
  readonly tracing: {
    /** Of an OpenTelemetry collector, for OTLP over HTTP; absent means that nothing is traced. */
    readonly endpoint: string | undefined;
  };
  /** Where workers keep large outputs. */
  readonly blobs: {
    /** Shared by all workers of a task queue. */
    readonly directory: string;
    /** How long one that nobody reads is kept; 0 means for ever. */
    readonly retention_days: number;
  };
  /** Modules of own node kinds, by full path. */
  readonly nodes: readonly string[];
  readonly venues: VenueConfig;
  /** How much faster than the wall clock recorded markets pass. */
  readonly replay_speed: number;
  readonly log: { readonly level: string; readonly pretty: boolean };
  /** Where the local stack keeps its files. */
  readonly home: string;
  readonly local_stack: LocalStackConfig;
}

/** What the environment says about the local stack; a value is set only when it was given by name. */
export interface LocalStackConfig {
  /** host:port of a server that runs already; none is started then. */
  readonly temporal_address: string | undefined;
  readonly redis_url: string | undefined;
  readonly database_url: string | undefined;
  /** The Temporal command line to use, and no other. */
  readonly temporal_cli: string | undefined;
  /** Where the release archives of the Temporal command line are. */
  readonly temporal_download_url: string;
  /** 0 means any free port; nothing means the usual one, or any free one when that is taken. */
  readonly ports: Readonly<
    Record<'temporal' | 'temporal_ui' | 'redis' | 'postgresql' | 'gateway' | 'paper_venue', number | undefined>
  >;
  /** Programs that were fetched or built are kept here. */
  readonly cache: string;
  /** The folders of PATH. */
  readonly search_path: readonly string[];
}

const port = z.coerce.number().int().min(0).max(65_535);
/** What the SDK's exporter can bind: it resolves no names. */
const socketAddress = z.string().refine((text) => {
  const [, ip = '', number] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(text) ?? [];
  return isIP(ip) !== 0 && Number(number) <= 65_535;
}, 'must be an IP address and a port, such as 127.0.0.1:9464');
const clients = z.coerce.number().int().min(1).max(100_000);
const flag = z.enum(['0', '1', 'true', 'false']).transform((text) => text === '1' || text === 'true');

/** Temporal joins the two with a dot or a colon, by version. */
const deploymentWord = z
  .string()
  .regex(/^[A-Za-z0-9][\w-]*$/, 'must be letters, digits, _ and -')
  .max(200);

/** Else the password would be taken for a host, and told to everybody as one that cannot be found. */
function isAddress(text: string): boolean {
  return URL.canParse(text) && !new URL(text).pathname.includes('@');
}
const NO_ADDRESS = 'is no address; a password in it is percent-encoded';
const redisUrl = z
  .string()
  .regex(/^(redis|rediss|unix):\/\//, 'must start with redis:// or rediss://')
  .refine(isAddress, NO_ADDRESS);

const environmentSchema = z.object({
  HOLDFAST_PROFILE: z.enum(['development', 'staging', 'production']).default('development'),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s/]+:\d+$/, 'must be host:port')
    .default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  HOLDFAST_TASK_QUEUE: z.string().min(1).default('holdfast'),
  HOLDFAST_DESK_TASK_QUEUE: z.string().min(1).default('holdfast-desk'),
  REDIS_URL: redisUrl.default('redis://127.0.0.1:6379'),
  HOLDFAST_REDIS_READER_URL: redisUrl.optional(),
  HOLDFAST_EVENT_PARTITIONS: z.coerce.number().int().min(1).max(64).default(1),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must start with postgresql://')
    .refine(isAddress, NO_ADDRESS)
    .default('postgresql://postgres@127.0.0.1:5433/postgres'),
  HOLDFAST_GATEWAY_HOST: z.string().min(1).default('127.0.0.1'),
  HOLDFAST_GATEWAY_PORT: port.default(8001),
  HOLDFAST_PAPER_VENUE_HOST: z.string().min(1).default('127.0.0.1'),
  HOLDFAST_PAPER_VENUE_PORT: port.default(8002),
  HOLDFAST_PAPER_VENUE_OPEN: flag.default(false),
  HOLDFAST_JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  HOLDFAST_CLOSING_KEY: z.string().min(32, 'must have at least 32 characters').optional(),
  HOLDFAST_ALLOWED_ORIGINS: z.string().default(''),
  HOLDFAST_TEMPORAL_UI_URL: z.url({ protocol: /^https?$/ }).optional(),
  HOLDFAST_MAX_CLIENTS: clients.default(1_000),
  HOLDFAST_MAX_CLIENTS_PER_ADDRESS: clients.default(200),
  HOLDFAST_WORKER_SERVES: workerServesSchema,
  HOLDFAST_MAX_CONCURRENT_ACTIVITIES: z.coerce.number().int().min(1).max(1000).default(100),
  HOLDFAST_MAX_CONCURRENT_WORKFLOW_TASKS: z.coerce.number().int().min(2).max(1000).optional(),
  HOLDFAST_EVENTS: flag.default(true),
  HOLDFAST_DEPLOYMENT_NAME: deploymentWord.optional(),
  HOLDFAST_BUILD_ID: deploymentWord.optional(),
  HOLDFAST_CIRCUIT_BREAKERS: circuitBreakersSchema.default({}),
  HOLDFAST_METRICS_ADDRESS: socketAddress.optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .string()
    .regex(/^(https?:\/\/\S+)?$/, 'must start with http:// or https://')
    .transform((text) => (text === '' ? undefined : text))
    .optional(),
  HOLDFAST_BLOB_DIRECTORY: z.string().min(1).optional(),
  HOLDFAST_BLOB_RETENTION_DAYS: z.coerce.number().int().min(0).max(36_500).default(30),
  HOLDFAST_NODES: z.string().default(''),
  HOLDFAST_ALLOW_LIVE: flag.default(false),
  HOLDFAST_REPLAY_SPEED: z.coerce.number().min(0.001).max(10_000).default(60),
  HOLDFAST_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  HOLDFAST_LOG_PRETTY: flag.default(false),
  HOLDFAST_HOME: z.string().min(1).default('.holdfast'),
  HOLDFAST_TEMPORAL_CLI: z.string().optional(),
  HOLDFAST_TEMPORAL_DOWNLOAD_URL: z.url().default('https://temporal.download/cli/archive'),
  HOLDFAST_TEMPORAL_PORT: port.optional(),
  HOLDFAST_TEMPORAL_UI_PORT: port.optional(),
  HOLDFAST_REDIS_PORT: port.optional(),
  HOLDFAST_POSTGRESQL_PORT: port.optional(),
  XDG_CACHE_HOME: z.string().default(() => join(homedir(), '.cache')),
  PATH: z.string().default(''),
});
type Environment = z.infer<typeof environmentSchema>;

/** Reads the configuration. Throws `ConfigurationInvalid` naming every variable that is wrong. */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.refine(namesBoth, ONLY_TOGETHER).safeParse(given);
  const { profiles, mistakes: wrongVenues } = readVenues(given);
  const issues = parsed.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`) ?? [];
  const mistakes = [...issues, ...wrongVenues];
  if (!parsed.success || mistakes.length > 0) {
    throw new HoldfastError('ConfigurationInvalid', `The environment is not usable:\n  ${mistakes.join('\n  ')}`, {
      mistakes,
    });
  }
  const env = parsed.data;
  return {
    profile: env.HOLDFAST_PROFILE,
    temporal: {
      address: env.TEMPORAL_ADDRESS,
      namespace: env.TEMPORAL_NAMESPACE,
      task_queue: env.HOLDFAST_TASK_QUEUE,
      desk_task_queue: env.HOLDFAST_DESK_TASK_QUEUE,
    },
    redis: redisOf(env),
    journal: { url: env.DATABASE_URL },
    emergency: { closing_key: env.HOLDFAST_CLOSING_KEY },
    gateway: gatewayOf(env),
    paper_venue: paperVenueOf(env),
    worker: {
      serves: env.HOLDFAST_WORKER_SERVES,
      max_concurrent_activities: env.HOLDFAST_MAX_CONCURRENT_ACTIVITIES,
      // A processor has little more to do than two of them; what waits meanwhile waits where it takes no time from the desk's.
      max_concurrent_workflow_tasks: env.HOLDFAST_MAX_CONCURRENT_WORKFLOW_TASKS ?? 2 * availableParallelism(),
      sticky_timeout_ms: env.HOLDFAST_PROFILE === 'development' ? 2_000 : 5_000,
      events: env.HOLDFAST_EVENTS,
      deployment: deploymentOf(env),
      circuit_breakers: env.HOLDFAST_CIRCUIT_BREAKERS,
      metrics_address: env.HOLDFAST_METRICS_ADDRESS,
    },
    tracing: { endpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT },
    blobs: {
      directory: env.HOLDFAST_BLOB_DIRECTORY ?? join(env.HOLDFAST_HOME, 'blobs'),
      retention_days: env.HOLDFAST_BLOB_RETENTION_DAYS,
    },
    nodes: listOf(env.HOLDFAST_NODES).map((module) => resolve(module)),
    venues: { profiles, allow_live: env.HOLDFAST_ALLOW_LIVE },
    replay_speed: env.HOLDFAST_REPLAY_SPEED,
    log: { level: env.HOLDFAST_LOG_LEVEL, pretty: env.HOLDFAST_LOG_PRETTY },
    home: env.HOLDFAST_HOME,
    local_stack: localStackConfig(env, new Set(Object.keys(given))),
  };
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((each) => each.trim())
    .filter(Boolean);
}

const ONLY_TOGETHER = { path: ['HOLDFAST_BUILD_ID'], message: 'is of use only together with HOLDFAST_DEPLOYMENT_NAME' };

function namesBoth(env: Environment): boolean {
  return (env.HOLDFAST_DEPLOYMENT_NAME === undefined) === (env.HOLDFAST_BUILD_ID === undefined);
}

function deploymentOf({ HOLDFAST_DEPLOYMENT_NAME: name, HOLDFAST_BUILD_ID: build_id }: Environment) {
  return name === undefined || build_id === undefined ? undefined : { name, build_id };
}

function redisOf({
  REDIS_URL: url,
  HOLDFAST_REDIS_READER_URL: reader_url = url,
  ...env
}: Environment): Config['redis'] {
  return { url, reader_url, event_partitions: env.HOLDFAST_EVENT_PARTITIONS };
}

function gatewayOf(env: Environment): Config['gateway'] {
  return {
    host: env.HOLDFAST_GATEWAY_HOST,
    port: env.HOLDFAST_GATEWAY_PORT,
    jwt_secret: env.HOLDFAST_JWT_SECRET,
    allowed_origins: listOf(env.HOLDFAST_ALLOWED_ORIGINS),
    temporal_ui_url: env.HOLDFAST_TEMPORAL_UI_URL,
    limits: {
      clients: env.HOLDFAST_MAX_CLIENTS,
      clients_per_address: env.HOLDFAST_MAX_CLIENTS_PER_ADDRESS,
    },
  };
}

function paperVenueOf(env: Environment): Config['paper_venue'] {
  return {
    host: env.HOLDFAST_PAPER_VENUE_HOST,
    port: env.HOLDFAST_PAPER_VENUE_PORT,
    open_to_network: env.HOLDFAST_PAPER_VENUE_OPEN,
  };
}

function localStackConfig(env: Environment, given: ReadonlySet<string>): LocalStackConfig {
  return {
    temporal_address: given.has('TEMPORAL_ADDRESS') ? env.TEMPORAL_ADDRESS : undefined,
    redis_url: given.has('REDIS_URL') ? env.REDIS_URL : undefined,
    database_url: given.has('DATABASE_URL') ? env.DATABASE_URL : undefined,
    temporal_cli: env.HOLDFAST_TEMPORAL_CLI,
    temporal_download_url: env.HOLDFAST_TEMPORAL_DOWNLOAD_URL,
    ports: {
      temporal: env.HOLDFAST_TEMPORAL_PORT,
      temporal_ui: env.HOLDFAST_TEMPORAL_UI_PORT,
      redis: env.HOLDFAST_REDIS_PORT,
      postgresql: env.HOLDFAST_POSTGRESQL_PORT,
      gateway: given.has('HOLDFAST_GATEWAY_PORT') ? env.HOLDFAST_GATEWAY_PORT : undefined,
      paper_venue: given.has('HOLDFAST_PAPER_VENUE_PORT') ? env.HOLDFAST_PAPER_VENUE_PORT : undefined,
    },
    cache: join(env.XDG_CACHE_HOME, 'holdfast'),
    search_path: env.PATH.split(delimiter).filter(Boolean),
  };
}

/** The environment a child process gets: this one's, and `extra` over it. */
export function childEnvironment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...extra };
}
