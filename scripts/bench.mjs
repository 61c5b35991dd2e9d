/** `npm run bench [names] [-- --options]`: runs the benchmarks one after the other on a stack of their own. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { StepFailed, print, root, step, tool } from './steps.mjs';
import { obtainServers } from './tools.mjs';

const require = createRequire(import.meta.url);
/** Inside the checkout, so that the compiled files find node_modules. */
const output = join(root, '.holdfast/bench');

/** Runs `bench/<name>.ts` for each name given, or all of them; what begins with `--` is for them. */
export async function bench(args) {
  const options = args.filter((each) => each.startsWith('--'));
  const names = args.filter((each) => !each.startsWith('--'));
  await onOwnStack('bench', async (environment) => {
    await compileBenches();
    if (chosen(names).includes('dashboard')) await buildNaivePage();
    for (const name of chosen(names)) {
      const script = join(output, 'bench', `${name}.js`);
      await runScript(['--enable-source-maps', script, ...options], environment);
    }
  });
}

/** Starts Temporal, Redis and PostgreSQL in a home of their own, hands `work` the environment that names them, and removes it all. */
export async function onOwnStack(name, work) {
  const home = mkdtempSync(join(tmpdir(), `holdfast-${name}-`));
  try {
    await obtainServers(require);
    const stack = await startBareStack(home);
    const { temporal_address, redis_url, database_url } = stack;
    const servers = { TEMPORAL_ADDRESS: temporal_address, REDIS_URL: redis_url, DATABASE_URL: database_url };
    try {
      await work({ ...process.env, ...servers, HOLDFAST_HOME: home });
    } finally {
      await stack.stop();
    }
  } catch (error) {
    print({ name, error });
    process.exitCode = 1;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function startBareStack(home) {
  const { loadConfig } = require(join(root, 'dist/config/config.js'));
  const { startStack } = require(join(root, 'dist/local-stack/stack.js'));
  const { lineProgress } = require(join(root, 'dist/local-stack/progress.js'));
  const ports = { HOLDFAST_TEMPORAL_PORT: '0', HOLDFAST_REDIS_PORT: '0', HOLDFAST_POSTGRESQL_PORT: '0' };
  const config = loadConfig({ ...ports, ...process.env, HOLDFAST_HOME: home });
  return startStack({ config, ui: false, progress: lineProgress(console.log) });
}

const compileBenches = () =>
  step('benchmarks compiled', () => {
    rmSync(output, { recursive: true, force: true });
    return tool('tsc', ['-p', 'bench/tsconfig.json']);
  });

/** What the dashboard is compared with. It uses its packages, and is no part of it. */
const buildNaivePage = () =>
  step('page to compare with built', () => tool('vite', ['build', '--config', 'bench/naive/vite.config.mjs']));

function chosen(names) {
  const all = readdirSync(join(root, 'bench'))
    .filter((file) => file.endsWith('.ts') && !file.startsWith('_'))
    .map((file) => basename(file, '.ts'));
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new StepFailed(`no such benchmark: ${unknown.join(', ')}; there are ${all.join(', ')}`);
  return names.length === 0 ? all : names;
}

/** Runs Node in the repository's root. Throws `StepFailed` when it ends with another code than 0. */
export function runScript(args, env) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
    child.once('error', reject);
    child.once('close', (code) => (code === 0 ? resolve() : reject(new StepFailed(`${args[1]} ended with ${code}`))));
  });
}
