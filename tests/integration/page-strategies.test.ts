/** Graphs from their text to what their nodes came to, and the results of bots and strategies, as the page shows them. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { findingsOn } from '../support/axe';
import { orderRequest } from '../support/desk-at-work';
import { token } from '../support/gateway-under-test';
import { button, pressEnter } from '../support/keys';
import { startPage, WITHIN_MS, type PageUnderTest } from '../support/page-under-test';
import { answered, until } from '../support/until';

const WEB_UI = 'http://127.0.0.1:8233/namespaces/default';
const TEXT = `holdfast: 1
id: judged
name: Judged
bot_id: mine
strategy_id: s
nodes:
  price:
    type: constant
    params: { value: '5' }
  worth_it:
    type: threshold
    params: { min: '8' }
    inputs: { value: price.value }
  bad:
    type: math
    params: { op: divide, a: '1', b: '0' }
    on_error: continue
`;
/** In lines 8 and 13. */
const WRONG = TEXT.replace('type: constant', 'type: constnat').replace('price.value', 'prize.value');

let stack: PageUnderTest;
let page: Page;

beforeAll(async () => {
  stack = await startPage('page-strategies', { web_ui: WEB_UI });
  page = stack.page;
}, 300_000);
afterAll(() => stack.stop());

const deployed = async () => (await answered(() => stack.own.client.pageDeployments({ limit: 10 }))).deployments;
const ended = async () =>
  (await answered(() => stack.own.client.listExecutions({ workflow_id: 'judged', closed_since: 0 }))).executions;

/** What a busy machine did not answer in time is read again after a minute; here the page is opened anew. */
async function opened(path: string, ready: string): Promise<void> {
  const isThere = async () => {
    await stack.open(path);
    const wait = page
      .locator(ready)
      .first()
      .waitFor({ timeout: WITHIN_MS / 3 });
    return wait.then(
      () => true,
      () => false,
    );
  };
  await until(`${path} shows ${ready}`, isThere, 2 * WITHIN_MS);
}

async function isSound(path: string, ready: string): Promise<void> {
  await opened(path, ready);
  expect([path, await findingsOn(page)]).toEqual([path, []]);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect([path, await findingsOn(page, ['color-contrast'])]).toEqual([path, []]);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 390, height: 800 });
  const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
  expect(overflow).toBeLessThanOrEqual(0);
  await page.setViewportSize({ width: 1280, height: 720 });
}

