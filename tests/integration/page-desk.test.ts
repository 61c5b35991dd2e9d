import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { BrowserContext, Page } from 'playwright-core';
import { findingsOn } from '../support/axe';
import { token } from '../support/gateway-under-test';
import { startPage, WITHIN_MS, type PageUnderTest } from '../support/page-under-test';
import { prepare } from '../support/prepared';
import { until } from '../support/until';

const graph = {
  holdfast: 1,
  id: 'page_desk',
  name: 'A decision',
  bot_id: 'mine',
  strategy_id: 'page',
  nodes: {
    price: { type: 'constant', params: { value: '101.5' } },
    ask: { type: 'approval', after: ['price'], params: { message: 'Sell at {{price.value}}?' } },
    tell: { type: 'notify', after: ['ask.approved'], params: { message: 'sold' } },
  },
};
const BOT = { name: 'Mine', venues: ['paper_binance'], starting_equity: '1000', time_zone: 'UTC', reason: 'it begins' };

let stack: PageUnderTest;
let page: Page;
let second: BrowserContext;
let execution = '';
/** Stricter than the stack's own: nothing but a late desk may be refused here. */
const errors: string[] = [];

beforeAll(async () => {
  stack = await startPage('page');
  page = stack.page;
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    // A desk may be late on a busy machine; the page says so and asks again.
    if (message.type() === 'error' && !message.text().includes('503')) errors.push(message.text());
  });
  second = await stack.browser.newContext({ viewport: { width: 390, height: 800 } });
});
afterAll(() => stack.stop());

/** Another page of the same document, as somebody goes there. */
const goTo = async (name: string, on = page) => {
  await on.getByRole('navigation').getByRole('link', { name }).click();
  await on.locator('h1', { hasText: name }).waitFor();
};
const deskIs = (state: string) =>
  until(`the desk is in ${state}`, async () => (await stack.own.client.deskStatus()).state === state, WITHIN_MS);
const scopeOf = async (scope: string) =>
  (await stack.own.client.deskStatus()).scopes.find((each) => each.scope === scope);

/** In both themes; of the second only its colours can be otherwise. */
async function isAccessible(paths: readonly string[], on: Page): Promise<void> {
  await stack.open('/', on);
  for (const path of paths) {
    await on.goto(stack.gateway.url + path);
    await on.locator('h1').first().waitFor();
    expect([path, await findingsOn(on)]).toEqual([path, []]);
    await on.emulateMedia({ colorScheme: 'dark' });
    expect([path, await findingsOn(on, ['color-contrast'])]).toEqual([path, []]);
    await on.emulateMedia({ colorScheme: 'light' });
  }
}

async function resume(scope: string, typed: string, on = page, action = 'Resume'): Promise<void> {
  await on.getByRole('button', { name: `${action} ${scope}…` }).click();
  const form = on.getByRole('form', { name: `${action.toLowerCase()} ${scope}` });
  await form.getByLabel('Reason').fill('it is sound again');
  await form.getByLabel(`Type ${scope} to confirm`).fill(typed);
  await form.locator('button[type="submit"]').click();
}

describe('pages where there is nothing yet', () => {
  it('say what to do next', async () => {
    await stack.open('/');
    await stack.shows('main', 'npx holdfast run examples/trading_arb_btc.json');
    await goTo('Strategies');
    await stack.shows('main', 'npx holdfast deploy');
    await goTo('Bots');
    await stack.shows('main', 'npx holdfast bots add');
    expect(await page.title()).toBe('Bots · Holdfast');
    await page.goBack();
    await page.locator('h1', { hasText: 'Strategies' }).waitFor();
    errors.length = 0;
  });
});

