/** `npm run verify`: every check that needs no running server. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkSizes } from './bundle-sizes.mjs';
import { StepFailed, filesBelow, inParallel, print, quietly, root, tool } from './steps.mjs';

const AT_ONCE = 2;
const folders = ['src', 'tests', 'bench', 'examples', 'dashboard/src'].filter((name) => filesBelow(name).length > 0);

function lockfile() {
  return JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
}

/** A registry host in the lockfile ties every clone to one registry. A link says which folder of the repository it leads to. */
function checkLockfile() {
  const tied = Object.entries(lockfile()).filter(([, { resolved, link }]) => resolved !== undefined && link !== true);
  if (tied.length === 0) return;
  const names = tied.map(([path, { resolved }]) => `  ${path}: ${resolved}`).join('\n');
  throw new StepFailed(`package-lock.json names where packages come from:\n${names}`);
}

/** Packages of different versions share no types and, worse, no protocol with the native core. */
function checkTemporalVersions() {
  const found = Object.entries(lockfile()).flatMap(([path, { version }]) =>
    /node_modules\/@temporalio\/[^/]+$/.test(path) ? [{ path, version }] : [],
  );
  const versions = new Set(found.map(({ version }) => version));
  if (found.length > 0 && versions.size === 1) return;
  throw new StepFailed(found.map(({ path, version }) => `${path} ${version}`).join('\n') || 'no @temporalio package');
}

/** The generators write files; their twin `--check` says which of them are out of date. */
const generated = ['generate-errors', 'generate-nodes-doc', 'generate-graph-schema']
  .filter((name) => existsSync(join(root, 'scripts', `${name}.mjs`)))
  .map((name) => ({
    name: `${name} --check`,
    work: () => quietly(process.execPath, [`scripts/${name}.mjs`, '--check']),
  }));

const failed = await inParallel(
  [
    { name: 'eslint', work: () => tool('eslint', ['.', '--max-warnings', '0']) },
    { name: 'tsc', work: () => tool('tsc', ['-p', 'tsconfig.json']) },
    { name: 'tsc dashboard', work: () => tool('tsc', ['-p', 'dashboard']) },
    { name: 'prettier', work: () => tool('prettier', ['--check', '--log-level', 'warn', '.']) },
    { name: 'dependency-cruiser', work: () => tool('depcruise', [...folders, '--output-type', 'err-long']) },
    { name: 'knip', work: () => tool('knip', []) },
    ...generated,
    { name: 'lockfile without registry hosts', work: async () => checkLockfile() },
    { name: 'one version of @temporalio', work: async () => checkTemporalVersions() },
    { name: 'sizes of the dashboard', work: async () => checkSizes() },
  ],
  AT_ONCE,
);
failed.forEach(print);
if (failed.length > 0) process.exitCode = 1;