describe('a graph that is deployed from the page', () => {
  it('is checked as a whole first: every mistake with its place, and nothing deployed', async () => {
    await stack.open('/strategies');
    await page.getByText('Paste a graph in JSON or YAML').click();
    await page.getByRole('textbox', { name: 'Graph' }).fill(WRONG);
    await page.getByRole('button', { name: 'Check it' }).click();
    await stack.shows('#deploy', '2 mistakes; nothing was deployed.');
    await stack.shows('[data-mistake="unknown_kind"]', 'line 8, column');
    await stack.shows('[data-mistake="unknown_kind"]', 'Did you mean constant?');
    await stack.shows('[data-mistake="dangling_reference"]', 'line 13, column');
    expect(await page.getByRole('button', { name: /^Deploy/ }).count()).toBe(0);
    expect(await deployed()).toEqual([]);
    await page.locator('[data-mistake="unknown_kind"] button').click();
    const at = await page.evaluate<string>('document.activeElement.value.slice(document.activeElement.selectionStart)');
    expect(at.startsWith('type: constnat')).toBe(true);
  });

  it('from a file is deployed as it was checked, and can be deployed no more once it was changed', async () => {
    const file = { name: 'judged.yaml', mimeType: 'text/yaml', buffer: Buffer.from(TEXT) };
    await page.getByLabel('File').setInputFiles(file);
    await page.getByRole('button', { name: 'Check it' }).click();
    await stack.shows('#deploy', 'No mistakes: Judged, 3 nodes.');
    await page.getByRole('textbox', { name: 'Graph' }).press('Control+End');
    await page.keyboard.press('Enter');
    expect(await page.getByRole('button', { name: 'Deploy judged' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Check it' }).click();
    await page.getByRole('button', { name: 'Deploy judged' }).click();
    await stack.shows('#deploy', 'Judged is deployed as version');
    expect((await deployed()).map(({ workflow_id }) => workflow_id)).toEqual(['judged']);
    await page.getByRole('button', { name: 'Check it' }).click();
    await stack.shows('#deploy', 'is deployed already, exactly so.');
    await page.locator('main table').getByRole('link', { name: 'Judged' }).click();
    await page.locator('h1', { hasText: 'Judged' }).waitFor();
    await stack.shows('main', 'No figures yet');
  });

  it('by keyboard alone is taken from a file, mended where its mistakes lead, and deployed', async () => {
    const typed = WRONG.replace('id: judged', 'id: typed').replace('name: Judged', 'name: Typed');
    await stack.open('/strategies');
    await pressEnter(page, page.locator('summary', { hasText: 'Paste a graph' }));
    const choosing = page.waitForEvent('filechooser');
    await pressEnter(page, page.getByLabel('File'));
    await (await choosing).setFiles({ name: 'typed.yaml', mimeType: 'text/yaml', buffer: Buffer.from(typed) });
    for (const [mistake, line] of [
      ['unknown_kind', '    type: constant'],
      ['dangling_reference', '    inputs: { value: price.value }'],
    ] as const) {
      await pressEnter(page, button(page, 'Check it'));
      await pressEnter(page, page.locator(`[data-mistake="${mistake}"] button`));
      for (const key of ['End', 'Shift+Home']) await page.keyboard.press(key);
      await page.keyboard.type(line);
    }
    await pressEnter(page, button(page, 'Check it'));
    await stack.shows('#deploy', 'No mistakes: Typed, 3 nodes.');
    await pressEnter(page, button(page, 'Deploy typed'));
    await stack.shows('#deploy', 'Typed is deployed as version');
    expect((await deployed()).map(({ workflow_id }) => workflow_id).toSorted()).toEqual(['judged', 'typed']);
    await pressEnter(page, page.locator('#deploy a', { hasText: 'Typed' }));
    await page.locator('h1', { hasText: 'Typed' }).waitFor();
  });
});

describe('the figures of a deployed graph', () => {
  it('stand on its nodes, with over which executions they are taken', async () => {
    for (const count of [1, 2]) {
      const named = { execution_id: `exec_judged_${count}` };
      await answered(() => stack.own.client.triggerDeployment('judged', named));
      await until(`${count} ended`, async () => (await ended()).length === count, WITHIN_MS);
    }
    await opened('/strategies/judged', '[data-node="price"] :text("2 runs")');
    await stack.shows('[data-node="worth_it"] .small', '2 runs · pass 0.0 %');
    await stack.shows('[data-node="bad"][data-state="failed"] .small', '2 runs · 2 failed');
    await stack.shows('main', 'Over 2 ended executions of version');
    await page.locator('[data-node="worth_it"]').focus();
    await page.keyboard.press('Enter');
    await stack.shows('td strong', '▸ worth_it');
    expect(new URL(page.url()).searchParams.get('node')).toBe('worth_it');
    await isSound('/strategies/judged', '[data-node="bad"]');
    await isSound('/strategies', 'main table');
  }, 360_000);

  it('lead to executions that link to the same run in Temporal’s Web UI', async () => {
    const [latest] = await ended();
    const { execution_id = '', run_id } = latest ?? {};
    const name = 'This run in Temporal’s Web UI';
    await opened(`/executions/${execution_id}`, `text=${name}`);
    const link = page.getByRole('link', { name });
    expect(await link.getAttribute('href')).toBe(`${WEB_UI}/workflows/${execution_id}/${String(run_id)}`);
  });
});

/** An order as a worker tells it: permitted, taken by the venue, filled, ended. */
async function trade(permit_id: string, side: 'buy' | 'sell', filled_notional: string): Promise<void> {
  const owner = { bot_id: 'mine', strategy_id: 's' };
  const { quantity, price, ...order } = orderRequest(permit_id, { ...owner, side, client_order_id: permit_id });
  const settle = (settlement: object) =>
    answered(() => stack.own.client.requestPermits({ requests: [], settlements: [{ permit_id, ...settlement }] }));
  const request = { requests: [{ ...order, quantity, price }], settlements: [] };
  await answered(() => stack.own.client.requestPermits(request));
  await settle({ outcome: 'acknowledged' });
  const amounts = { filled_quantity: '1', filled_notional, fees: '0.5', at: Date.now() };
  await answered(() => stack.own.client.recordAtDesk('fill', { ...order, order_id: permit_id, ...amounts }));
  await settle({ outcome: 'closed', filled_quantity: '1' });
}

const said = () => ({ command_id: randomUUID(), actor: 'ann', reason: 'odd prices' });

interface Came {
  readonly equity: readonly { readonly equity: string | null }[];
  readonly fills: readonly object[];
  readonly halts: readonly { readonly scope: string }[];
}

async function performance(): Promise<Came> {
  const headers = { authorization: `Bearer ${await token()}` };
  return until('it is answered', async () => {
    const answer = await fetch(`${stack.gateway.url}/api/bots/mine/performance?window=1h`, { headers });
    return answer.ok && ((await answer.json()) as Came);
  });
}

describe('the results of a bot', () => {
  it('are drawn over time, with its fills and halts marked, and told in words too', async () => {
    const { client } = stack.own;
    const bot = { bot_id: 'mine', name: 'Mine', venues: ['paper'], starting_equity: '1000', time_zone: 'UTC' };
    const registration = { action: 'register_bot', bot, ...said() };
    await answered(() => client.commandDesk(registration));
    await stack.open('/bots/mine');
    await stack.shows('main', 'No curve yet');
    await trade('in', 'buy', '100');
    const known = async () => (await performance()).equity.filter(({ equity }) => equity !== null).length;
    await until('its worth is known', async () => (await known()) >= 1, WITHIN_MS);
    await trade('out', 'sell', '120');
    await until('two points of its worth', async () => (await known()) >= 2, WITHIN_MS);
    const halt = { action: 'halt', scope: 'bot:mine', ...said() };
    await answered(() => client.commandDesk(halt));
    // A desk that begins was halted too.
    const isKnown = async () => (await performance()).halts.some(({ scope }) => scope === 'bot:mine');
    await until('the halt is on record', isKnown, WITHIN_MS);
    expect((await performance()).fills).toEqual([
      expect.objectContaining({ order_id: 'in', side: 'buy', quantity: '1', notional: '100', profit: '-0.5' }),
      expect.objectContaining({ order_id: 'out', side: 'sell', quantity: '1', notional: '120', profit: '19' }),
    ]);
    await opened('/bots/mine', 'canvas');
    for (const name of ['Equity of mine', 'Drawdown, in percent of mine', 'Profit realised, fees off of mine']) {
      await page.getByRole('img', { name }).locator('canvas').first().waitFor({ timeout: WITHIN_MS });
    }
    await stack.shows('figcaption', '▲ bought, ▼ sold, ■ halted.');
    await page.getByText(/^2 fills and \d halts?, newest first$/).click();
    await stack.shows('td', 'bot:mine by ann: odd prices');
    await stack.shows('td', '1 BTC/USDT at paper; profit so far 19');
    await isSound('/bots/mine', 'canvas');
  }, 360_000);

  it('and all of this without a script error', () => {
    expect(stack.errors).toEqual([]);
  });
});