describe('an execution', () => {
  it('is seen at work, waits for a decision, and goes on when it is given', async () => {
    const headers = { authorization: `Bearer ${await token({ role: 'admin' })}`, 'content-type': 'application/json' };
    const bot = await fetch(`${stack.gateway.url}/api/bots/mine`, {
      method: 'PUT',
      headers,
      body: JSON.stringify(BOT),
    });
    expect(bot.status).toBe(200);
    execution = (await stack.own.client.startExecution(prepare(graph))).execution_id;
    await stack.open(`/executions/${execution}`);
    await stack.shows('[data-node="ask"] .small', 'awaiting approval');
    await stack.shows('[data-approval="ask"]', 'Sell at 101.5?');
    await page.getByRole('button', { name: 'Approve ask' }).click();
    await stack.shows('[data-node="tell"] .small', 'completed');
    await stack.shows('#badges', 'completed');
    await stack.shows('#events', 'execution_completed');
    await until('the timeline has a row per node', async () => (await page.locator('.time-row').count()) === 3);
    await page.locator('[data-node="tell"][data-critical="true"]').waitFor({ timeout: WITHIN_MS });
  });

  it('that has ended can be looked back at, and run again from a node', async () => {
    await page.getByLabel('Look back').focus();
    await page.keyboard.press('Home');
    await stack.shows('[data-node="tell"] .small', 'pending');
    await page.locator('[data-tree="ask"]').click();
    await page.getByRole('button', { name: 'Run again from here' }).click();
    await until('the new one', () => !page.url().includes(execution), WITHIN_MS);
    await page.locator('#title').waitFor();
  });

  it('is found in the history by filters that stand in the address, and exported', async () => {
    await until('it is listed as completed', async () =>
      (await stack.own.client.listExecutions({ state: 'completed' })).executions.some(
        (each) => each.execution_id === execution,
      ),
    );
    await stack.open('/executions?state=failed');
    await stack.shows('main', 'None is like this');
    await page.getByLabel('State').selectOption('completed');
    await page.getByRole('button', { name: 'Filter' }).click();
    await stack.shows('#history', execution);
    expect(new URL(page.url()).searchParams.get('state')).toBe('completed');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: /^CSV of/ }).click(),
    ]);
    const [head, row] = readFileSync(await download.path(), 'utf8').split('\r\n');
    expect(head).toBe('execution_id,workflow_id,state,mode,bot_id,strategy_id,started_at,closed_at');
    expect(row).toMatch(new RegExp(`^${execution},page_desk,completed,paper,mine,page,`));
  });
});

