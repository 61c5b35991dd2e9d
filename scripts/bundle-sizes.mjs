/** What each part of the dashboard weighs over the wire, gzipped, beyond what was loaded before it, against what it may. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { StepFailed, root } from './steps.mjs';

const built = join(root, 'dist/dashboard');
/** KiB. What is not named here is a route like any other. */
const LIMITS = {
  'src/execution/execution-page.tsx': 90,
  'src/graph/graph-view.tsx': 90,
  'src/charts/equity-chart.tsx': 65,
};
const SHELL = 175;
const ROUTE = 25;

export function checkSizes() {
  const manifest = join(built, 'manifest.json');
  if (!existsSync(manifest)) throw new StepFailed('The dashboard is not built: npm run build');
  const parts = partsOf(JSON.parse(readFileSync(manifest, 'utf8')));
  const lines = parts.map(
    ({ name, limit, size }) => `${size > limit ? '✗' : ' '} ${size.toFixed(1)} of ${limit} KiB ${name}`,
  );
  if (parts.some(({ limit, size }) => size > limit)) throw new StepFailed(lines.join('\n'));
  return lines;
}

function partsOf(chunks) {
  const shell = filesOf(chunks, 'index.html');
  const routes = Object.entries(chunks).filter(([, { isDynamicEntry }]) => isDynamicEntry === true);
  return [
    { name: 'shell', limit: SHELL, size: weigh(shell) },
    ...routes.map(([name]) => {
      const own = [...filesOf(chunks, name)].filter((file) => !shell.has(file));
      const all = name.startsWith('src/execution/') ? [...own, ...workers()] : own;
      return { name, limit: LIMITS[name] ?? ROUTE, size: weigh(all) };
    }),
  ];
}

/** A chunk with all it imports at once, style sheets included. */
function filesOf(chunks, name, found = new Set()) {
  const { file, css = [], imports = [] } = chunks[name];
  if (found.has(file)) return found;
  for (const each of [file, ...css]) found.add(each);
  for (const each of imports) filesOf(chunks, each, found);
  return found;
}

/** Threads are no part of the manifest. */
function workers() {
  return readdirSync(join(built, 'assets'))
    .filter((file) => file.includes('worker'))
    .map((file) => `assets/${file}`);
}

function weigh(files) {
  return [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(built, file))).length, 0) / 1024;
}
