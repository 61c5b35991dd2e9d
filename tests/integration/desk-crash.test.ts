import { randomUUID } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { temporal as proto } from '@temporalio/proto';
import { loadConfig } from '../../src/config/config';
import { HoldfastClient } from '../../src/temporal-client/holdfast-client';
import { DeskCrashCampaign, STANDS, type DeskCrashReport, type Disaster } from '../support/desk-crash-campaign';
import { ownNamespace, type OwnNamespace } from '../support/own-namespace';
import { startOwnPglite, type OwnPostgresql } from '../support/own-postgresql';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
import { startOwnTemporal, type OwnTemporal } from '../support/own-temporal';
import { readyDesk } from '../support/ready-desk';
import { replayAll, runsOf, type RecordedRun } from '../support/replays';
import { whyOpen } from '../support/why-open';
import { answered, until } from '../support/until';
import { testBundle } from '../support/workflow-bundle';
import { WorkerProcess } from '../support/worker-process';

/** HOLDFAST_DESK_KILLS=100 for a long campaign. */
const KILLS = Number(process.env['HOLDFAST_DESK_KILLS'] ?? '10');
const OUTAGES = Math.ceil(KILLS / 2);
const SEED = Number(process.env['HOLDFAST_SEED'] ?? Date.now() % 1_000_000);

// Every step has a deadline of its own and says what it waited for.
jest.setTimeout(120_000 + KILLS * 20_000);

/** Two workers of a desk: when one is killed the other takes over. */
class Workers {
  readonly #running: WorkerProcess[] = [];
  readonly #start: () => Promise<WorkerProcess>;

  private constructor(start: () => Promise<WorkerProcess>) {
    this.#start = start;
  }

  static async start(environment: Record<string, string>): Promise<Workers> {
    const { codePath } = await testBundle(false);
    const workers = new Workers(() => WorkerProcess.start(environment, codePath));
    await workers.startMissing();
    return workers;
  }