describe('the emergency panel', () => {
  it('halts everything by shortcut and Enter from any page, and says what became of it in four facts', async () => {
    for (const path of ['/', '/executions', `/executions/${execution}`]) {
      await stack.open(path);
      await page.keyboard.press('Alt+Shift+KeyH');
      await until('the halt has the focus', async () =>
        String(await page.evaluate('document.activeElement.textContent')).includes('Halt everything'),
      );
      await page.keyboard.press('Enter');
      await deskIs('halt');
      for (const fact of ['requested', 'accepted', 'in force', 'sealed']) {
        await until(
          fact,
          async () => (await page.locator(`[data-fact="${fact}"]`).first().getAttribute('data-done')) === 'done',
          WITHIN_MS,
        );
      }
      await stack.shows('[data-fact="sealed"]', 'no increasing order can be accepted any more');
      await page.locator('[data-scope="global"]').waitFor();
      await resume('global', 'global');
      await deskIs('normal');
    }
  }, 240_000);

  it('tells every open tab', async () => {
    const other = await second.newPage();
    await stack.open('/', other);
    await stack.open('/emergency');
    await page.getByRole('button', { name: 'Halt everything' }).focus();
    await page.keyboard.press('Enter');
    await stack.shows('#desk', 'halt: global', other);
    await stack.shows('#desk', 'halt: global');
    await other.close();
  });

  it('is accessible on a narrow screen while everything is halted', async () => {
    const narrow = await second.newPage();
    await isAccessible(['/emergency', `/executions/${execution}`], narrow);
    const overflow = await narrow.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    await narrow.close();
  }, 240_000);

  it('sends no resume under a wrong confirmation, and lifts what was seen under the right one', async () => {
    await stack.open('/emergency');
    await page.locator('[data-scope="global"]').waitFor();
    await resume('global', 'globe');
    await stack.shows('[role="alert"]', 'Nothing was sent: type global, exactly so.');
    expect(await page.locator('[data-action="resume"]').count()).toBe(0);
    expect((await stack.own.client.deskStatus()).state).toBe('halt');
    await page.getByLabel('Type global to confirm').fill('global');
    await page.getByRole('form', { name: 'resume global' }).locator('button[type="submit"]').click();
    await deskIs('normal');
    await stack.shows('[data-action="resume"] [data-fact="in force"]', 'global is normal');
  });

  it('says that what it shows has changed since the form was opened', async () => {
    await stack.open('/emergency?scope=bot:mine');
    await page.getByRole('button', { name: 'Halt bot mine' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Resume bot:mine…' }).click();
    const said = { scope: 'bot:mine', reason: 'odd', actor: 'carl', command_id: 'page_carl' };
    await stack.own.client.commandDesk({ action: 'halt', ...said });
    await stack.shows('form', 'It has changed since this form was opened');
    await page.getByRole('button', { name: 'Look again' }).click();
    await stack.shows('form', 'halt by carl');
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await resume('bot:mine', 'bot:mine');
    await until('it is normal', async () => (await scopeOf('bot:mine'))?.state === 'normal', WITHIN_MS);
  });

  it('does nothing for a click that is not held, and shuts down when it is; a second person lifts that', async () => {
    await stack.open('/emergency?scope=bot:mine');
    const button = page.getByRole('button', { name: 'Shut down bot mine' });
    await button.click();
    expect(await page.locator('[data-command]').count()).toBe(0);
    await button.hover();
    await page.mouse.down();
    await page.locator('[data-action="shutdown"]').waitFor({ timeout: WITHIN_MS });
    await page.mouse.up();
    await until('it is shut down', async () => (await scopeOf('bot:mine'))?.state === 'shutdown', WITHIN_MS);
    expect(await page.locator('[data-command]').count()).toBe(1);
    await page.locator('[data-scope="bot:mine"]').waitFor();
    await resume('bot:mine', 'bot:mine');
    await stack.shows('[data-action="resume"]', 'it waits for a second person until');
    const bobs = await second.newPage();
    await stack.open('/emergency', bobs, 'bob');
    await resume('bot:mine', 'bot:mine', bobs, 'Approve');
    await until('it is normal', async () => (await scopeOf('bot:mine'))?.state === 'normal', WITHIN_MS);
    await bobs.close();
  }, 240_000);

  it('shows limits with what is used of them, and what was commanded', async () => {
    await stack.open('/emergency');
    await stack.shows('main', 'daily_loss');
    expect(await page.getByRole('meter', { name: 'daily_loss of global' }).count()).toBe(1);
    await stack.shows('main', 'it is sound again');
  });

  it('loads without a script error and within its content security policy, whatever was opened', () => {
    expect(errors).toEqual([]);
  });
});

describe('a page whose gateway is gone', () => {
  it('says so, is accessible, names the command line, and is live again when it is back', async () => {
    await stack.open('/emergency?scope=bot:mine');
    const startAgain = await stack.closeGateway();
    await until('stale', async () => (await page.locator('#feed').getAttribute('data-state')) === 'stale', WITHIN_MS);
    await page.getByRole('button', { name: 'Halt bot mine' }).focus();
    await page.keyboard.press('Enter');
    await stack.shows('[data-command]', 'npx holdfast halt --bot mine');
    expect(await findingsOn(page)).toEqual([]);
    await startAgain();
    await until('live', async () => (await page.locator('#feed').getAttribute('data-state')) === 'live', WITHIN_MS);
    await until(
      'the halt that waited is in force',
      async () => (await scopeOf('bot:mine'))?.state === 'halt',
      WITHIN_MS,
    );
  });
});
