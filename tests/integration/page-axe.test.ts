import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { findingsOn } from '../support/axe';
import { token } from '../support/gateway-under-test';
import { button, pressEnter, tabTo, typeInto } from '../support/keys';
import { startPage, WITHIN_MS, type PageUnderTest } from '../support/page-under-test';
import { prepare } from '../support/prepared';
import { answered, until } from '../support/until';

const DECISION = {
  holdfast: 1,
  id: 'axe_decision',
  name: 'A decision',
  bot_id: 'mine',
  strategy_id: 'axe',
  nodes: {
    price: { type: 'constant', params: { value: '101.5' } },
    ask: { type: 'approval', after: ['price'], params: { message: 'Sell at {{price.value}}?' } },
    tell: { type: 'notify', after: ['ask.approved'], params: { message: 'sold' } },
  },
};
const SLEEPER = {
  holdfast: 1,
  id: 'axe_sleeper',
  name: 'A long wait',
  strategy_id: 'axe',
  nodes: {
    rest: { type: 'wait', params: { for: '1h' } },
    end: { type: 'constant', params: { value: 1 }, after: ['rest'] },
  },
};
const BOT = { name: 'Mine', venues: ['paper_binance'], starting_equity: '1000', time_zone: 'UTC', reason: 'it begins' };
const LISTS = ['/', '/executions', '/strategies', '/bots', '/emergency'];
const UNKNOWN = ['/executions/none', '/strategies/none', '/bots/none'];

let stack: PageUnderTest;
let page: Page;
let decision = '';

beforeAll(async () => {
  stack = await startPage('axe');
  page = stack.page;
  page.setDefaultTimeout(WITHIN_MS);
});
afterAll(() => stack.stop());

/** A desk on a busy machine may be late. */
const deskStatus = () => answered(() => stack.own.client.deskStatus());
const feedIs = (state: string) => page.locator(`#feed[data-state="${state}"]`).waitFor({ timeout: WITHIN_MS });
/** To be seen, not only there. */
const shows = (selector: string, text: string | RegExp) =>
  page.locator(selector).filter({ hasText: text }).first().waitFor({ timeout: WITHIN_MS });
const scopeIs = (scope: string, state: string) =>
  until(
    `${scope} is ${state}`,
    async () => {
      const { scopes } = await deskStatus();
      return (scopes.find((each) => each.scope === scope)?.state ?? 'normal') === state;
    },
    WITHIN_MS,
  );
const isIn = (execution: string, state: string) =>
  until(
    `${execution} is ${state}`,
    async () => (await answered(() => stack.own.client.describeExecution(execution))).state === state,
    WITHIN_MS,
  );
const idInAddress = () => new URL(page.url()).pathname.split('/')[2] ?? '';
const leaves = async (id: string) => {
  await until('another execution is shown', () => idInAddress() !== id, WITHIN_MS);
  await page.locator('#title').waitFor();
};

/** A bot, a strategy, and an execution that waits for a decision. */
async function haveSomething(): Promise<void> {
  if (decision !== '') return;
  const headers = { authorization: `Bearer ${await token({ role: 'admin' })}`, 'content-type': 'application/json' };
  const bot = await fetch(`${stack.gateway.url}/api/bots/mine`, { method: 'PUT', headers, body: JSON.stringify(BOT) });
  expect(bot.status).toBe(200);
  decision = (await stack.own.client.startExecution(prepare(DECISION))).execution_id;
  await stack.own.client.deploy(prepare(SLEEPER));
}

/** Of the second look and those after it only colours can be otherwise. */
const LOOKS = [
  { colorScheme: 'light', contrast: 'no-preference' },
  { colorScheme: 'dark', contrast: 'no-preference' },
  { colorScheme: 'light', contrast: 'more' },
  { colorScheme: 'dark', contrast: 'more' },
] as const;

async function expectNoFindings(where: string): Promise<void> {
  for (const [number, look] of LOOKS.entries()) {
    await page.emulateMedia(look);
    const findings = await findingsOn(page, number === 0 ? undefined : ['color-contrast']);
    expect({ where, look, findings }).toEqual({ where, look, findings: [] });
  }
}

/** From the overview through every page by its links, to the emergency panel. */
async function walk(state: string): Promise<void> {
  const main = page.locator('main');
  const nav = page.getByRole('navigation');
  const steps: readonly (readonly [string, string, () => Promise<void>])[] = [
    ['overview', 'h1', () => stack.open('/')],
    ['executions', '#history a', () => nav.getByRole('link', { name: 'Executions' }).click()],
    ['execution', '[data-node="ask"]', () => main.getByRole('link', { name: decision }).click()],
    ['strategies', 'main table a', () => nav.getByRole('link', { name: 'Strategies' }).click()],
    ['strategy', '.figures', () => main.getByRole('link', { name: SLEEPER.name }).click()],
    ['bots', 'main table a', () => nav.getByRole('link', { name: 'Bots' }).click()],
    ['bot', '.figures', () => main.getByRole('link', { name: 'mine' }).click()],
    ['emergency', 'meter, [role="meter"]', () => page.locator('.emergency-link').click()],
  ];
  for (const [name, ready, go] of steps) {
    await go();
    await page.locator(ready).first().waitFor();
    await expectNoFindings(`${name}, ${state}`);
  }
}

