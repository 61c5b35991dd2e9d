/** Obtains what tests and benchmarks need beside Node, through the code that `npm start` uses itself. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onPath, root, step } from './steps.mjs';

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
