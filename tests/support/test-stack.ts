/** The private Temporal, Redis and PostgreSQL of one Jest run. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type Config } from '../../src/config/config';
import { startStack, type Stack } from '../../src/local-stack/stack';
import { isRunning } from '../../src/local-stack/process-identity';
import { readRecord, stackPaths } from '../../src/local-stack/record';

const PREFIX = 'holdfast-test-stack-';

interface Held {
  readonly home: string;
  readonly stack: Promise<Stack>;
}
const holder = globalThis as { holdfastTestStack?: Held };

export interface TestStack {
  readonly stack: Stack;
  readonly home: string;
}

/** Both projects name the set-up; the first starts the stack and the second gets the same. */
export async function acquireTestStack(): Promise<TestStack> {
  if (holder.holdfastTestStack === undefined) {
    await sweepAbandoned();
    const home = await mkdtemp(join(tmpdir(), PREFIX));
    holder.holdfastTestStack = { home, stack: startStack({ config: testStackConfig(home), ui: false }) };
  }
  const { home, stack } = holder.holdfastTestStack;
  return { home, stack: await stack };
}

export async function releaseTestStack(): Promise<void> {
  const held = holder.holdfastTestStack;
  if (held === undefined) return;
  delete holder.holdfastTestStack;
  const stack = await held.stack;
  await stack.stop();
  await rm(held.home, { recursive: true, force: true });
}

/** The environment's configuration with files in `home` and any free ports. */
export function testStackConfig(home: string, environment: Record<string, string> = {}): Config {
  return loadConfig({
    HOLDFAST_TEMPORAL_PORT: '0',
    HOLDFAST_TEMPORAL_UI_PORT: '0',
    HOLDFAST_REDIS_PORT: '0',
    HOLDFAST_POSTGRESQL_PORT: '0',
    HOLDFAST_GATEWAY_PORT: '0',
    HOLDFAST_PAPER_VENUE_PORT: '0',
    ...process.env,
    HOLDFAST_HOME: home,
    ...environment,
  });
}

/** A run that was killed leaves its servers behind: the next one takes them over and stops them. */
async function sweepAbandoned(): Promise<void> {
  const homes = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX));
  for (const home of homes.map((name) => join(tmpdir(), name))) {
    const record = await readRecord(stackPaths(home));
    if (record === undefined || (await isRunning(record.supervisor))) continue;
    const stack = await startStack({ config: testStackConfig(home), ui: false });
    await stack.stop();
    await rm(home, { recursive: true, force: true });
  }
}