describe('axe finds nothing serious, in light and dark, with more contrast and without,', () => {
  it('on pages where there is nothing', async () => {
    await stack.open('/');
    for (const path of [...LISTS, ...UNKNOWN]) {
      await page.goto(stack.gateway.url + path);
      await page.locator('h1, .empty').first().waitFor();
      await feedIs('live');
      await expectNoFindings(`${path}, empty`);
    }
  }, 240_000);

  it('on every page while executions run', async () => {
    await haveSomething();
    await stack.open(`/executions/${decision}`);
    await shows('[data-node="ask"]', 'awaiting approval');
    await walk('live');
  }, 240_000);

  it('on every page while everything is halted', async () => {
    await answered(() => stack.own.client.haltDesk({ reason: 'to look at it', actor: 'ann' }));
    await scopeIs('global', 'halt');
    await stack.open('/');
    await shows('#desk', 'halt: global');
    await walk('halted');
  }, 240_000);

  it('on every page once the gateway is gone', async () => {
    const startAgain = await stack.closeGateway();
    await feedIs('stale');
    await page.locator('#banner').waitFor();
    for (let back = 0; back < 8; back += 1) {
      await expectNoFindings(`${page.url()}, stale`);
      await page.goBack();
    }
    await startAgain();
    await answered(() => stack.own.client.resumeDesk({ reason: 'it was looked at', actor: 'ann' }));
    await scopeIs('global', 'normal');
  }, 240_000);
});

