/** Worker and gateway as they are built, each a process of its own, with a Temporal namespace, a Redis and a PostgreSQL of their own. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKinds } from '../../src/activities/kinds';
import { sha256 } from '../../src/cli/sha256';
import { loadConfig } from '../../src/config/config';
import { createToken } from '../../src/gateway/tokens';
import { prepareGraph } from '../../src/graph/prepare';
import { freePort } from '../../src/local-stack/ports';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import type { ExecutionStatus } from '../../src/workflows/messages';
import { bareNamespace, temporalOf } from './bare-namespace';
import { startOwnPglite, startOwnPostgresql, whyNoPostgresql, type OwnPostgresql } from './own-postgresql';
import { startOwnRedis, type OwnRedis } from './own-redis';
import { readyDesk } from './ready-desk';
import { SpokenProcess } from './spoken-process';
import { answered, until } from './until';

const KINDS = createKinds({ venues: new Map() });
const BY = { reason: 'a test of all of it', actor: 'test' } as const;
const WITHIN_MS = 90_000;

export interface WholeStackOptions {
  /** Of worker and gateway, beside where everything is. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What they ask for; PGlite asks for none, and is given it all the same. */
  readonly redis_password?: string;
  readonly database_password?: string;
  readonly jwt_secret?: string;
}

interface Parts {
  readonly redis: OwnRedis;
  readonly postgresql: OwnPostgresql;
  readonly client: HoldfastClient;
  readonly worker: SpokenProcess;
  readonly gateway: SpokenProcess;
  readonly url: string;
  readonly token: string;
  readonly home: string;
}

export class WholeStack {
  /** What a process needs to find all of it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly parts: Parts;

  private constructor(environment: Readonly<Record<string, string>>, parts: Parts) {
    this.environment = environment;
    this.parts = parts;
  }

  static async open(options: WholeStackOptions = {}): Promise<WholeStack> {
    const { redis_password, database_password, jwt_secret = 'nobody guesses these thirty-two characters' } = options;
    const isReal = whyNoPostgresql() === undefined;
    const [redis, postgresql, metrics] = await Promise.all([
      startOwnRedis([], redis_password),
      isReal ? startOwnPostgresql(database_password) : startOwnPglite(),
      freePort(),
    ]);
    const home = mkdtempSync(join(tmpdir(), 'holdfast-whole-'));
    const queue = `whole-${randomUUID()}`;
    const { address, namespace } = temporalOf(await bareNamespace());
    const environment = {
      ...{ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, HOLDFAST_HOME: home },
      HOLDFAST_BLOB_DIRECTORY: join(home, 'blobs'),
      ...{ HOLDFAST_TASK_QUEUE: queue, HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk`, HOLDFAST_LOG_LEVEL: 'trace' },
      ...{
        REDIS_URL: redis.url,
        DATABASE_URL: isReal ? postgresql.url : withPassword(postgresql.url, database_password),
      },
      ...{ HOLDFAST_GATEWAY_PORT: '0', HOLDFAST_JWT_SECRET: jwt_secret },
      HOLDFAST_METRICS_ADDRESS: `127.0.0.1:${metrics}`,
      ...options.settings,
    };
    const worker = new SpokenProcess('worker/main.js', environment);
    const gateway = new SpokenProcess('gateway/main.js', environment);
    await worker.line('worker_ready');
    const { url } = await gateway.line('gateway_ready');
    const client = await HoldfastClient.connect(loadConfig(environment).temporal);
    await readyDesk(client);
    const token = await createToken({ role: 'admin', expires_in_s: 3_600 }, jwt_secret);
    const parts = { redis, postgresql, client, worker, gateway, url: String(url), token, home };
    return new WholeStack(environment, parts);
  }

  async start(
    nodes: Readonly<Record<string, unknown>>,
    extra: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const document = { holdfast: 1, id: 'whole', nodes, ...extra };
    const { prepared } = prepareGraph({ document }, KINDS, { mode: 'paper', sha256 });
    return (await this.parts.client.startExecution(prepared)).execution_id;
  }

  /** Its status once it is closed. */
  async run(
    nodes: Readonly<Record<string, unknown>>,
    extra?: Readonly<Record<string, unknown>>,
  ): Promise<ExecutionStatus> {
    const id = await this.start(nodes, extra);
    const { client } = this.parts;
    await until(`${id} is closed`, async () => (await answered(() => client.describeExecution(id))).closing, WITHIN_MS);
    return answered(() => client.executionStatus(id));
  }

  async command(command: Readonly<Record<string, unknown>>): Promise<void> {
    const said = { scope: 'global', command_id: `cmd_${randomUUID()}`, ...BY, ...command };
    const { ok, error } = await answered(() => this.parts.client.commandDesk(said as never));
    if (!ok) throw new Error(error?.message);
  }

  /** As somebody with a token. */
  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const headers = { authorization: `Bearer ${this.parts.token}` };
    const answer = await fetch(`${this.parts.url}${path}`, { headers });
    return { status: answer.status, text: await answer.text() };
  }

  async json<T>(path: string): Promise<T> {
    return JSON.parse((await this.get(path)).text) as T;
  }

  async close(): Promise<void> {
    const { worker, gateway, client, redis, postgresql, home } = this.parts;
    await Promise.all([worker.end(), gateway.end()]);
    await client.close();
    await Promise.all([redis.stop(), postgresql.stop()]);
    rmSync(home, { recursive: true, force: true });
  }
}

function withPassword(url: string, password: string | undefined): string {
  return password === undefined ? url : url.replace('postgres@', `postgres:${password}@`);
}
