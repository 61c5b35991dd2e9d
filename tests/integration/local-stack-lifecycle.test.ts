import { connect, createServer } from 'node:net';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { openJournal, type Journal } from '../../src/journal/journal';
import { identify, isRunning } from '../../src/local-stack/process-identity';
import { readRecord, stackPaths, writeRecord } from '../../src/local-stack/record';
import { startStack } from '../../src/local-stack/stack';
import { killHard, processOf, StackHome } from '../support/stack-home';
import { until } from '../support/until';

const services = {
  worker: join(__dirname, '../support/stub-worker.cjs'),
  gateway: join(__dirname, '../support/stub-gateway.cjs'),
  paper_venue: join(__dirname, '../support/stub-paper-venue.cjs'),
};

async function withClient<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

const startExecution = (address: string, workflowId: string) =>
  withClient(address, (client) => client.workflow.start('nobody', { taskQueue: 'nobody', workflowId }));

const statusOf = (address: string, workflowId: string) =>
  withClient(address, async (client) => (await client.workflow.getHandle(workflowId).describe()).status.name);

async function withJournal<T>(url: string, use: (journal: Journal) => Promise<T>): Promise<T> {
  const journal = openJournal(url);
  try {
    return await use(journal);
  } finally {
    await journal.close();
  }
}

