/** `npm run build`: src → dist, the dashboard, and the workflows as one bundle, so that a worker starts without webpack. */
import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { filesBelow, fingerprint, print, readIfThere, root, step, tool } from './steps.mjs';

const dist = join(root, 'dist');
const bundleStamp = join(dist, '.workflow-bundle-stamp');

/** A module whose source is gone must not live on in dist. */
function removeOrphans() {
  for (const file of filesBelow('dist')) {
    const path = relative(dist, file);
    const source = path.replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
    if (source === path || /^(dashboard|examples|workflow-bundle)/.test(path)) continue;
    if (!existsSync(join(root, 'src', source))) rmSync(file);
  }
}

async function compile() {
  removeOrphans();
  const incremental = ['--incremental', '--tsBuildInfoFile', join(dist, '.tsbuildinfo')];
  await tool('tsc', ['-p', 'tsconfig.build.json', ...incremental]);
}

/** The journal reads its migrations as files; one that is gone must not be run. */
function copyMigrations() {
  const target = join(dist, 'journal/migrations');
  rmSync(target, { recursive: true, force: true });
  cpSync(join(root, 'src/journal/migrations'), target, { recursive: true });
}

/**
 * By lines and without the sources: every thread that runs workflows holds all of it, to say where a defect was thrown. By columns and with
 * the sources a thread took 30 MB instead of 16.
 */
const SOURCE_MAP = 'inline-nosources-cheap-module-source-map';

/** Bundling takes seconds and its input rarely changes. */
async function bundleWorkflows() {
  const workflows = join(dist, 'workflows');
  const sources = filesBelow('dist').filter(
    (file) => file.endsWith('.js') && !/workflow-bundle|dashboard|examples/.test(file),
  );
  const stamp = fingerprint([...sources, join(root, 'package-lock.json')]);
  const target = join(dist, 'workflow-bundle.js');
  if (existsSync(target) && readIfThere(bundleStamp) === stamp) return;
  const require = createRequire(import.meta.url);
  const { bundleWorkflowCode } = require('@temporalio/worker');
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(workflows, 'index.js'),
    payloadConverterPath: join(workflows, 'payload-converter.js'),
    workflowInterceptorModules: [join(workflows, 'interceptors.js')],
    preloadModules: [join(workflows, 'preload.js')],
    webpackConfigHook: (config) => ({ ...config, devtool: SOURCE_MAP }),
    logger: { trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error, log() {} },
  });
  writeFileSync(target, code);
  writeFileSync(bundleStamp, stamp);
}

try {
  await step('sources compiled', compile);
  copyMigrations();
  await step('examples compiled', () => tool('tsc', ['-p', 'examples']));
  await step('dashboard built', () => tool('vite', ['build', '--config', 'dashboard/vite.config.mjs']));
  if (existsSync(join(dist, 'workflows/index.js'))) await step('workflows bundled', bundleWorkflows);
} catch (error) {
  print({ name: 'build', error });
  process.exitCode = 1;
}
