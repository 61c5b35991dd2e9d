/**
 * `npm start`, `npm test`, `npm run bench` and `npm run soak:…` on a fresh clone with Node alone: installs, builds, sets up, then runs.
 * It uses nothing but Node itself, because it runs before anything is installed.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { filesBelow, fingerprint, print, quietly, readIfThere, root, step } from './steps.mjs';

const LEAST_NODE = [20, 19];
const [mode, ...args] = process.argv.slice(2);
const require = createRequire(import.meta.url);

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])) return;
  console.error(`Holdfast needs Node ${LEAST_NODE.join('.')} or newer; this is ${process.versions.node}.`);
  process.exit(2);
}

/**
 * npm writes its own list last, so an installation that was interrupted has none and is done again. A package of this repository stands in
 * it twice: as its folder, and as a link to that without a version.
 */
function isInstalled() {
  const installed = readIfThere(join(root, 'node_modules/.package-lock.json'));
  if (installed === undefined) return false;
  const found = JSON.parse(installed).packages;
  const wanted = JSON.parse(readIfThere(join(root, 'package-lock.json'))).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional, link }]) =>
      path === '' || optional === true || (found[path]?.version === version && found[path]?.link === link),
  );
}

async function install() {
  if (isInstalled()) return;
  await step('dependencies installed', () => quietly('npm', ['ci', '--no-audit', '--no-fund', '--loglevel', 'error']));
}

async function build() {
  const stampFile = join(root, 'dist/.stamp');
  const inputs = ['src', 'dashboard', 'scripts'].flatMap(filesBelow);
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'].map((file) => join(root, file));
  const stamp = fingerprint([...inputs, ...settings]);
  if (readIfThere(stampFile) === stamp) return;
  rmSync(stampFile, { force: true });
  await step('built', () => quietly(process.execPath, ['scripts/build.mjs']));
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(stampFile, stamp);
}

/** The command runs in this very process: signals reach it as they are, once. */
function up() {
  const main = join(root, 'dist/cli/main.js');
  process.argv = [process.execPath, main, 'up', '--examples', ...args];
  require(main);
}

const modes = {
  start: async () => up(),
  test: async () => (await import('./test.mjs')).test(args),
  bench: async () => (await import('./bench.mjs')).bench(args),
  soak: async () => (await import('./soak.mjs')).soak(args),
};

checkNode();
if (!Object.hasOwn(modes, mode ?? '')) {
  console.error(`bootstrap.mjs knows ${Object.keys(modes).join(', ')}, not ${mode}`);
  process.exit(2);
}
try {
  if (!existsSync(join(root, 'package-lock.json'))) throw new Error('package-lock.json is missing: clone again');
  await install();
  await build();
} catch (error) {
  print({ name: 'set-up', error });
  process.exit(1);
}
await modes[mode]();
