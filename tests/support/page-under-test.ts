/** The dashboard as people have it: its gateway on real services, and a browser that looks at it. */
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { EventPublisher } from '../../src/event-log';
import { openJournal, type Journal } from '../../src/journal/journal';
import { browserPath, launchBrowser } from './browser';
import { startGateway, token, type GatewaySettings, type GatewayUnderTest } from './gateway-under-test';
import { ownNamespace, type OwnNamespace } from './own-namespace';
import { startOwnPglite } from './own-postgresql';
import { startOwnRedis } from './own-redis';
import { answered, until } from './until';

/** Of a page on a busy machine. */
export const WITHIN_MS = 60_000;

export interface PageUnderTest {
  readonly own: OwnNamespace;
  readonly journal: Journal;
  /** The one that runs now. */
  readonly gateway: GatewayUnderTest;
  readonly browser: Browser;
  readonly page: Page;
  /** What its scripts threw and what the browser refused, but for answers of the gateway. */
  readonly errors: readonly string[];
  /** Opens an address with a token of its own, an admin's, and waits until the feed is live. */
  open(path: string, on?: Page, subject?: string): Promise<void>;
  /** Waits until one of what the selector finds says this. */
  shows(selector: string, text: string, on?: Page): Promise<void>;
  /** Closes the gateway. What it resolves to starts another at the same address. */
  closeGateway(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

export async function startPage(name: string, settings: Partial<GatewaySettings> = {}): Promise<PageUnderTest> {
  const path = browserPath();
  if (path === undefined) throw new Error('No chromium on PATH.');
  const services = await startServices(name);
  const { own, journal, redis } = services;
  const folder = join(__dirname, '../../dist/dashboard');
  const all = { redisUrl: redis.url, client: own.client, journal, page: folder, ...settings };
  let gateway = await startGateway(all);
  const isBlind = async () => (await answered(() => own.client.deskStatus())).blind_until !== undefined;
  await until('halts can be sealed', async () => !(await isBlind()), WITHIN_MS);
  const browser = await launchBrowser(path);
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  return {
    ...{ own, journal, browser, page, errors: errorsOf(page) },
    get gateway() {
      return gateway;
    },
    open: async (address, on = page, subject = 'ann') => {
      await on.goto('about:blank');
      await on.goto(`${gateway.url}${address}#token=${await token({ role: 'admin', subject })}`);
      await until('live', async () => (await on.locator('#feed').getAttribute('data-state')) === 'live', WITHIN_MS);
    },
    shows: async (selector, text, on = page) => {
      const said = async () => (await on.locator(selector).allTextContents()).some((each) => each.includes(text));
      await until(`${selector} says ${text}`, said, WITHIN_MS);
    },
    closeGateway: async () => {
      const port = Number(new URL(gateway.url).port);
      await gateway.close();
      return async () => {
        gateway = await startGateway({ ...all, port });
      };
    },
    stop: async () => {
      await browser.close();
      await services.publisher.close();
      await gateway.close();
      await services.stop();
    },
  };
}

/** All but the gateway; its events go where a worker's go. */
async function startServices(name: string) {
  const [redis, postgresql] = await Promise.all([startOwnRedis(), startOwnPglite()]);
  const journal = openJournal(postgresql.url);
  const publisher = new EventPublisher(redis.url);
  const tell = (publication: Parameters<EventPublisher['publish']>[0]) => {
    publisher.publish(publication);
  };
  const own = await ownNamespace(name, tell, {}, { journal });
  const stop = async () => {
    await redis.stop();
    await journal.close();
    await postgresql.stop();
    await own.dispose();
  };
  return { redis, journal, publisher, own, stop };
}

/** What the gateway refuses, the page says in words; the browser also writes it into its console. */
function errorsOf(page: Page): readonly string[] {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('the server responded with a status of')) {
      errors.push(message.text());
    }
  });
  return errors;
}