describe('the local stack', () => {
  let home: StackHome;
  beforeEach(async () => {
    home = await StackHome.make();
  });
  afterEach(async () => {
    await home.dispose();
  });

  it('shares one stack between two starts, and only the first stops it', async () => {
    const first = await home.start({ services });
    const second = await home.start({ services });
    expect(second).toMatchObject({
      attached: true,
      temporal_address: first.temporal_address,
      redis_url: first.redis_url,
      database_url: first.database_url,
      gateway_url: first.gateway_url,
    });
    await second.stop();
    const record = await home.record();
    expect(await isRunning(processOf(record.temporal))).toBe(true);
    await first.stop();
    for (const part of [record.temporal, record.redis, record.postgresql, record.worker, record.gateway]) {
      expect(await isRunning(processOf(part))).toBe(false);
    }
    expect(await home.hasRecord()).toBe(false);
  });

  it('does not join a stack that is being stopped: it waits for its end and starts its own', async () => {
    const first = await home.start();
    const paths = stackPaths(home.path);
    await writeRecord(paths, { ...(await home.record()), stopping: true });
    const second = home.start();
    await first.stop();
    expect(await second).toMatchObject({ attached: false });
    expect((await home.record()).stopping).toBeUndefined();
    await (await second).stop();
  });

  it('keeps its record and its secrets to their owner, and the secrets from one start to the next', async () => {
    const stack = await home.start({ services });
    const { record, secret, closing_key } = stackPaths(home.path);
    for (const path of [record, secret, closing_key]) expect((await stat(path)).mode & 0o777).toBe(0o600);
    const secrets = [stack.jwt_secret, stack.closing_key];
    for (const each of secrets) expect(Buffer.from(each, 'hex')).toHaveLength(32);
    expect(new Set(secrets).size).toBe(2);
    await stack.stop();
    const again = await home.start();
    expect([again.jwt_secret, again.closing_key]).toEqual(secrets);
    await again.stop();
  });

  it('starts simultaneous starts one after the other, as one stack', async () => {
    const starts = [home.supervisor(), home.supervisor(), home.supervisor()];
    await until('all say how they started', () => starts.every(({ output }) => output().includes('\n')), 60_000);
    const lines = starts.map(({ output }) => output().trim()).sort();
    expect(lines).toEqual(['started attached=false', 'started attached=true', 'started attached=true']);
  });

  it('keeps executions when Temporal is killed and starts it again at the same address', async () => {
    const stack = await home.start();
    await startExecution(stack.temporal_address, 'survivor');
    const before = processOf((await home.record()).temporal);
    await killHard(before);
    await until('another Temporal', async () => processOf((await home.record()).temporal).pid !== before.pid);
    const running = () =>
      statusOf(stack.temporal_address, 'survivor').then(
        (name) => name === 'RUNNING',
        () => false,
      );
    await until('the execution is found', running);
    await stack.stop();
  });

  it('goes on after a clean stop with the executions it had', async () => {
    const first = await home.start();
    await startExecution(first.temporal_address, 'sleeper');
    await first.stop();
    const second = await home.start();
    expect(await statusOf(second.temporal_address, 'sleeper')).toBe('RUNNING');
    await second.stop();
  });

  it('takes over Temporal, Redis and PostgreSQL from a killed supervisor, and replaces its worker and gateway', async () => {
    const { child, output } = home.supervisor();
    await until('the stack is up', () => output().includes('attached=false'), 60_000);
    const orphans = await home.record();
    child.kill('SIGKILL');
    await until('the supervisor is gone', async () => !(await isRunning(orphans.supervisor)));
    expect(await isRunning(processOf(orphans.temporal))).toBe(true);

    const stack = await home.start({ services });
    const record = await home.record();
    expect(stack.attached).toBe(false);
    expect(record.temporal).toEqual(orphans.temporal);
    expect(record.redis).toEqual(orphans.redis);
    expect(record.postgresql).toEqual(orphans.postgresql);
    expect(await isRunning(processOf(orphans.worker))).toBe(false);
    expect(await isRunning(processOf(record.worker))).toBe(true);
    await stack.stop();
    expect(await isRunning(processOf(orphans.temporal))).toBe(false);
    expect(await isRunning(processOf(orphans.redis))).toBe(false);
    expect(await isRunning(processOf(orphans.postgresql))).toBe(false);
  });

  it('goes on with the same execution and journal after everything was killed at once', async () => {
    const { child, output } = home.supervisor();
    await until('the stack is up', () => output().includes('attached=false'), 60_000);
    const { temporal, redis, postgresql, worker, gateway } = await home.record();
    await startExecution(temporal?.address ?? '', 'survivor');
    await withJournal(postgresql?.url ?? '', (journal) => journal.recordWitness('default', 17));
    child.kill('SIGKILL');
    for (const part of [temporal, redis, postgresql, worker, gateway]) await killHard(processOf(part));

    const stack = await home.start({ services });
    expect([stack.temporal_address, stack.database_url]).toEqual([temporal?.address, postgresql?.url]);
    expect(await statusOf(stack.temporal_address, 'survivor')).toBe('RUNNING');
    const witness = await withJournal(stack.database_url, (journal) => journal.witness('default'));
    expect(witness?.epoch).toBe(17);
    await stack.stop();
  });

  it('starts a killed PostgreSQL again at the same address, with what was committed', async () => {
    const stack = await home.start();
    await withJournal(stack.database_url, async (journal) => {
      await journal.recordWitness('default', 17);
      const before = processOf((await home.record()).postgresql);
      await killHard(before);
      await until('another PostgreSQL', async () => processOf((await home.record()).postgresql).pid !== before.pid);
      const found = () =>
        journal.witness('default').then(
          (witness) => witness?.epoch === 17,
          () => false,
        );
      await until('the witness is found', found);
    });
    await stack.stop();
  });

  it('starts a PostgreSQL again that a client’s nonsense made deaf', async () => {
    const stack = await home.start();
    const before = processOf((await home.record()).postgresql);
    await withJournal(stack.database_url, async (journal) => {
      await journal.recordWitness('default', 17);
      const nonsense = connect(Number(new URL(stack.database_url).port), '127.0.0.1');
      nonsense.on('error', () => undefined).write(Buffer.from([0x7a, 0, 0, 0, 4]));
      const found = async () =>
        processOf((await home.record()).postgresql).pid !== before.pid &&
        (await journal.witness('default').catch(() => undefined))?.epoch === 17;
      await until('another PostgreSQL has the witness', found, 60_000);
      nonsense.destroy();
    });
    await stack.stop();
  });

  it('starts a worker again when it dies', async () => {
    const stack = await home.start({ services });
    const first = processOf((await home.record()).worker);
    await killHard(first);
    await until('another worker', async () => processOf((await home.record()).worker).pid !== first.pid);
    await stack.stop();
  });

  it('leaves a process alone that has the recorded pid by now', async () => {
    const foreign = await identify(process.pid);
    const recycled = { as: 'process' as const, pid: process.pid, started: 'another time' };
    await writeRecord(stackPaths(home.path), {
      version: 1,
      supervisor: { pid: process.pid, started: 'another time' },
      temporal: { address: '127.0.0.1:1', runs: recycled },
      redis: { url: 'redis://127.0.0.1:1', runs: recycled },
      worker: { runs: recycled },
    });
    const stack = await home.start();
    expect(processOf((await home.record()).temporal).pid).not.toBe(process.pid);
    await stack.stop();
    expect(await identify(process.pid)).toEqual(foreign);
  });

  it('uses given servers without starting or stopping any', async () => {
    const given = await StackHome.make();
    const lender = await given.start();
    const environment = {
      TEMPORAL_ADDRESS: lender.temporal_address,
      REDIS_URL: lender.redis_url,
      DATABASE_URL: lender.database_url,
    };
    const borrower = await home.start({ environment });
    const borrowed = await home.record();
    for (const part of [borrowed.temporal, borrowed.redis, borrowed.postgresql]) {
      expect(part?.runs).toEqual({ as: 'external' });
    }
    await borrower.stop();
    const { temporal, redis, postgresql } = await given.record();
    for (const part of [temporal, redis, postgresql]) expect(await isRunning(processOf(part))).toBe(true);
    await lender.stop();
    await given.dispose();
  });

  it('refuses a port asked for by name that is taken, and leaves nothing behind', async () => {
    const foreign = createServer();
    await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
    const { port } = foreign.address() as { port: number };
    for (const name of ['GATEWAY', 'TEMPORAL', 'REDIS', 'POSTGRESQL']) {
      const config = home.config({ [`HOLDFAST_${name}_PORT`]: String(port) });
      await expect(startStack({ config, services, ui: false })).rejects.toMatchObject({
        code: 'PortTaken',
        message: expect.stringContaining(String(port)),
      });
      expect(await home.hasRecord()).toBe(false);
    }
    await new Promise((resolve) => foreign.close(resolve));
  });

  it('takes another port when the usual one is taken', async () => {
    const names = ['TEMPORAL', 'REDIS', 'POSTGRESQL', 'GATEWAY', 'PAPER_VENUE'].map((name) => `HOLDFAST_${name}_PORT`);
    const environment = Object.fromEntries(names.map((name) => [name, '']));
    const other = await StackHome.make();
    const first = await other.start({ environment, services });
    const second = await home.start({ environment, services });
    expect(
      new Set(
        [first, second].flatMap((stack) => [
          stack.temporal_address,
          stack.redis_url,
          stack.database_url,
          stack.gateway_url,
          stack.paper_venue_url,
        ]),
      ).size,
    ).toBe(10);
    await first.stop();
    await second.stop();
    await other.dispose();
  });

  it('stops what it had started when a later part does not come up', async () => {
    const broken = join(home.path, 'broken.cjs');
    await writeFile(broken, 'console.error("no such table"); process.exit(1);');
    const failing = startStack({ config: home.config(), services: { ...services, worker: broken }, ui: false });
    const paths = stackPaths(home.path);
    await until('the gateway runs', async () => (await readRecord(paths))?.gateway !== undefined, 60_000);
    const started = await home.record();
    await expect(failing).rejects.toMatchObject({
      code: 'StackUnhealthy',
      message: expect.stringContaining('no such table'),
    });
    for (const part of [started.temporal, started.redis, started.postgresql, started.gateway]) {
      expect(await isRunning(processOf(part))).toBe(false);
    }
    expect(await home.hasRecord()).toBe(false);
  });
});
