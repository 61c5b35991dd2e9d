import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { EventPublisher } from '../../src/event-log';
import { freePort } from '../../src/local-stack/ports';
import { browserPath, launchBrowser } from '../support/browser';
import { startGateway, token, type GatewayUnderTest } from '../support/gateway-under-test';
import { startOwnRedis, type OwnRedis } from '../support/own-redis';
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
/** As it was built. */
const folder = join(__dirname, '../../dist/dashboard');
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
});

afterAll(async () => {
  // First, because it is there even when something else did not come up.
  await redis.stop();
  await browser.close();
  await execution.terminate();
  await execution.close();
  await publisher.close();
  await gateway.close();
});

const stateOf = (id: string) => page.locator(`[data-node="${id}"]`).getAttribute('data-state');
const reaches = (id: string, state: string) => until(`${id} is ${state}`, async () => (await stateOf(id)) === state);

const feedIs = (state: string) =>
  until(`the feed is ${state}`, async () => (await page.locator('#feed').getAttribute('data-state')) === state);
/** Nobody answers for the desk here, so a part of the page says so all the time. */
const textOf = (selector: string) => page.locator(selector).first().textContent();

describe('the page', () => {
  it('says what to do without a token, and when the token is not good', async () => {
    await page.goto(gateway.url);
    expect(await textOf('main')).toContain('holdfast token create');
    expect(await textOf('main')).toContain('npx holdfast halt --all');
    expect(await page.locator('nav').count()).toBe(0);
    await page.goto(`${gateway.url}/#token=${'x'.repeat(40)}`);
    await until('the refusal', async () => (await textOf('[role="alert"]'))?.includes('not valid'));
    expect(await textOf('main')).toContain('holdfast token create');
    errors.length = 0;
  });

  it('draws the graph and lights its nodes up as events are published', async () => {
    publisher.publish(started(of, Date.now()));
    await page.goto('about:blank');
    await page.goto(`${gateway.url}/executions/${ID}#token=${await token({ role: 'operator' })}`);
    await reaches('spread', 'pending');
    expect(page.url()).not.toContain('token');
    await feedIs('live');
    expect(await textOf('#badges')).toContain('PAPER');
    expect(await page.locator('.line-label').allTextContents()).toEqual(expect.arrayContaining(['bps', 'pass']));
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
    expect(await textOf('[data-node="right"] .small')).toBe('constant · running · try 2');
    await until('the event', async () => (await textOf('#events li'))?.includes('worth_it'));
    expect(await textOf('[data-tree="worth_it"]')).toContain('failed');
    await until('the timeline has a row per node', async () => (await page.locator('.time-row').count()) === 4);
  });

  it('shows a node’s output when it is chosen, by mouse and by keyboard, and has it in the address', async () => {
    await page.locator('[data-node="left"]').click();
    await until('the output', async () => (await textOf('#node pre')) === JSON.stringify({ value: [] }, null, 2));
    expect(new URL(page.url()).searchParams.get('node')).toBe('left');
    await page.locator('[data-node="worth_it"]').focus();
    await page.keyboard.press('Enter');
    await until('the error', async () => (await textOf('#node'))?.includes('no price'));
  });

  it('is one tab stop as a graph, and moved in with the arrows along its edges', async () => {
    expect(await page.locator('[data-node][tabindex="0"]').count()).toBe(1);
    await page.locator('[data-node="left"]').click();
    await page.keyboard.press('ArrowRight');
    const focused = () => page.evaluate('document.activeElement.dataset.node');
    await until('the next node has the focus', async () => (await focused()) === 'spread');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowDown');
    await until('the one beside it has the focus', async () => (await focused()) === 'right');
    expect(await page.locator('[data-node][tabindex="0"]').count()).toBe(1);
  });

  it('shows names that look like markup as text', async () => {
    expect(await textOf('#title')).toBe(`Spread ${EVIL}`);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe(`${ID} · Execution · Holdfast`);
  });

  it('sends a halt with its reason and shows what was answered', async () => {
    await page.getByLabel('Reason').fill('browser test');
    await page.getByRole('button', { name: 'Halt', exact: true }).focus();
    await page.keyboard.press('Enter');
    await until('the answer', async () => (await textOf('#command-answer'))?.includes('accepted'));
    const signals = (await execution.fetchHistory()).events?.flatMap(
      (e) => e.workflowExecutionSignaledEventAttributes ?? [],
    );
    expect(signals?.map(({ signalName }) => signalName)).toContain('halt');
    const bodies = signals?.map(({ input }) => Buffer.from(input?.payloads?.[0]?.data ?? []).toString());
    expect(bodies).toContain('{"reason":"browser test"}');
  });

  it('loads without a script error and within its content security policy', () => {
    expect(errors).toEqual([]);
  });

  it('names the command line’s halt while the gateway is down, and goes on without a reload when it is back', async () => {
    await gateway.close();
    await until('it is noticed', async () =>
      (await page.locator('#banner').allTextContents()).some((text) => text.includes(`npx holdfast halt ${ID}`)),
    );
    await feedIs('stale');
    expect(await textOf('#feed')).toMatch(/stale since \d\d:\d\d:\d\d/);
    publisher.publish(node(of, 'spread', nodeStarted));
    publisher.publish(node(of, 'spread', nodeCompleted));
    gateway = await start();
    await reaches('spread', 'completed');
    await feedIs('live');
    expect(await page.locator('#banner').count()).toBe(0);
    await until('nothing is missing among the events', async () => (await textOf('#events li'))?.includes('spread'));
  });

  it('asks for another token when its own has expired', async () => {
    await page.goto('about:blank');
    await page.goto(`${gateway.url}/#token=${await token({ role: 'operator', expires_in_s: 4 })}`);
    await page.locator('h1', { hasText: 'A token is needed' }).waitFor();
    await page.goto(`${gateway.url}/#token=${await token({ role: 'operator' })}`);
    await feedIs('live');
  });

  it('shows the shortcuts on a question mark, but not while somebody types', async () => {
    await page.goto(`${gateway.url}/executions`);
    await page.getByLabel('Graph', { exact: true }).focus();
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.locator('h1').click();
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
  });
});
