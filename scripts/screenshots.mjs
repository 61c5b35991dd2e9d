/**
 * Pictures of the dashboard for docs/images, light and dark, from a stack that runs the examples:
 *
 *     node scripts/screenshots.mjs 'http://127.0.0.1:8001/#token=…'        (the address `npm start` prints)
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { onPath, root } from './steps.mjs';

const [address] = process.argv.slice(2);
const executablePath = onPath('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable');
if (address === undefined || executablePath === undefined) {
  console.error('Needs the address of the dashboard with its token, and Chromium on PATH.');
  process.exit(2);
}
const { origin, hash } = new URL(address);
const target = join(root, 'docs/images');
mkdirSync(target, { recursive: true });
const PAGES = {
  overview: '/',
  emergency: '/emergency',
  executions: '/executions',
  strategies: '/strategies',
  bots: '/bots',
};

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
try {
  for (const colorScheme of ['light', 'dark']) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, colorScheme });
    await page.goto(`${origin}/${hash}`);
    const pages = { ...PAGES, dashboard: await newestExecution(page) };
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(origin + path);
      await page.locator('#feed[data-state="live"]').waitFor();
      if (name === 'dashboard') await page.locator('[data-node]').first().waitFor();
      await page.locator('text=Read at').first().waitFor();
      await page.screenshot({ path: join(target, colorScheme === 'light' ? `${name}.png` : `${name}-dark.png`) });
    }
    await page.close();
  }
} finally {
  await browser.close();
}

async function newestExecution(page) {
  await page.goto(`${origin}/executions`);
  return page.locator('#history a').first().getAttribute('href');
}
