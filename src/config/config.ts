/** The one reader of the environment. Every mistake is reported at once; profiles only choose defaults. */
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { HoldfastError } from '../errors';

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
  readonly redis: { readonly url: string };
  readonly gateway: {
    readonly host: string;
    readonly port: number;
    /** At least 32 bytes; absent means no token is accepted. */
    readonly jwt_secret: string | undefined;
    /** Origins a browser may come from besides the gateway's own. */
    readonly allowed_origins: readonly string[];
  };
  readonly worker: {
    readonly max_concurrent_activities: number;
    /** How long a workflow task waits for the worker that has the execution cached; longer outside development. */
    readonly sticky_timeout_ms: number;
    /** Publish node events. */
    readonly events: boolean;
  };
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
  /** The Temporal command line to use, and no other. */
  readonly temporal_cli: string | undefined;
  /** Where the release archives of the Temporal command line are. */
  readonly temporal_download_url: string;
  /** 0 means any free port; nothing means the usual one, or any free one when that is taken. */
  readonly ports: Readonly<Record<'temporal' | 'temporal_ui' | 'redis' | 'gateway', number | undefined>>;
  /** Programs that were fetched or built are kept here. */
  readonly cache: string;
  /** The folders of PATH. */
  readonly search_path: readonly string[];
}

const port = z.coerce.number().int().min(0).max(65_535);
const flag = z.enum(['0', '1', 'true', 'false']).transform((text) => text === '1' || text === 'true');

const environmentSchema = z.object({
  HOLDFAST_PROFILE: z.enum(['development', 'staging', 'production']).default('development'),
  TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s/]+:\d+$/, 'must be host:port')
    .default('127.0.0.1:7233'),
  TEMPORAL_NAMESPACE: z.string().min(1).default('default'),
  HOLDFAST_TASK_QUEUE: z.string().min(1).default('holdfast'),
  HOLDFAST_DESK_TASK_QUEUE: z.string().min(1).default('holdfast-desk'),
  REDIS_URL: z
    .string()
    .regex(/^(redis|rediss|unix):\/\//, 'must start with redis:// or rediss://')
    .default('redis://127.0.0.1:6379'),
  HOLDFAST_GATEWAY_HOST: z.string().min(1).default('127.0.0.1'),
  HOLDFAST_GATEWAY_PORT: port.default(8001),
  HOLDFAST_JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  HOLDFAST_ALLOWED_ORIGINS: z.string().default(''),
  HOLDFAST_MAX_CONCURRENT_ACTIVITIES: z.coerce.number().int().min(1).max(1000).default(100),
  HOLDFAST_EVENTS: flag.default(true),
  HOLDFAST_REPLAY_SPEED: z.coerce.number().min(0.001).max(10_000).default(60),
  HOLDFAST_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  HOLDFAST_LOG_PRETTY: flag.default(false),
  HOLDFAST_HOME: z.string().min(1).default('.holdfast'),
  HOLDFAST_TEMPORAL_CLI: z.string().optional(),
  HOLDFAST_TEMPORAL_DOWNLOAD_URL: z.url().default('https://temporal.download/cli/archive'),
  HOLDFAST_TEMPORAL_PORT: port.optional(),
  HOLDFAST_TEMPORAL_UI_PORT: port.optional(),
  HOLDFAST_REDIS_PORT: port.optional(),
  XDG_CACHE_HOME: z.string().default(() => join(homedir(), '.cache')),
  PATH: z.string().default(''),
});
type Environment = z.infer<typeof environmentSchema>;

/** Reads the configuration. Throws `ConfigurationInvalid` naming every variable that is wrong. */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
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
    redis: { url: env.REDIS_URL },
    gateway: {
      host: env.HOLDFAST_GATEWAY_HOST,
      port: env.HOLDFAST_GATEWAY_PORT,
      jwt_secret: env.HOLDFAST_JWT_SECRET,
      allowed_origins: env.HOLDFAST_ALLOWED_ORIGINS.split(',')
        .map((origin) => origin.trim())
        .filter(Boolean),
    },
    worker: {
      max_concurrent_activities: env.HOLDFAST_MAX_CONCURRENT_ACTIVITIES,
      sticky_timeout_ms: env.HOLDFAST_PROFILE === 'development' ? 2_000 : 5_000,
      events: env.HOLDFAST_EVENTS,
    },
    replay_speed: env.HOLDFAST_REPLAY_SPEED,
    log: { level: env.HOLDFAST_LOG_LEVEL, pretty: env.HOLDFAST_LOG_PRETTY },
    home: env.HOLDFAST_HOME,
    local_stack: localStackConfig(env, new Set(Object.keys(given))),
  };
}

function localStackConfig(env: Environment, given: ReadonlySet<string>): LocalStackConfig {
  return {
    temporal_address: given.has('TEMPORAL_ADDRESS') ? env.TEMPORAL_ADDRESS : undefined,
    redis_url: given.has('REDIS_URL') ? env.REDIS_URL : undefined,
    temporal_cli: env.HOLDFAST_TEMPORAL_CLI,
    temporal_download_url: env.HOLDFAST_TEMPORAL_DOWNLOAD_URL,
    ports: {
      temporal: env.HOLDFAST_TEMPORAL_PORT,
      temporal_ui: env.HOLDFAST_TEMPORAL_UI_PORT,
      redis: env.HOLDFAST_REDIS_PORT,
      gateway: given.has('HOLDFAST_GATEWAY_PORT') ? env.HOLDFAST_GATEWAY_PORT : undefined,
    },
    cache: join(env.XDG_CACHE_HOME, 'holdfast'),
    search_path: env.PATH.split(delimiter).filter(Boolean),
  };
}

/** The environment a child process gets: this one's, and `extra` over it. */
export function childEnvironment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...extra };
}
