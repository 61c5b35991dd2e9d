import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { EventPublisher } from '../../src/event-log';
import { browserPath, launchBrowser } from '../support/browser';
import { startGateway, token, type GatewayUnderTest } from '../support/gateway-under-test';
import { freePort, startOwnRedis, type OwnRedis } from '../support/own-redis';
import { startUnworked } from '../support/raw-execution';
import { context, node, nodeCompleted, nodeStarted, started } from '../support/sample-events';
import { until } from '../support/until';

const ID = `exec_page_${process.pid}_${Date.now()}`;
const EVIL = '<img src=x onerror="document.title=1337">';
const graph = {
  holdfast: 1,
  id: 'page_graph',
  name: `Spread ${EVIL}`,
  bot_id: 'bot_page',
  strategy_id: 'page',
  nodes: {
    left: { type: 'constant', name: EVIL, params: { value: '101.5' } },
    right: { type: 'constant', params: { value: '101' } },
    spread: { type: 'spread', inputs: { a: 'left.value', b: 'right.value' } },
    worth_it: { type: 'threshold', params: { min: '8' }, inputs: { value: 'spread.bps' } },
    tell: { type: 'notify', after: ['worth_it.pass'], params: { message: 'at {{spread.bps}} bps' } },
  },
};
const of = context(ID, { workflow_id: 'page_graph', bot_id: 'bot_page', strategy_id: 'page' });
const path = browserPath();
const root = join(__dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'holdfast-dashboard-'));
let redis: OwnRedis;
let port: number;
let gateway: GatewayUnderTest;
let publisher: EventPublisher;
let browser: Browser;
let page: Page;
let execution: Awaited<ReturnType<typeof startUnworked>>;
const errors: string[] = [];

const start = () => startGateway({ redisUrl: redis.url, port, page: folder });

beforeAll(async () => {
  if (path === undefined) throw new Error('No chromium on PATH.');
  const tsc = require.resolve('typescript/lib/tsc.js');
  execFileSync(process.execPath, [tsc, '-p', join(root, 'dashboard'), '--outDir', folder, '--sourceMap', 'false']);
  for (const file of ['index.html', 'style.css']) cpSync(join(root, 'dashboard', file), join(folder, file));
  redis = await startOwnRedis();
  port = await freePort();
  gateway = await start();
  publisher = new EventPublisher(redis.url);
  execution = await startUnworked(ID, graph);
  await until('Redis is connected', () => publisher.stats().connected);
  await until('the execution is listed', async () =>
    (await gateway.client.listExecutions()).executions.some(({ execution_id }) => execution_id === ID),
  );
  browser = await launchBrowser(path);
  page = await browser.newPage({ viewport: { width: 1400, height: 850 } });
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    // No desk runs here, and the page asks for it.
    if (message.type() === 'error' && !message.text().includes('503')) errors.push(message.text());
  });
}, 90_000);

afterAll(async () => {
  // First, because it is there even when something else did not come up.
  await redis.stop();
  await browser.close();
  await execution.terminate();
  await execution.close();
  await publisher.close();
  await gateway.close();
  rmSync(folder, { recursive: true });
}, 30_000);

const stateOf = (id: string) => page.locator(`[data-node="${id}"]`).getAttribute('data-state');
const reaches = (id: string, state: string) =>
  until(`${id} is ${state}`, async () => (await stateOf(id)) === state, 15_000);

describe('the page', () => {
  it('says what to do without a token, and when the token is not good', async () => {
    await page.goto(gateway.url);
    expect(await page.locator('#no-token').textContent()).toContain('holdfast token create');
    expect(await page.locator('#page').isVisible()).toBe(false);
    await page.goto(`${gateway.url}/#token=${'x'.repeat(40)}`);
    await until('the refusal', async () =>
      (await page.locator('#no-token-reason').textContent())?.includes('not valid'),
    );
    errors.length = 0;
  }, 30_000);

  it('draws the graph and lights its nodes up as events are published', async () => {
    publisher.publish(started(of, Date.now()));
    await page.goto('about:blank');
    await page.goto(`${gateway.url}/#token=${await token({ role: 'operator' })}`);
    await reaches('spread', 'pending');
    expect(page.url()).not.toContain('token');
    expect(await page.locator('#connection').textContent()).toBe('live');
    expect(await page.locator('#badges').textContent()).toContain('PAPER');
    expect(await page.locator('.edge-label').allTextContents()).toEqual(expect.arrayContaining(['bps', 'pass']));
    publisher.publish(node(of, 'left', nodeStarted));
    await reaches('left', 'running');
    publisher.publish(node(of, 'left', nodeCompleted));
    publisher.publish(node(of, 'right', { type: 'node_started' }, { attempt: 2 }));
    publisher.publish(node(of, 'tell', { type: 'node_skipped', reason: 'worth_it took fail' }));
    publisher.publish(
      node(of, 'worth_it', { type: 'node_failed', error: 'no price', error_type: 'ConnectionError', duration_ms: 8 }),
    );
    await reaches('left', 'completed');
    await reaches('tell', 'skipped');
    await reaches('worth_it', 'failed');
    expect(await page.locator('[data-node="right"] .small').textContent()).toBe('constant · running · try 2');
    expect(await page.locator('#events li').first().textContent()).toContain('worth_it');
  }, 30_000);

  it('shows a node’s output when it is chosen, by mouse and by keyboard', async () => {
    await page.locator('[data-node="left"]').click();
    expect(await page.locator('#node pre').textContent()).toBe(JSON.stringify({ value: [] }, null, 2));
    await page.locator('[data-node="worth_it"]').focus();
    await page.keyboard.press('Enter');
    await until('the error', async () => (await page.locator('#node').textContent())?.includes('no price'));
  }, 30_000);

  it('shows names that look like markup as text', async () => {
    expect(await page.locator('#title').textContent()).toBe(`Spread ${EVIL}`);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('Holdfast');
  });

  it('sends a halt with its reason and shows what was answered', async () => {
    const button = page.getByRole('button', { name: 'Halt', exact: true });
    await button.click();
    await page.getByLabel('Reason').fill('browser test');
    await page.locator('#command-confirm').click();
    await until('the answer', async () => (await page.locator('#command-answer').textContent())?.includes('Accepted.'));
    const names = (await execution.fetchHistory()).events?.map(
      (e) => e.workflowExecutionSignaledEventAttributes?.signalName,
    );
    expect(names).toContain('halt');
    await page.locator('#command-close').click();
  }, 30_000);

  it('loads without a script error and within its content security policy', () => {
    expect(errors).toEqual([]);
  });

  it('names the command line’s halt while the gateway is down, and goes on without a reload when it is back', async () => {
    await gateway.close();
    await until('it is noticed', async () =>
      (await page.locator('#banner').textContent())?.includes(`npx holdfast halt ${ID}`),
    );
    expect(await page.locator('#connection').getAttribute('data-state')).toMatch(/reconnecting|stale/);
    publisher.publish(node(of, 'spread', nodeStarted));
    publisher.publish(node(of, 'spread', nodeCompleted));
    gateway = await start();
    await reaches('spread', 'completed');
    await until('live', async () => (await page.locator('#connection').textContent()) === 'live');
    expect(await page.locator('#banner').isVisible()).toBe(false);
    if (process.env['HOLDFAST_SCREENSHOTS'] !== undefined) {
      await page.screenshot({ path: join(process.env['HOLDFAST_SCREENSHOTS'], 'light.png') });
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.screenshot({ path: join(process.env['HOLDFAST_SCREENSHOTS'], 'dark.png') });
    }
  }, 60_000);
});