describe('by keyboard alone', () => {
  beforeAll(haveSomething);

  it('one halts everything with two keys, the first stop of any page being the way there', async () => {
    await stack.open('/bots');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await until(
      'the halt has the focus',
      async () => (await button(page, 'Halt everything').and(page.locator(':focus')).count()) === 1,
    );
    // Kept down, the key is pressed again and again; it is one halt all the same.
    for (let press = 0; press < 4; press += 1) await page.keyboard.down('Enter');
    await page.keyboard.up('Enter');
    await scopeIs('global', 'halt');
    expect(await page.locator('[data-command]').count()).toBe(1);
    await resume('global');
    await scopeIs('global', 'normal');
  });

  it('one chooses a scope, alerts, halts with what rests cancelled, and resumes', async () => {
    await stack.open('/emergency');
    await page.locator('option[value="bot:mine"]').waitFor({ state: 'attached', timeout: WITHIN_MS });
    await typeInto(page, 'What', 'bot:mine');
    await until('the scope is in the address', () => new URL(page.url()).searchParams.get('scope') === 'bot:mine');
    await typeInto(page, 'Reason, for the record', 'with keys');
    await pressEnter(page, button(page, 'Alert bot mine'));
    await scopeIs('bot:mine', 'alert');
    await typeInto(page, 'Orders that rest at venues', 'cancel them, keep');
    await pressEnter(page, button(page, 'Halt bot mine'));
    await scopeIs('bot:mine', 'halt');
    await shows('[data-action="halt"]', 'sealed');
    await resume('bot:mine');
    await scopeIs('bot:mine', 'normal');
  });

  it('one reads an execution, decides, looks back, and runs it again from a node', async () => {
    await stack.open(`/executions/${decision}`);
    await shows('[data-node="ask"]', 'awaiting approval');
    await tabTo(page, page.locator('[data-node]'));
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await until('a node is chosen', () => new URL(page.url()).searchParams.get('node') === 'ask');
    await typeInto(page, 'Comment for ask, if any', 'with keys');
    await pressEnter(page, button(page, 'Approve ask'));
    await shows('#badges', 'completed');
    await tabTo(page, page.locator('[data-tree]'));
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await until('it is chosen in the tree', () => new URL(page.url()).searchParams.get('node') === 'tell');
    const row = page.locator('.time-row').first();
    const first = (await row.locator('.time-name').textContent()) ?? '';
    expect(first).not.toBe('tell');
    await pressEnter(page, row);
    await until('it is chosen in the timeline', () => new URL(page.url()).searchParams.get('node') === first);
    await tabTo(page, page.locator('#scrubber'));
    await page.keyboard.press('Home');
    await shows('[data-node="tell"]', 'pending');
    await page.keyboard.press('End');
    await pressEnter(page, button(page, 'Run again from here'));
    await leaves(decision);
  });

  it('one halts, resumes and cancels an execution, and runs again what did not end', async () => {
    const { execution_id } = await stack.own.client.startExecution(prepare(SLEEPER));
    await stack.open(`/executions/${execution_id}`);
    await typeInto(page, 'Reason', 'with keys');
    await pressEnter(page, button(page, 'Halt'));
    await isIn(execution_id, 'halted');
    await shows('#badges', 'halted');
    await pressEnter(page, button(page, 'Resume'));
    await shows('#badges', /running|waiting/);
    await pressEnter(page, button(page, 'Cancel for good'));
    await shows('#badges', 'cancelled');
    await pressEnter(page, button(page, 'Run again what failed'));
    await leaves(execution_id);
    const again = idInAddress();
    await shows('[data-node="rest"]', 'waiting');
    await tabTo(page, page.locator('[data-node]'));
    await page.keyboard.press('Enter');
    await pressEnter(page, button(page, 'Begin it anew'));
    await shows('main [role="status"]', 'retry: taken');
    await pressEnter(page, button(page, 'Pass it over'));
    await isIn(again, 'completed');
  });

  it('one filters, searches, reads again and exports the history, and opens an execution of it', async () => {
    await stack.open('/executions');
    await typeInto(page, 'State', 'completed');
    await typeInto(page, 'Search in what is loaded', 'axe_decision');
    await page.keyboard.press('Enter');
    await until('it is in the address', () => new URL(page.url()).searchParams.get('q') === 'axe_decision');
    expect(new URL(page.url()).searchParams.get('state')).toBe('completed');
    await pressEnter(page, button(page, 'Read again'));
    await shows('#history', decision);
    for (const [name, begins] of [
      [/^CSV of/, 'execution_id,'],
      [/^JSON of/, '['],
    ] as const) {
      const downloading = page.waitForEvent('download');
      await pressEnter(page, button(page, name));
      expect(readFileSync(await (await downloading).path(), 'utf8').startsWith(begins)).toBe(true);
    }
    await pressEnter(page, page.locator('#history a', { hasText: decision }));
    await page.locator('#title').waitFor();
  });

  it('one stops the clock of a strategy, lets it go on, and runs it now', async () => {
    await stack.open('/');
    await pressEnter(page, page.getByRole('navigation').getByRole('link', { name: 'Strategies' }));
    await pressEnter(page, page.locator('main table a', { hasText: SLEEPER.name }));
    await pressEnter(page, button(page, 'Pause its clock'));
    await shows('main .state', 'paused');
    await pressEnter(page, button(page, 'Let the clock start it again'));
    await shows('main .state', 'deployed');
    await pressEnter(page, button(page, 'Run now'));
    await page.locator('#title', { hasText: SLEEPER.name }).waitFor();
  });

  it('one goes from page to page, and asks for the shortcuts and turns the single key off', async () => {
    await stack.open('/bots');
    await page.keyboard.press('Alt+Shift+KeyE');
    await page.locator('h1', { hasText: 'Executions' }).waitFor();
    await page.keyboard.press('Alt+Shift+KeyO');
    await page.locator('h1', { hasText: 'Overview' }).waitFor();
    await page.keyboard.press('?');
    await tabTo(page, page.getByRole('dialog').getByRole('checkbox'));
    await page.keyboard.press('Space');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog').count()).toBe(0);
    await pressEnter(page, button(page, 'Keyboard shortcuts'));
    await page.getByRole('dialog').waitFor();
  });

  // Last, for a shutdown ends what its bot runs.
  it('one shuts down, another approves the resume, and positions are closed', async () => {
    await stack.open('/emergency?scope=bot:mine');
    await pressEnter(page, button(page, 'Shut down bot mine'));
    await scopeIs('bot:mine', 'shutdown');
    await resume('bot:mine');
    await shows('[data-action="resume"]', 'second person');
    const bobs = await (await stack.browser.newContext()).newPage();
    await stack.open('/emergency', bobs, 'bob');
    await resume('bot:mine', bobs, 'Approve');
    await scopeIs('bot:mine', 'normal');
    await bobs.context().close();
    await pressEnter(page, page.locator('summary', { hasText: 'Close everything bot:mine holds' }));
    await typeInto(page, 'Reason for closing', 'with keys');
    await typeInto(page, 'Type bot:mine to close its positions', 'bot:mine');
    await page.keyboard.press('Enter');
    await page.locator('[data-action="flatten"] [data-fact="accepted"][data-done="done"]').waitFor();
  });
});

/** The form stays where its opener was, so Tab goes on from there. */
async function resume(scope: string, on = page, action: 'Resume' | 'Approve' = 'Resume'): Promise<void> {
  await pressEnter(on, button(on, `${action} ${scope}…`));
  const form = on.getByRole('form', { name: `${action.toLowerCase()} ${scope}` });
  await tabTo(on, form.getByLabel('Reason'));
  await on.keyboard.type('it is sound again');
  await tabTo(on, form.getByLabel(`Type ${scope} to confirm`));
  await on.keyboard.type(scope);
  await on.keyboard.press('Enter');
}
