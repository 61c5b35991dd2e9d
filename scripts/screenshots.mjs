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
/** What a page is not to be seen without. */
const DRAWN = {
  dashboard: ['[data-node]'],
  strategy: ['[data-node] >> text=/ run/', '.chart canvas'],
  bot: ['.chart canvas'],
};
/** Of a page on a busy machine. */
const WITHIN_MS = 120_000;
/** Shown down to their end; of the others what fits a screen says enough. */
const WHOLE = ['emergency', 'strategy', 'bot'];

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
try {
  for (const colorScheme of ['light', 'dark']) {
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, colorScheme });
    page.setDefaultTimeout(WITHIN_MS);
    await page.goto(`${origin}/${hash}`);
    const single = {
      dashboard: await firstLink(page, '/executions?workflow_id=dash_momentum&state=completed', '#history a'),
      strategy: '/strategies/dash_momentum',
      bot: '/bots/bot_dash',
    };
    const pages = { ...PAGES, ...single };
    for (const [name, place] of Object.entries(pages)) {
      await page.goto(origin + place);
      await page.locator('#feed[data-state="live"]').waitFor();
      for (const drawn of DRAWN[name] ?? []) await page.locator(drawn).first().waitFor();
      await page.locator('text=Read at').first().waitFor();
      const path = join(target, colorScheme === 'light' ? `${name}.png` : `${name}-dark.png`);
      await page.screenshot({ path, fullPage: WHOLE.includes(name) });
    }
    await page.close();
  }
} finally {
  await browser.close();
}

/** The address the first entry of a list leads to. */
async function firstLink(page, path, links) {
  await page.goto(origin + path);
  return page.locator(links).first().getAttribute('href');
}