  async startMissing(): Promise<void> {
    const missing = Array.from({ length: 2 - this.#running.length }, this.#start);
    for (const worker of await Promise.allSettled(missing)) {
      if (worker.status === 'rejected') throw worker.reason;
      this.#running.push(worker.value);
    }
  }

  async kill(count = 2): Promise<void> {
    await Promise.all(this.#running.splice(0, count).map((worker) => worker.kill()));
  }
}

/** A desk of short runs, set up, and every disaster upon it. */
async function campaign(
  client: HoldfastClient,
  environment: Record<string, string>,
  disasters: number,
  disaster: (number: number) => Disaster,
): Promise<DeskCrashReport> {
  const desk = `desk-${randomUUID()}`;
  const { temporal } = loadConfig({ ...process.env, ...environment });
  const connection = await Connection.connect({ address: temporal.address });
  await new Client({ connection, namespace: temporal.namespace }).workflow.start('emergencyDesk', {
    workflowId: `desk/${desk}`,
    taskQueue: temporal.desk_task_queue,
    workflowTaskTimeout: '1s',
    args: [{ desk_id: desk, settings: { updates_per_run: 150 } }],
  });
  await connection.close();
  await readyDesk(client, desk);
  const status = () => answered(() => client.deskStatus(desk));
  await until('halts can be sealed', async () => (await status()).blind_until === undefined, 60_000);
  const { epoch: born } = await status();
  const why = () => whyOpen(`desk/${desk}`, temporal, client);
  const report = await DeskCrashCampaign.run({ client, desk, born, why, seed: SEED, disasters, disaster });
  const runs = await runsOf(`desk/${desk}`, temporal);
  const longest = Math.max(...runs.map(({ history }) => history.events?.length ?? 0));
  const { inputs, repeats, longest_ms } = report;
  process.stdout.write(
    `desk-crash: ${disasters} disasters, ${inputs} inputs, ${repeats} repeated, ${runs.length} runs of at most ${longest} events, longest wait ${longest_ms.toFixed(0)} ms\n`,
  );
  expect(await unreplayable(runs)).toEqual([]);
  return report;
}

/** In words, and in which file its history is. */
async function unreplayable(runs: readonly RecordedRun[]): Promise<string[]> {
  const found: string[] = [];
  for (const [at, run] of runs.entries()) {
    const { errors } = await replayAll([run]);
    if (errors.length === 0) continue;
    const path = join(mkdtempSync(join(tmpdir(), 'holdfast-desk-crash-')), `${at}.binpb`);
    writeFileSync(path, proto.api.history.v1.History.encode(run.history).finish());
    found.push(`${errors.join()} (${path})`);
  }
  return found;
}

/** That there was something to lose whenever it struck. */
function expectAllWasAtStake({ struck, inputs }: DeskCrashReport, disasters: number): void {
  expect(new Set(struck.map(({ stand }) => stand))).toEqual(new Set(STANDS.slice(0, disasters)));
  for (const { stand, before } of struck) {
    const [global] = before.scopes;
    expect(global).toMatchObject({ scope: 'global', day_start_equity: '20000' });
    expect(global?.limits).toContainEqual(expect.objectContaining({ limit: 'daily_loss', allowed: '1000000' }));
    expect(global?.causes.length).toBe(stand === 'normal' ? 0 : 1);
    expect(before.open_permits.listed.map(({ status }) => status)).toEqual(
      expect.arrayContaining(['granted', 'acknowledged']),
    );
  }
  expect(inputs).toBeGreaterThan(disasters * 5);
}

describe(`a desk upon which disasters come (seed ${SEED})`, () => {
  let workers: Workers | undefined;

  afterEach(async () => {
    await workers?.kill();
  });

  describe('workers killed with -9', () => {
    let world: OwnNamespace;

    beforeAll(async () => {
      world = await ownNamespace('desk-crash');
      await world.stopWorker();
    });
    afterAll(() => world.dispose());

    it(`is afterwards as it was and as the pure rules have it, in every state (${KILLS} kills)`, async () => {
      const pair = await Workers.start(world.environment);
      workers = pair;
      const kills = (count: (random: () => number) => number): Disaster => ({
        name: 'workers killed',
        strike: async (random) => {
          await pair.kill(count(random));
          await pair.startMissing();
        },
      });
      const [some, both] = [kills((random) => (random() < 0.3 ? 2 : 1)), kills(() => 2)];
      const report = await campaign(world.client, world.environment, KILLS, (number) =>
        number % 2 === 0 ? some : both,
      );
      expect(report.wrong).toEqual([]);
      expectAllWasAtStake(report, KILLS);
    });
  });

  describe('the Temporal server and everything killed with -9', () => {
    let servers: { readonly temporal: OwnTemporal; readonly redis: OwnRedis; readonly postgresql: OwnPostgresql };

    beforeAll(async () => {
      const [temporal, redis, postgresql] = await Promise.all([startOwnTemporal(), startOwnRedis(), startOwnPglite()]);
      servers = { temporal, redis, postgresql };
    });
    afterAll(async () => {
      await Promise.all(Object.values(servers).map((server) => server.stop()));
    });

    it(`is afterwards as it was and as the pure rules have it, in every state (${OUTAGES} outages)`, async () => {
      const { temporal, redis, postgresql } = servers;
      const environment = {
        ...{ TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: 'default' },
        ...{ REDIS_URL: redis.url, DATABASE_URL: postgresql.url },
      };
      const pair = await Workers.start(environment);
      workers = pair;
      const kills = (name: string, ...others: readonly (OwnRedis | OwnPostgresql)[]): Disaster => ({
        name,
        strike: async () => {
          const killed = [temporal, ...others];
          await Promise.all([pair, ...killed].map((each) => each.kill()));
          await Promise.all(killed.map((each) => each.start()));
          await pair.startMissing();
        },
      });
      const [servant, everything] = [
        kills('Temporal and workers killed'),
        kills('everything killed', redis, postgresql),
      ];
      const client = await HoldfastClient.connect(loadConfig({ ...process.env, ...environment }).temporal);
      try {
        const report = await campaign(client, environment, OUTAGES, (number) =>
          number % 3 === 0 ? servant : everything,
        );
        expect(report.wrong).toEqual([]);
        expectAllWasAtStake(report, OUTAGES);
      } finally {
        await client.close();
      }
    });
  });
});
