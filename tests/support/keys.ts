/** A page used by keyboard alone: nothing here points, focuses or fills by itself. */
import type { Locator, Page } from 'playwright-core';

/** More stops than any page has. */
const MOST_STOPS = 250;

/** Goes there with Tab. Throws when it is no stop. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.first().waitFor();
  const reached = target.and(page.locator(':focus'));
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    if ((await reached.count()) > 0) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${String(target)}`);
}

export async function pressEnter(page: Page, target: Locator): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press('Enter');
}

/** Into a field, over what it holds; of a list of choices it chooses the one that begins so. */
export async function typeInto(page: Page, label: string | RegExp, text: string): Promise<void> {
  await tabTo(page, page.getByLabel(label));
  await page.keyboard.press('Control+a');
  await page.keyboard.type(text);
}

export function button(page: Page, name: string | RegExp): Locator {
  return page.getByRole('button', typeof name === 'string' ? { name, exact: true } : { name });
}
