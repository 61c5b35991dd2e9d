import { createServer } from 'node:net';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { identify, isRunning } from '../../src/local-stack/process-identity';
import { readRecord, stackPaths, writeRecord } from '../../src/local-stack/record';
import { startStack } from '../../src/local-stack/stack';
import { killHard, processOf, StackHome } from '../support/stack-home';
import { until } from '../support/until';

jest.setTimeout(90_000);

const services = {
  worker: join(__dirname, '../support/stub-worker.cjs'),
  gateway: join(__dirname, '../support/stub-gateway.cjs'),
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
      gateway_url: first.gateway_url,
    });
    await second.stop();
    const record = await home.record();
    expect(await isRunning(processOf(record.temporal))).toBe(true);
    await first.stop();
    for (const part of [record.temporal, record.redis, record.worker, record.gateway]) {
      expect(await isRunning(processOf(part))).toBe(false);
    }
    expect(await home.hasRecord()).toBe(false);
  });

  it('keeps its record and its secret to their owner', async () => {
    const stack = await home.start({ services });
    const { record, secret } = stackPaths(home.path);
    for (const path of [record, secret]) expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(Buffer.from(stack.jwt_secret, 'hex')).toHaveLength(32);
    await stack.stop();
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
    await until('the execution is found', running, 30_000);
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

  it('takes over Temporal and Redis from a killed supervisor, and replaces its worker and gateway', async () => {
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
    expect(await isRunning(processOf(orphans.worker))).toBe(false);
    expect(await isRunning(processOf(record.worker))).toBe(true);
    await stack.stop();
    expect(await isRunning(processOf(orphans.temporal))).toBe(false);
    expect(await isRunning(processOf(orphans.redis))).toBe(false);
  });

  it('goes on with the same execution after everything was killed at once', async () => {
    const { child, output } = home.supervisor();
    await until('the stack is up', () => output().includes('attached=false'), 60_000);
    const { temporal, redis, worker, gateway } = await home.record();
    await startExecution(temporal?.address ?? '', 'survivor');
    child.kill('SIGKILL');
    for (const part of [temporal, redis, worker, gateway]) await killHard(processOf(part));

    const stack = await home.start({ services });
    expect(stack.temporal_address).toBe(temporal?.address);
    expect(await statusOf(stack.temporal_address, 'survivor')).toBe('RUNNING');
    await stack.stop();
  });

  it('starts a worker again at once when it dies', async () => {
    const stack = await home.start({ services });
    const first = processOf((await home.record()).worker);
    const killed = Date.now();
    await killHard(first);
    await until('another worker', async () => processOf((await home.record()).worker).pid !== first.pid);
    expect(Date.now() - killed).toBeLessThan(3_000);
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
    const environment = { TEMPORAL_ADDRESS: lender.temporal_address, REDIS_URL: lender.redis_url };
    const borrower = await home.start({ environment });
    expect((await home.record()).temporal?.runs).toEqual({ as: 'external' });
    await borrower.stop();
    const { temporal, redis } = await given.record();
    expect([await isRunning(processOf(temporal)), await isRunning(processOf(redis))]).toEqual([true, true]);
    await lender.stop();
    await given.dispose();
  });

  it('refuses a port asked for by name that is taken, and leaves nothing behind', async () => {
    const foreign = createServer();
    await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
    const { port } = foreign.address() as { port: number };
    for (const name of ['HOLDFAST_GATEWAY_PORT', 'HOLDFAST_TEMPORAL_PORT', 'HOLDFAST_REDIS_PORT']) {
      const config = home.config({ [name]: String(port) });
      await expect(startStack({ config, services, ui: false })).rejects.toMatchObject({
        code: 'PortTaken',
        message: expect.stringContaining(String(port)),
      });
      expect(await home.hasRecord()).toBe(false);
    }
    await new Promise((resolve) => foreign.close(resolve));
  });

  it('takes another port when the usual one is taken', async () => {
    const environment = { HOLDFAST_TEMPORAL_PORT: '', HOLDFAST_REDIS_PORT: '', HOLDFAST_GATEWAY_PORT: '' };
    const other = await StackHome.make();
    const first = await other.start({ environment, services });
    const second = await home.start({ environment, services });
    expect(
      new Set([first, second].flatMap((stack) => [stack.temporal_address, stack.redis_url, stack.gateway_url])).size,
    ).toBe(6);
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
    for (const part of [started.temporal, started.redis, started.gateway]) {
      expect(await isRunning(processOf(part))).toBe(false);
    }
    expect(await home.hasRecord()).toBe(false);
  });
});
