import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { childEnvironment, loadConfig } from '../../src/config/config';
import { withLock } from '../../src/local-stack/lock';
import { asProcess, bringUp, end, type Running } from '../../src/local-stack/part';
import { choosePort, freePort, isFree } from '../../src/local-stack/ports';
import { identify, isRunning, terminate } from '../../src/local-stack/process-identity';
import { start } from '../../src/local-stack/programs';
import { lineProgress } from '../../src/local-stack/progress';
import { firstOf } from '../../src/local-stack/search-chain';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-unit-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('a process identity', () => {
  it('holds for one process only, and ends with it', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' });
    const identity = await identify(child.pid ?? 0);
    if (identity === undefined) throw new Error('not found');
    expect(await isRunning({ ...identity, started: 'another time' })).toBe(false);
    await terminate({ ...identity, started: 'another time' }, 0);
    expect(await isRunning(identity)).toBe(true);
    await terminate(identity, 5_000);
    expect(await isRunning(identity)).toBe(false);
  });

  it('kills a process that does not end when asked', async () => {
    const script = 'process.on("SIGTERM", () => {}); process.stdout.write("ready"); setInterval(() => {}, 1e6)';
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const identity = await identify(child.pid ?? 0);
    if (identity === undefined) throw new Error('not found');
    const exited = once(child, 'exit');
    await terminate(identity, 100);
    expect((await exited)[1]).toBe('SIGKILL');
  });
});

describe('the lock', () => {
  it('lets one in at a time', async () => {
    let inside = 0;
    let most = 0;
    const enter = () =>
      withLock(folder, 30_000, async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside--;
      });
    await Promise.all(Array.from({ length: 12 }, enter));
    expect(most).toBe(1);
  });

  it('is free again when its holder was killed, or failed', async () => {
    const support = join(__dirname, '../support');
    const child = spawn(
      process.execPath,
      [join(support, 'run-typescript.cjs'), join(support, 'lock-holder.ts'), folder],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await expect(withLock(folder, 0, () => Promise.resolve())).rejects.toMatchObject({ code: 'StackUnhealthy' });
    child.kill('SIGKILL');
    await expect(withLock(folder, 10_000, () => Promise.reject(new Error('work failed')))).rejects.toThrow(
      'work failed',
    );
    expect(await withLock(folder, 0, () => Promise.resolve('mine'))).toBe('mine');
  });

  it('does not fill its folder', async () => {
    for (let round = 0; round < 5; round++) await withLock(folder, 0, () => Promise.resolve());
    expect(await readdir(folder)).toEqual(['lock.5']);
  });
});

describe('ports', () => {
  it('gives any free port for 0, and never one that is promised', async () => {
    const first = await choosePort({ name: 'A', named: 0, usual: 1 });
    const second = await choosePort({ name: 'B', named: undefined, usual: first }, new Set([first]));
    expect(first).toBeGreaterThan(1023);
    expect(second).not.toBe(first);
    expect(await isFree(second)).toBe(true);
  });

  it('refuses a port that was promised to another part by name', async () => {
    const port = await freePort();
    const chosen = choosePort({ name: 'HOLDFAST_REDIS_PORT', named: port, usual: 6379 }, new Set([port]));
    await expect(chosen).rejects.toMatchObject({ code: 'PortTaken', details: { port } });
  });
});

describe('progress', () => {
  it('prints each step with its time and detail, also when it fails', async () => {
    const lines: string[] = [];
    const progress = lineProgress((line) => lines.push(line));
    await progress.step('Redis', async (note) => {
      note('on PATH');
      await Promise.resolve();
    });
    await expect(progress.step('Temporal', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(lines).toEqual([
      expect.stringMatching(/^✓ Redis, on PATH \d\.\d s$/),
      expect.stringMatching(/^✗ Temporal \d/),
    ]);
  });
});

describe('a part that is brought up', () => {
  const quick = { name: 'Temporal', ready_within_ms: 30_000, stop_within_ms: 0 };
  /** One that ends by itself so often before it runs. */
  const launcher = (ends: number) => {
    const log = join(folder, 'part.log');
    const script = (ended: number) => (ended <= ends ? 'console.log("port in use")' : 'setInterval(() => {}, 1e6)');
    const launched: Running[] = [];
    const launch = async () => {
      const args = ['-e', script(launched.length + 1)];
      const running = asProcess(await start({ program: process.execPath, args, log }));
      launched.push(running);
      return running;
    };
    const isReady = () => Promise.resolve(launched.length > ends);
    return { plan: { ...quick, log, launch, isReady }, launched };
  };
  const nothing = () => Promise.resolve();

  it('is launched again when it ended by itself, since a port it took may have been taken by another', async () => {
    const { plan, launched } = launcher(2);
    const running = await bringUp(plan, undefined, nothing);
    expect(running).toBe(launched[2]);
    await end(plan, running, 0);
  });

  it('counts as failed after three launches, with the end of its log', async () => {
    const { plan, launched } = launcher(9);
    await expect(bringUp(plan, undefined, nothing)).rejects.toMatchObject({
      code: 'StackUnhealthy',
      message: expect.stringMatching(
        /^Temporal ended by itself before it was ready, 3 times\. .*\n(port in use\n?){3}$/,
      ),
    });
    expect(launched).toHaveLength(3);
  });

  it('is not launched again when it runs and never answers', async () => {
    const { plan, launched } = launcher(0);
    const mute = { ...plan, ready_within_ms: 200, isReady: () => Promise.resolve(false) };
    await expect(bringUp(mute, undefined, nothing)).rejects.toThrow('Temporal did not come up within 0.2 s.');
    expect(launched).toHaveLength(1);
  });
});

describe('a chain of ways', () => {
  it('ends with the first that works', async () => {
    const ways = [
      { name: 'a', obtain: () => Promise.reject(new Error('no a')) },
      { name: 'b', obtain: () => Promise.resolve('b') },
      { name: 'c', obtain: () => Promise.reject(new Error('never tried')) },
    ];
    expect(await firstOf('RedisUnavailable', 'None:', ways)).toBe('b');
    await expect(firstOf('RedisUnavailable', 'None:', ways.slice(0, 1))).rejects.toThrow('None:\n  a  no a');
  });
});

describe('the configuration of the local stack', () => {
  it('tells what was given by name from what is only usual', () => {
    expect(loadConfig({}).local_stack).toMatchObject({ temporal_address: undefined, ports: { gateway: undefined } });
    const given = loadConfig({ TEMPORAL_ADDRESS: 'a:1', HOLDFAST_GATEWAY_PORT: '8001', PATH: '/a:/b', REDIS_URL: '' });
    expect(given.local_stack).toMatchObject({
      temporal_address: 'a:1',
      redis_url: undefined,
      database_url: undefined,
      ports: { gateway: 8001 },
      search_path: ['/a', '/b'],
    });
  });

  it('gives child processes this environment and more', () => {
    expect(childEnvironment({ HOLDFAST_PROBE: 'x' })).toEqual({ ...process.env, HOLDFAST_PROBE: 'x' });
  });
});
