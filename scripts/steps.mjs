/** Runs the tools behind `npm start`, `npm test` and `npm run verify`: one line per step with its time, output only of those that fail. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const logFile = join(root, '.holdfast/logs/setup.log');

/** What a step throws to fail with a text of its own. */
export class StepFailed extends Error {}

/** Runs one step and prints its name and time. Returns what `work` returns. */
export async function step(name, work) {
  const begun = Date.now();
  const time = () => `${((Date.now() - begun) / 1000).toFixed(1)} s`;
  const alive = setInterval(() => console.log(`… ${name} ${time()}`), 15_000);
  try {
    const result = await work();
    console.log(`✓ ${name} ${time()}`);
    return result;
  } catch (error) {
    console.log(`✗ ${name} ${time()}`);
    throw error;
  } finally {
    clearInterval(alive);
  }
}

/** Runs a program quietly: its output goes to the log, and into the error when it fails. */
export function quietly(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => reject(new StepFailed(`${program}: ${error.message}`)));
    child.once('close', (code, signal) => {
      log(`$ ${program} ${args.join(' ')}\n${output}`);
      if (code === 0) resolve(output);
      else reject(new StepFailed(`${output.trim()}\n(${program} ended with ${signal ?? code})`));
    });
  });
}

/** Runs the program of an installed package. */
export function tool(name, args, options) {
  return quietly(process.execPath, [binOf(name), ...args], options);
}

export function binOf(name) {
  const folder = name === 'tsc' ? 'typescript' : name === 'depcruise' ? 'dependency-cruiser' : name;
  const home = join(root, 'node_modules', folder);
  const { bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  return join(home, typeof bin === 'string' ? bin : bin[name]);
}

/** Runs the steps, at most `atOnce` together; returns those that failed with their errors. */
export async function inParallel(steps, atOnce) {
  const waiting = [...steps];
  const failed = [];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { name, work } = next;
      await step(name, work).catch((error) => failed.push({ name, error }));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return failed;
}

export function print({ name, error }) {
  console.error(`\n── ${name}\n${error instanceof StepFailed ? error.message : (error.stack ?? error)}`);
}

/** The files below a folder in a fixed order; none when it does not exist. */
export function filesBelow(path) {
  const full = join(root, path);
  if (!existsSync(full)) return [];
  const entries = readdirSync(full, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Changes when the name or content of any of these files does. */
export function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${file.slice(root.length)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex');
}

export function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** The path of a program on PATH. */
export function onPath(...names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

function log(text) {
  mkdirSync(join(root, '.holdfast/logs'), { recursive: true });
  appendFileSync(logFile, `${new Date().toISOString()} ${text}\n`);
}
