/** What is set and rehearsed at the emergency panel. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { findingsOn } from '../support/axe';
import { button, pressEnter, tabTo, typeInto } from '../support/keys';
import { startPage, WITHIN_MS, type PageUnderTest } from '../support/page-under-test';
import { answered, until } from '../support/until';

let stack: PageUnderTest;
let page: Page;

beforeAll(async () => {
  stack = await startPage('page-limits');
  page = stack.page;
}, 300_000);
afterAll(() => stack.stop());

const status = () => answered(() => stack.own.client.deskStatus());
const limitsOf = async (scope: string) => {
  const { scopes } = await status();
  const found = scopes.find((each) => each.scope === scope);
  return {
    halts: found?.auto_halt,
    ...Object.fromEntries(found?.limits.map((each) => [each.limit, each.allowed]) ?? []),
  };
};
const form = () => page.getByRole('form', { name: 'set limits of' });
const latest = (fact: string) => page.locator('[data-action="set_limits"]').first().locator(`[data-fact="${fact}"]`);
const says = (fact: string, text: string) =>
  until(`${fact}: ${text}`, async () => (await latest(fact).textContent())?.includes(text), WITHIN_MS);

describe('limits at the emergency panel', () => {
  it('are set by keyboard alone, with a reason, and only those that were changed', async () => {
    await stack.open('/emergency?scope=symbol:BTC/USDT');
    await pressEnter(page, button(page, 'Set limits of symbol:BTC/USDT…'));
    await typeInto(page, /^Worth of one order/, '250');
    await page.keyboard.press('Enter');
    await stack.shows('[role="alert"]', 'a reason is needed');
    expect(await page.locator('[data-command]').count()).toBe(0);
    await stack.shows('form', 'max_order_notional: none → 250');
    await typeInto(page, 'Reason for the change', 'a calmer week');
    await pressEnter(page, button(page, 'Set limits'));
    await says('in force', 'the limits hold, symbol:BTC/USDT is normal');
    expect(await limitsOf('symbol:BTC/USDT')).toEqual({ halts: true, max_order_notional: '250' });
    expect(await limitsOf('global')).toMatchObject({ daily_loss: '500', max_drawdown_percent: '20' });
  });

  it('show what holds and how far it is used, and can be taken away', async () => {
    await stack.open('/emergency');
    await page.getByRole('button', { name: 'Set limits of global…' }).click();
    const loss = form().getByLabel('Loss of a day: now 500, 0 used (0.0 %)');
    expect(await loss.inputValue()).toBe('500');
    await loss.fill('');
    await tabTo(page, form().getByLabel('A breach halts the scope'));
    await page.keyboard.press('Space');
    await form().getByLabel('Reason for the change').fill('told, not halted');
    await form().getByRole('button', { name: 'Set limits' }).click();
    await says('in force', 'the limits hold, global is normal');
    const limits = await limitsOf('global');
    expect(limits).toEqual({ halts: false, max_drawdown_percent: '20', max_position_notional: '10000' });
  });

  it('that the desk refuses stand as they stood, and the desk’s words are shown', async () => {
    const before = await limitsOf('global');
    await page.getByRole('button', { name: 'Set limits of global…' }).click();
    await form().getByLabel('Open orders').fill('1.5');
    await form().getByLabel('Reason for the change').fill('odd');
    await form().getByRole('button', { name: 'Set limits' }).click();
    await says('accepted', 'max_open_orders must be a whole number');
    await says('accepted', '[BadRequest]');
    expect(await limitsOf('global')).toEqual(before);
  });

  it('that somebody else has set meanwhile are pointed out', async () => {
    await page.getByRole('button', { name: 'Set limits of global…' }).click();
    const said = { scope: 'global', reason: 'odd', actor: 'carl', command_id: 'page_carl' };
    const order = { action: 'set_limits', limits: { daily_loss: '77' }, ...said };
    await answered(() => stack.own.client.commandDesk(order));
    await stack.shows('form', 'The limits have changed since this form was opened.');
    await pressEnter(page, button(page, 'Look again'));
    expect(await form().getByLabel('Loss of a day').inputValue()).toBe('77');
  });

  it('are set on a form that is accessible in both themes and fits a narrow screen', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await findingsOn(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await findingsOn(page, ['color-contrast'])).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 720 });
  });
});

describe('a drill from the emergency panel', () => {
  it('is begun and read by keyboard alone, tells its steps and times, and changes nothing of the desk', async () => {
    await stack.open('/emergency');
    const before = await status();
    await pressEnter(page, button(page, 'Rehearse a halt'));
    await stack.shows('#drill', 'Rehearsing since');
    await stack.shows('#drill', 'Passed');
    await stack.shows('#drill dl', '0, must be 0');
    await pressEnter(page, page.locator('summary', { hasText: 'Its steps' }));
    await stack.shows('#drill li', 'a resume while the limit is breached is refused: LimitBreached');
    expect(await findingsOn(page)).toEqual([]);
    const { state, epoch } = await status();
    expect({ state, epoch }).toEqual({ state: before.state, epoch: before.epoch });
  });

  it('that cannot be held says so, with the command line’s', async () => {
    await page.route('**/api/drill', (route) => route.abort());
    await page.getByRole('button', { name: 'Rehearse a halt' }).click();
    await stack.shows('#drill', 'Not rehearsed to its end: The gateway cannot be reached.');
    await stack.shows('#drill code', 'npx holdfast drill');
    await page.unroute('**/api/drill');
  });

  it('and all of this without a script error', () => {
    expect(stack.errors.filter((words) => !words.includes('ERR_FAILED'))).toEqual([]);
  });
});
