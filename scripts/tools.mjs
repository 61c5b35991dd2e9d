/** Obtains what tests and benchmarks need beside Node, through the code that `npm start` uses itself. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint, onPath, quietly, root, step } from './steps.mjs';

const CHROME_ON_MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

const load = (require, name) => require(join(root, 'dist', name));

export async function obtainServers(require) {
  const { loadConfig } = load(require, 'config/config.js');
  const { lineProgress } = load(require, 'local-stack/progress.js');
  const { obtainTemporalCli } = load(require, 'local-stack/temporal-cli.js');
  const { obtainRedis } = load(require, 'local-stack/redis-server.js');
  const config = loadConfig().local_stack;
  const progress = lineProgress(console.log);
  if (config.temporal_address === undefined) {
    await progress.step('Temporal', async (note) => {
      const { version, source } = await obtainTemporalCli(config, progress);
      note(`${version}, ${source}`);
    });
  }
  if (config.redis_url === undefined) {
    await progress.step('Redis', async (note) => note((await obtainRedis(config, progress)).source));
  }
}

/** The path of a Chromium; nothing, with a line that says so, where none is and none can be installed without a question. */
export async function obtainBrowser(require) {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const find = () => onPath(...names) ?? [CHROME_ON_MAC].find((path) => existsSync(path));
  if (find() !== undefined) return find();
  const { loadConfig } = load(require, 'config/config.js');
  const { installPackage } = load(require, 'local-stack/package-manager.js');
  try {
    await step('Chromium installed', () =>
      installPackage({ apt: 'chromium', brew: 'chromium' }, loadConfig().local_stack.search_path),
    );
  } catch (error) {
    console.log(`! No Chromium for the browser tests: ${error.message}`);
  }
  return find();
}

const PIP_WITHIN_MS = 180_000;

/**
 * A Python with what the examples in Python need, in an environment of its own that is kept; nothing, with a line that says so, where it
 * cannot be had.
 */
export async function obtainPython() {
  const requirements = join(root, 'examples/python/requirements.txt');
  const home = join(root, '.holdfast/python', fingerprint([requirements]).slice(0, 16));
  const python = join(home, 'bin/python');
  const complete = join(home, '.complete');
  if (existsSync(complete)) return python;
  const system = onPath('python3', 'python');
  try {
    if (system === undefined) throw new Error('no python3 is on PATH');
    await step('Python for the examples', async () => {
      rmSync(home, { recursive: true, force: true });
      mkdirSync(home, { recursive: true });
      await quietly(system, ['-m', 'venv', home]);
      const pip = ['-m', 'pip', 'install', '--quiet', '--retries', '1', '--disable-pip-version-check'];
      await quietly(python, [...pip, '--requirement', requirements], { timeout: PIP_WITHIN_MS });
      writeFileSync(complete, '');
    });
    return python;
  } catch (error) {
    console.log(`! No Python for the tests of examples/python: ${String(error.message).split('\n').at(-1)}`);
    return undefined;
  }
}
