/**
 * Gateways as built, a worker that can be killed, a Redis of their own and a namespace of the run's Temporal: what events go through on
 * their way from executions to clients.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { loadConfig } from '../../src/config/config';
import { EventPublisher, EventReader } from '../../src/event-log';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { bareNamespace, temporalOf } from './bare-namespace';
import { SECRET } from './gateway-under-test';
import { startOwnRedis, type OwnRedis } from './own-redis';
import { prepare } from './prepared';
import { readyDesk } from './ready-desk';
import { Road } from './road';
import { SpokenProcess } from './spoken-process';
import { answered, until } from './until';
import { WorkerProcess } from './worker-process';
import { testBundle } from './workflow-bundle';

const WITHIN_MS = 60_000;
/** Nobody listens there: what is tested here needs no journal. */
const NO_DATABASE = 'postgresql://postgres@127.0.0.1:1/none';

interface Gateway {
  readonly process: SpokenProcess;
  readonly url: string;
}

interface Parts {
  readonly environment: Readonly<Record<string, string>>;
  readonly home: string;
  readonly redis: OwnRedis;
  readonly client: HoldfastClient;
  readonly temporal: Client;
}

export class FaultWorld {
  readonly redis: OwnRedis;
  readonly client: HoldfastClient;
  /** The SDK's own, for what only an outsider would do. */
  readonly temporal: Client;
  readonly publisher: EventPublisher;
  readonly reader: EventReader;
  readonly #parts: Parts;
  readonly #roads: Road[] = [];
  #gateways: Gateway[] = [];
  #worker: WorkerProcess | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.redis = parts.redis;
    this.client = parts.client;
    this.temporal = parts.temporal;
    this.publisher = new EventPublisher(parts.redis.url);
    this.reader = new EventReader(parts.redis.url);
  }

  static async open(gateways: number): Promise<FaultWorld> {
    const redis = await startOwnRedis();
    const { address, namespace } = temporalOf(await bareNamespace());
    const queue = `faults-${randomUUID()}`;
    const home = mkdtempSync(join(tmpdir(), 'holdfast-faults-'));
    const environment = {
      ...{ TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, HOLDFAST_HOME: home },
      ...{ HOLDFAST_TASK_QUEUE: queue, HOLDFAST_DESK_TASK_QUEUE: `${queue}-desk` },
      ...{ HOLDFAST_BLOB_DIRECTORY: join(home, 'blobs'), DATABASE_URL: NO_DATABASE, REDIS_URL: redis.url },
      ...{ HOLDFAST_GATEWAY_PORT: '0', HOLDFAST_JWT_SECRET: SECRET },
    };
    const client = await HoldfastClient.connect(loadConfig({ ...process.env, ...environment }).temporal);
    const connection = await Connection.connect({ address });
    const temporal = new Client({ connection, namespace });
    const world = new FaultWorld({ environment, home, redis, client, temporal });
    await Promise.all([world.startWorker(), ...Array.from({ length: gateways }, () => world.startGateway())]);
    await answered(() => readyDesk(client));
    await until('all are connected', () => world.publisher.stats().connected);
    await world.reader.ready(WITHIN_MS);
    return world;
  }

  get task_queue(): string {
    return this.#parts.environment['HOLDFAST_TASK_QUEUE'] ?? '';
  }

  get gateways(): string[] {
    return this.#gateways.map(({ url }) => url);
  }

  async startGateway(): Promise<void> {
    const gateway = new SpokenProcess('gateway/main.js', this.#parts.environment);
    const url = String((await gateway.line('gateway_ready'))['url']);
    this.#gateways.push({ process: gateway, url });
    await until('it is ready', async () => (await fetch(`${url}/readyz`)).ok, WITHIN_MS);
  }

  /** The first of them, with -9. */
  async killGateway(): Promise<void> {
    await this.#gateways.shift()?.process.kill();
  }

  async startWorker(): Promise<void> {
    const { codePath } = await testBundle(false);
    this.#worker = await WorkerProcess.start(this.#parts.environment, codePath, '', 'without-journal');
  }

  async killWorker(): Promise<void> {
    await this.#worker?.kill();
  }

  /** Ends with this world. */
  async road(): Promise<Road> {
    const road = await Road.open(() => this.gateways);
    this.#roads.push(road);
    return road;
  }

  async start(graph: Readonly<Record<string, unknown>>): Promise<string> {
    const prepared = prepare({ holdfast: 1, id: 'real', bot_id: 'bot_real', ...graph });
    return (await answered(() => this.client.startExecution(prepared))).execution_id;
  }

  /** Waits until the publisher is rid of all it was given. */
  async drained(): Promise<void> {
    await until('all is published', () => this.publisher.stats().queued === 0, WITHIN_MS);
  }

  /** Reads that may meet a Redis that is just coming back. */
  async read<T>(what: (reader: EventReader) => Promise<T>): Promise<T> {
    return until('Redis answers', () => what(this.reader).catch(() => undefined), WITHIN_MS);
  }

  async close(): Promise<void> {
    const { client, temporal, redis, home } = this.#parts;
    await Promise.all(this.#roads.map((road) => road.end()));
    await Promise.all([this.killWorker(), ...this.#gateways.map(({ process }) => process.kill())]);
    await this.publisher.close({ deadline_ms: 0 });
    this.reader.close();
    await Promise.all([temporal.connection.close(), client.close(), redis.stop()]);
    rmSync(home, { recursive: true, force: true });
  }
}
